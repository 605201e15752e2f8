/*
 * An issuer's key set (RFC 7517 5) and the choice of one key in it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "util/json.h"

struct jwk {
  const cx_json *json; /* inside the set's document */
  const cx_json *kid;  /* NULL: none */
  struct cx_key key;  /* empty until prepared */
  enum cortex_reason state; /* CORTEX_OK with an empty key: not made yet */
};

struct cx_keyset {
  const cx_json *document;
  struct jwk *items;
  size_t count;
};

static void collect(struct cx_keyset *keyset, const cx_json *keys) {
  const cx_json *key;

  for (key = cx_json_items(keys); key != NULL; key = key->next) {
    struct jwk *item = &keyset->items[keyset->count];
    const cx_json *kid = cx_json_get(key, "kid");

    if (!cx_json_is_object(key) || (kid != NULL && !cx_json_is_string(kid)))
      continue;
    *item = (struct jwk){.json = key, .kid = kid, .state = CORTEX_OK};
    keyset->count++;
  }
}

enum cortex_reason cx_keyset_parse(const char *bytes, size_t len, struct cx_keyset **keyset_out,
                                   struct cortex_error *error) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  struct cx_keyset *keyset = NULL;
  const cx_json *document = NULL;
  const cx_json *keys;

  *keyset_out = NULL;
  if (len > CX_KEYSET_SIZE_MAX)
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the key set is larger than 1 MiB");
  if (cx_json_parse("key set", bytes, len, &document, &cause) != CORTEX_OK)
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "%s", cause.message);
  keys = cx_json_get(document, "keys");
  if (!cx_json_is_array(keys)) {
    cx_json_release(document);
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the key set has no array \"keys\"");
  }
  if (cx_json_count(keys) > CX_KEYSET_KEYS_MAX) {
    cx_json_release(document);
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the key set has more than %d keys",
                        CX_KEYSET_KEYS_MAX);
  }
  keyset = calloc(1, sizeof *keyset);
  if (keyset != NULL)
    keyset->items = calloc(cx_json_count(keys) + 1, sizeof *keyset->items);
  if (keyset == NULL || keyset->items == NULL) {
    free(keyset);
    cx_json_release(document);
    return cx_error_memory(error);
  }
  keyset->document = document;
  collect(keyset, keys);
  *keyset_out = keyset;
  return CORTEX_OK;
}

void cx_keyset_free(struct cx_keyset **keyset) {
  size_t i;

  if (keyset == NULL || *keyset == NULL)
    return;
  for (i = 0; i < (*keyset)->count; i++)
    cx_key_clear(&(*keyset)->items[i].key);
  free((*keyset)->items);
  cx_json_release((*keyset)->document);
  free(*keyset);
  *keyset = NULL;
}

void cx_keyset_prepare(struct cx_keyset *keyset) {
  size_t i;

  for (i = 0; i < keyset->count; i++) {
    struct jwk *item = &keyset->items[i];
    const struct cx_key_type *type = cx_key_type_of(item->json);

    if (type != NULL && item->key.type == NULL && item->state == CORTEX_OK)
      item->state = cx_key_import(type, item->json, &item->key);
  }
}

/* RFC 7517 4.3: where key_ops is present it must allow verifying. */
static bool may_verify(const cx_json *operations) {
  const cx_json *operation;

  if (operations == NULL)
    return true;
  for (operation = cx_json_items(operations); operation != NULL; operation = operation->next)
    if (cx_json_is_text(operation, "verify", strlen("verify")))
      return true;
  return false;
}

static bool is_absent_or(const cx_json *member, const char *text) {
  return member == NULL || cx_json_is_text(member, text, strlen(text));
}

/* RFC 8725 3.1: one key, one algorithm; the key decides, not the header. */
static bool fits(const struct jwk *item, const struct cx_jws_algorithm *algorithm) {
  return cx_key_type_of(item->json) == algorithm->key_type &&
         is_absent_or(cx_json_get(item->json, "use"), "sig") &&
         is_absent_or(cx_json_get(item->json, "alg"), algorithm->name) &&
         may_verify(cx_json_get(item->json, "key_ops"));
}

uint32_t cx_keyset_algorithms(const struct cx_list *algorithms) {
  const struct cx_jws_algorithm *algorithm;
  uint32_t bits = 0;
  size_t i;

  for (i = 0; i < algorithms->count; i++)
    if ((algorithm = cx_jws_algorithm_find(algorithms->items[i])) != NULL)
      bits |= UINT32_C(1) << cx_jws_algorithm_index(algorithm);
  return bits;
}

static uint32_t fitting_algorithms(const struct jwk *item) {
  uint32_t bits = 0;
  size_t i;

  for (i = 0; i < CX_JWS_ALGORITHMS; i++)
    if (fits(item, cx_jws_algorithm_at(i)))
      bits |= UINT32_C(1) << i;
  return bits;
}

size_t cx_keyset_size(const struct cx_keyset *keyset) {
  return keyset->count;
}

const char *cx_keyset_kid(const struct cx_keyset *keyset, size_t index, size_t *len_out) {
  *len_out = cx_json_text_len(keyset->items[index].kid);
  return cx_json_text(keyset->items[index].kid);
}

bool cx_keyset_entry(const struct cx_keyset *keyset, size_t index, struct cx_key_room *room,
                     struct cx_keyset_entry *entry_out) {
  const struct jwk *item = &keyset->items[index];
  const struct cx_key_type *type;
  struct cx_key key = {NULL, NULL};

  if (index >= keyset->count)
    return false;
  *entry_out = (struct cx_keyset_entry){.algorithms = fitting_algorithms(item),
                                        .state = CORTEX_KEY_MISMATCH};
  entry_out->kid = cx_keyset_kid(keyset, index, &entry_out->kid_len);
  type = cx_key_type_of(item->json);
  if (entry_out->algorithms != 0 && cx_key_read(type, item->json, room, &entry_out->material))
    entry_out->state = cx_key_make(type, &entry_out->material, &key);
  cx_key_clear(&key);
  return true;
}

void cx_keyset_tally(const struct cx_keyset_entry *entry, uint32_t algorithms,
                     struct cortex_key_count *count) {
  bool fits_one = (entry->algorithms & algorithms) != 0;

  if (fits_one && entry->state == CORTEX_OK)
    count->usable++;
  else if (fits_one && entry->state == CORTEX_WEAK_KEY)
    count->weak++;
  else
    count->other++;
}

enum cortex_reason cx_keyset_count(const struct cx_keyset *keyset, uint32_t algorithms,
                                   struct cortex_key_count *count_out) {
  struct cx_keyset_entry entry;
  struct cx_key_room room;
  size_t i;

  *count_out = (struct cortex_key_count){0, 0, 0};
  for (i = 0; cx_keyset_entry(keyset, i, &room, &entry); i++) {
    if (entry.state == CORTEX_INTERNAL)
      return CORTEX_INTERNAL;
    cx_keyset_tally(&entry, algorithms, count_out);
  }
  return CORTEX_OK;
}

static bool is_meant(const struct jwk *item, const struct cx_jws *jws) {
  return jws->kid == NULL ||
         (item->kid != NULL && cx_json_is_text(item->kid, jws->kid, jws->kid_len));
}

/* Takes the prepared key, or makes it. */
static void add_key(struct cx_choice *choice, const struct jwk *item) {
  const struct cx_key_type *type = cx_key_type_of(item->json);
  struct cx_key_material material;
  struct cx_key_room room;

  if (item->key.type != NULL) {
    choice->keys[choice->count++] = &item->key;
    choice->usable++;
  } else if (item->state == CORTEX_WEAK_KEY) {
    choice->weak++;
  } else if (cx_key_read(type, item->json, &room, &material)) {
    cx_choice_add(choice, type, &material);
  }
}

void cx_keyset_choose(const struct cx_keyset *keyset, const struct cx_jws *jws,
                      struct cx_choice *choice) {
  size_t i;

  for (i = 0; i < keyset->count && !cx_choice_is_full(choice); i++) {
    const struct jwk *item = &keyset->items[i];

    if (!is_meant(item, jws))
      continue;
    choice->seen++;
    if (!fits(item, jws->algorithm))
      continue;
    choice->fitting++;
    add_key(choice, item);
  }
}
