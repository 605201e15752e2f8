/*
 * Finds a record and reads it back.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include <cortexauth/audit.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit/reader.h"
#include "audit/stamp.h"
#include "util/json.h"

struct cortex_audit_entry {
  struct cortex_record record; /* its strings live in json, its lists in items */
  const cx_json *json;
  const char **groups;
  const char **policies;
  char *text;
  uint64_t seq;
  uint64_t line;
};

/* ---- reading fields ---- */

static void *member(struct cortex_audit_entry *entry, size_t offset) {
  return (char *)&entry->record + offset;
}

/* False only without memory: a member of another type is taken as absent. */
static bool take_TEXT(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  *(const char **)member(entry, offset) = cx_json_text(value);
  return true;
}

static bool take_NUMBER(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  *(int64_t *)member(entry, offset) = cx_json_integer(value);
  return true;
}

static bool take_MICROS(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  if (cx_json_is_string(value))
    (void)!cx_stamp_parse(cx_json_text(value), member(entry, offset));
  return true;
}

static bool take_SECONDS(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  int64_t micros = 0;

  if (cx_json_is_string(value) && cx_stamp_parse(cx_json_text(value), &micros))
    *(int64_t *)member(entry, offset) = micros / 1000000;
  return true;
}

static bool take_EVENT(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  (void)offset;
  if (cx_json_is_string(value))
    entry->record.event = cortex_event_parse(cx_json_text(value));
  return true;
}

static bool take_DECISION(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  (void)offset;
  if (cx_json_is_string(value) && strcmp(cx_json_text(value), "allow") == 0)
    entry->record.effect = CORTEX_ALLOW;
  return true;
}

static bool take_REASON(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  (void)offset;
  if (cx_json_is_string(value))
    entry->record.reason = cortex_reason_parse(cx_json_text(value));
  return true;
}

static bool take_LEVELS(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  const cx_json *item;
  unsigned level;

  (void)offset;
  for (item = cx_json_items(value); item != NULL; item = item->next)
    for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ASSUME; level <<= 1)
      if (cx_json_is_text(item, cortex_level_name(level), strlen(cortex_level_name(level))))
        entry->record.levels |= level;
  return true;
}

/* The strings of an array, borrowed; NULL without memory. */
static const char **strings_of(const cx_json *value, size_t *count_out) {
  const char **items = calloc(cx_json_count(value) + 1, sizeof *items);
  const cx_json *item = items != NULL ? cx_json_items(value) : NULL;

  for (; item != NULL; item = item->next)
    if (cx_json_is_string(item))
      items[(*count_out)++] = cx_json_text(item);
  return items;
}

static bool take_groups(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  (void)offset;
  entry->groups = strings_of(value, &entry->record.group_count);
  entry->record.groups = entry->groups;
  return entry->groups != NULL;
}

static bool take_policies(struct cortex_audit_entry *entry, const cx_json *value, size_t offset) {
  (void)offset;
  entry->policies = strings_of(value, &entry->record.policy_count);
  entry->record.policies = entry->policies;
  return entry->policies != NULL;
}

static bool take_fields(struct cortex_audit_entry *entry) {
#define FIELD(name, kind, where)                                                                   \
  value = cx_json_get(entry->json, #name);                                                         \
  if (value != NULL && !take_##kind(entry, value, offsetof(struct cortex_record, where)))          \
    return false;
#define LIST(name, items, count) FIELD(name, name, items)
  const cx_json *value;

#include "audit/field_table.h"
#undef LIST
#undef FIELD
  return true;
}

/* ---- finding ---- */

/*
 * Reads the line when its reference is the wanted one.
 *   gives  CORTEX_OK with *entry_out NULL when it is not, or is no record
 */
static enum cortex_reason read_line(const struct cx_line *line, const char *reference,
                                    struct cortex_audit_entry **entry_out,
                                    struct cortex_error *error) {
  struct cortex_audit_entry *entry;
  enum cortex_reason reason;
  struct cx_chain_link link;
  const char *found;

  *entry_out = NULL;
  if (!line->whole || !cx_chain_parse(line->bytes, line->len, &link) ||
      memmem(line->bytes, link.covered, reference, strlen(reference)) == NULL)
    return CORTEX_OK;
  entry = calloc(1, sizeof *entry);
  if (entry == NULL)
    return cx_error_memory(error);
  entry->record.event = CORTEX_EVENTS;
  reason = cx_json_parse("record", line->bytes, line->len, &entry->json, NULL);
  entry->text = strndup(line->bytes, line->len);
  entry->seq = link.seq;
  entry->line = line->number;
  found = cx_json_text(cx_json_get(entry->json, "reference"));
  if (entry->text == NULL || reason == CORTEX_INTERNAL || (found != NULL && !take_fields(entry))) {
    cortex_audit_entry_free(&entry);
    return cx_error_memory(error);
  }
  if (found == NULL || strcmp(found, reference) != 0)
    cortex_audit_entry_free(&entry);
  *entry_out = entry;
  return CORTEX_OK;
}

enum cortex_reason cortex_audit_find(const char *file, const char *reference,
                                     struct cortex_audit_entry **entry_out,
                                     struct cortex_error *error) {
  struct cx_reader reader;
  struct cx_line line;
  enum cortex_reason reason;

  *entry_out = NULL;
  reason = cx_reader_open(file, &reader, error);
  while (reason == CORTEX_OK && *entry_out == NULL) {
    reason = cx_reader_next(&reader, &line, error);
    if (reason != CORTEX_OK || line.total == 0)
      break;
    reason = read_line(&line, reference, entry_out, error);
  }
  cx_reader_close(&reader);
  return reason;
}

void cortex_audit_entry_free(struct cortex_audit_entry **entry) {
  if (entry == NULL || *entry == NULL)
    return;
  cx_json_release((*entry)->json);
  free((*entry)->groups);
  free((*entry)->policies);
  free((*entry)->text);
  free(*entry);
  *entry = NULL;
}

const struct cortex_record *cortex_audit_entry_record(const struct cortex_audit_entry *entry) {
  return &entry->record;
}

uint64_t cortex_audit_entry_seq(const struct cortex_audit_entry *entry) {
  return entry->seq;
}

uint64_t cortex_audit_entry_line(const struct cortex_audit_entry *entry) {
  return entry->line;
}

const char *cortex_audit_entry_text(const struct cortex_audit_entry *entry) {
  return entry->text;
}
