/*
 * People and groups from a Cedar entities file: its User entities and their ancestors.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

#define FILE_MAX (256u << 20)

struct groups {
  const char **items; /* NUL-terminated copies inside text */
  char *text;
  size_t room;
  size_t text_room;
};

static enum cortex_reason refuse(struct cortex_error *error, const char *place,
                                 const struct cedar_error *why) {
  if (error->reason == CORTEX_OK) {
    error->reason = CORTEX_POLICY_UNAVAILABLE;
    error->line = why->line;
    error->column = why->column;
    snprintf(error->source, sizeof error->source, "%s", place);
    snprintf(error->message, sizeof error->message, "%s",
             why->message[0] != '\0' ? why->message : "out of memory");
  }
  return CORTEX_POLICY_UNAVAILABLE;
}

static bool is_type(struct cedar_text type, const char *name) {
  return type.len == strlen(name) && memcmp(type.ptr, name, type.len) == 0;
}

static bool reserve(struct groups *groups, size_t count, size_t bytes) {
  if (count > groups->room) {
    const char **items = realloc(groups->items, 2 * count * sizeof *items);

    if (items == NULL)
      return false;
    groups->items = items;
    groups->room = 2 * count;
  }
  if (bytes > groups->text_room) {
    char *text = realloc(groups->text, 2 * bytes);

    if (text == NULL)
      return false;
    groups->text = text;
    groups->text_room = 2 * bytes;
  }
  return true;
}

/* The ancestors that are groups, as C strings; a name with a NUL byte is no group of anybody's. */
static bool collect(const struct cedar_store *store, uint32_t index,
                    const struct cedar_entity_info *info, struct groups *groups, size_t *count) {
  struct cedar_uid_text uid;
  size_t bytes = info->uid.id.len + 1, used;
  uint32_t i;

  for (i = 0; cedar_entity_ancestor_at(store, index, i, &uid); i++)
    bytes += uid.id.len + 1;
  if (!reserve(groups, (size_t)info->ancestor_count + 1, bytes))
    return false;
  used = info->uid.id.len + 1; /* the person's own name stands first */
  memcpy(groups->text, info->uid.id.ptr, info->uid.id.len);
  groups->text[used - 1] = '\0';
  *count = 0;
  for (i = 0; cedar_entity_ancestor_at(store, index, i, &uid); i++) {
    if (!is_type(uid.type, "Group") || memchr(uid.id.ptr, '\0', uid.id.len) != NULL)
      continue;
    groups->items[(*count)++] = memcpy(groups->text + used, uid.id.ptr, uid.id.len);
    used += uid.id.len;
    groups->text[used++] = '\0';
  }
  return true;
}

/* The subject attribute, where the file has it. */
static bool copy_subject(const struct cedar_store *store, uint32_t index, char *id, size_t size) {
  struct cedar_value value;
  struct cedar_text text;

  id[0] = '\0';
  if (cedar_entity_attr(store, index, "subject", &value) &&
      cedar_value_get_string(store, value, &text) && text.len < size &&
      memchr(text.ptr, '\0', text.len) == NULL) {
    memcpy(id, text.ptr, text.len);
    id[text.len] = '\0';
  }
  return true;
}

static bool hand_over(const struct cedar_store *store, const struct source_taker *taker) {
  const struct cedar_text user = {"User", 4};
  struct groups groups = {0};
  struct cedar_entity_info info;
  struct source_person person;
  char id[512];
  uint32_t cursor = 0, index;
  bool fine = true;

  while (fine && cedar_entity_next_of_type(store, user, &cursor, &index)) {
    fine = cedar_entity_get(store, index, &info) &&
           collect(store, index, &info, &groups, &person.group_count) &&
           copy_subject(store, index, id, sizeof id);
    if (!fine)
      break;
    /* Up to a NUL byte is another name: an empty one is rejected like any bad name. */
    person.name = memchr(info.uid.id.ptr, '\0', info.uid.id.len) != NULL ? "" : groups.text;
    person.id = id;
    person.groups = groups.items;
    fine = taker->person(taker->context, &person);
  }
  free(groups.items);
  free(groups.text);
  return fine;
}

static enum cortex_reason read_store(const char *place, const struct cedar_source *source,
                                     const struct source_taker *taker, struct cortex_error *error) {
  struct cedar_error why = {0};
  struct cedar_store *store = NULL;
  enum cortex_reason reason = CORTEX_POLICY_UNAVAILABLE;

  if (cedar_store_new(NULL, &store) != CEDAR_OK ||
      cedar_store_add_entities(store, source, NULL, &why) != CEDAR_OK ||
      cedar_store_seal(store, &why) != CEDAR_OK || !hand_over(store, taker)) {
    refuse(error, place, &why);
    goto out;
  }
  reason = CORTEX_OK;
out:
  cedar_store_free(&store);
  return reason;
}

static enum cortex_reason read_file(const char *place, const struct source_taker *taker,
                                    struct cortex_error *error) {
  struct cedar_source source = {place, NULL, 0};
  char *bytes;
  enum cortex_reason reason = cortex_file_load(place, FILE_MAX, &bytes, &source.len, error);

  if (reason != CORTEX_OK)
    return reason;
  source.bytes = bytes;
  reason = read_store(place, &source, taker, error);
  free(bytes);
  return reason;
}

const struct source_kind source_file = {"file", read_file};
