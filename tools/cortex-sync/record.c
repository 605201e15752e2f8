/*
 * One audit record for each change.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 512

/* Records on their way, and the texts that they need until they are written. */
struct batch {
  const struct record_run *run;
  struct cortex_error *error;
  enum cortex_reason reason;
  size_t count;
  struct cortex_record records[CORTEX_AUDIT_BATCH];
  char services[CORTEX_AUDIT_BATCH][TEXT_MAX];
  char policies[CORTEX_AUDIT_BATCH][TEXT_MAX];
  char reasons[CORTEX_AUDIT_BATCH][TEXT_MAX];
  const char *policy_at[CORTEX_AUDIT_BATCH];
};

bool record_reference(char *reference) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[CORTEX_REFERENCE_LEN / 2];
  size_t i;

  if (getentropy(bytes, sizeof bytes) != 0)
    return false;
  for (i = 0; i < sizeof bytes; i++) {
    reference[2 * i] = digits[bytes[i] >> 4];
    reference[2 * i + 1] = digits[bytes[i] & 15];
  }
  reference[2 * sizeof bytes] = '\0';
  return true;
}

static void flush(struct batch *batch) {
  if (batch->count == 0 || batch->reason != CORTEX_OK)
    return;
  batch->reason = cortex_audit_append_all(batch->run->options, batch->records, batch->count,
                                          cortex_clock_system(), 0, batch->error);
  batch->count = 0;
}

/* Room for one more record, with what all of the run have in common. */
static struct cortex_record *next(struct batch *batch, enum cortex_event event) {
  struct cortex_record *record;

  if (batch->count == CORTEX_AUDIT_BATCH)
    flush(batch);
  if (batch->reason != CORTEX_OK)
    return NULL;
  record = &batch->records[batch->count++];
  *record = (struct cortex_record){.event = event,
                                   .reference = batch->run->reference,
                                   .host = batch->run->host,
                                   .database = batch->run->database,
                                   .policy_digest = batch->run->policy_digest};
  return record;
}

static void put_roles(struct batch *batch, enum cortex_event event, const struct model *model,
                      const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++) {
    struct cortex_record *record = next(batch, event);

    if (record != NULL)
      record->role = names_text(&model->names, list->items[i]);
  }
}

/* The role by its new name; the old one is the detail. */
static void put_renames(struct batch *batch, const struct model *model, const struct edges *list) {
  size_t i;

  for (i = 0; i < list->count; i++) {
    struct cortex_record *record = next(batch, CORTEX_EVENT_ROLE_RENAMED);

    if (record == NULL)
      return;
    record->role = names_text(&model->names, list->items[i].role);
    record->detail = names_text(&model->names, list->items[i].member);
  }
}

static const char *copy_part(const struct model *model, uint32_t source, enum source_part part,
                             char *text) {
  int len;
  const char *at = source_part(model, source, part, &len);
  size_t kept = (size_t)len < TEXT_MAX ? (size_t)len : TEXT_MAX - 1;

  memcpy(text, at, kept);
  text[kept] = '\0';
  return text[0] != '\0' ? text : NULL;
}

static unsigned level_of(const char *name) {
  unsigned level;

  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ADMIN; level <<= 1)
    if (strcmp(cortex_level_name(level), name) == 0)
      return level;
  return 0;
}

/* Service, level and policy that a membership is due to: the first of them. */
static void put_source(struct batch *batch, const struct model *model, uint32_t source,
                       struct cortex_record *record) {
  size_t at = (size_t)(record - batch->records);
  char level[TEXT_MAX];

  record->service = copy_part(model, source, SOURCE_SERVICE, batch->services[at]);
  record->detail = copy_part(model, source, SOURCE_REASON, batch->reasons[at]);
  if (copy_part(model, source, SOURCE_LEVEL, level) != NULL)
    record->levels = level_of(level);
  batch->policy_at[at] = copy_part(model, source, SOURCE_POLICY, batch->policies[at]);
  if (batch->policy_at[at] != NULL) {
    record->policies = &batch->policy_at[at];
    record->policy_count = 1;
  }
}

/* why: sorted edges with sources, among which those of the same role and member are looked up. */
static void put_edges(struct batch *batch, enum cortex_event event, const struct model *model,
                      const struct edges *edges, const struct edges *why) {
  size_t i, at = 0;

  for (i = 0; i < edges->count; i++) {
    const struct edge *edge = &edges->items[i];
    struct cortex_record *record = next(batch, event);

    if (record == NULL)
      return;
    record->role = names_text(&model->names, edge->member);
    record->grant = names_text(&model->names, edge->role);
    edges_seek(why, &at, (struct edge){edge->role, edge->member, 0});
    if (at < why->count && why->items[at].role == edge->role &&
        why->items[at].member == edge->member)
      put_source(batch, model, why->items[at].source, record);
  }
}

static void put_attributes(struct batch *batch, const struct model *model,
                           const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++) {
    const struct attribute *attribute = &model->attributes.items[list->items[i]];
    struct cortex_record *record = next(batch, CORTEX_EVENT_ROLE_CHANGED);

    if (record == NULL)
      return;
    record->role = names_text(&model->names, attribute->role);
    record->detail = batch->reasons[record - batch->records];
    snprintf(batch->reasons[record - batch->records], TEXT_MAX, "%s = %s",
             names_text(&model->words, attribute->key),
             names_text(&model->words, attribute->value));
  }
}

static enum cortex_reason finish(struct batch *batch) {
  enum cortex_reason reason;

  flush(batch);
  reason = batch->reason;
  free(batch);
  return reason;
}

static struct batch *start(const struct record_run *run, struct cortex_error *error) {
  struct batch *batch = calloc(1, sizeof *batch);

  if (batch != NULL) {
    batch->run = run;
    batch->error = error;
  }
  return batch;
}

enum cortex_reason record_plan(const struct record_run *run, const struct model *model,
                               const struct plan *plan, struct cortex_error *error) {
  struct batch *batch = start(run, error);

  if (batch == NULL)
    return CORTEX_INTERNAL;
  put_renames(batch, model, &plan->rename);
  put_edges(batch, CORTEX_EVENT_REVOKED, model, &plan->revoke, &plan->forget);
  put_edges(batch, CORTEX_EVENT_REVOKED, model, &plan->cut_edges, &plan->forget);
  put_roles(batch, CORTEX_EVENT_ROLE_CUT, model, &plan->cut);
  put_roles(batch, CORTEX_EVENT_ROLE_CREATED, model, &plan->groups);
  put_roles(batch, CORTEX_EVENT_ROLE_CREATED, model, &plan->logins);
  put_roles(batch, CORTEX_EVENT_ROLE_ADOPTED, model, &plan->adopt);
  put_roles(batch, CORTEX_EVENT_ROLE_RESTORED, model, &plan->restore);
  put_edges(batch, CORTEX_EVENT_GRANTED, model, &plan->grant, &model->wanted_why);
  put_attributes(batch, model, &plan->attributes);
  return finish(batch);
}

enum cortex_reason record_ended(const struct record_run *run, const struct model *model,
                                const struct ended_list *ended, struct cortex_error *error) {
  struct batch *batch = start(run, error);
  size_t i;

  if (batch == NULL)
    return CORTEX_INTERNAL;
  for (i = 0; i < ended->count; i++) {
    struct cortex_record *record = next(batch, CORTEX_EVENT_SESSION_ENDED);

    if (record == NULL)
      break;
    record->role = model_name(model, ended->items[i].role);
    record->pid = ended->items[i].pid;
    record->backend_start = ended->items[i].started;
  }
  return finish(batch);
}

static void put_privileges(struct batch *batch, const struct database *database, int line,
                           const char *privileges) {
  struct cortex_record *record =
      next(batch, database_verb(database, line) == VERB_GRANT ? CORTEX_EVENT_PRIVILEGE_GRANTED
                                                              : CORTEX_EVENT_PRIVILEGE_REVOKED);
  char place[TEXT_MAX];
  char *detail;

  if (record == NULL)
    return;
  detail = batch->reasons[record - batch->records];
  database_place(database, line, place, sizeof place);
  snprintf(detail, TEXT_MAX, "%.200s%s on %.250s", privileges,
           database_verb(database, line) == VERB_REVOKE_OPTION ? " (to be passed on)" : "", place);
  record->role = database_text(database, line, COLUMN_HOLDER);
  record->database = database->name;
  record->detail = detail;
}

enum cortex_reason record_privileges(const struct record_run *run, const struct database_run *how,
                                     const struct database *database, struct cortex_error *error) {
  struct batch *batch = start(run, error);
  char privileges[TEXT_MAX];
  int line = 0, first;

  if (batch == NULL)
    return CORTEX_INTERNAL;
  while ((first = database_next(database, &line, privileges, sizeof privileges)) >= 0)
    if (database_does(how, database_verb(database, first)))
      put_privileges(batch, database, first, privileges);
  return finish(batch);
}

enum cortex_reason record_dropped(const struct record_run *run, const struct leaver_list *list,
                                  struct cortex_error *error) {
  struct batch *batch = start(run, error);
  size_t i;

  if (batch == NULL)
    return CORTEX_INTERNAL;
  for (i = 0; i < list->count; i++) {
    struct cortex_record *record =
        list->items[i].is_dropped ? next(batch, CORTEX_EVENT_ROLE_DROPPED) : NULL;

    if (record != NULL)
      record->role = list->items[i].name;
  }
  return finish(batch);
}

enum cortex_reason record_undone(const struct record_run *run, const char *what,
                                 const char *database, bool is_known, struct cortex_error *error) {
  struct batch *batch = start(run, error);
  struct cortex_record *record;
  char detail[128];

  if (batch == NULL)
    return CORTEX_INTERNAL;
  record = next(batch, is_known ? CORTEX_EVENT_SYNC_UNDONE : CORTEX_EVENT_SYNC_UNKNOWN);
  if (record != NULL) {
    snprintf(detail, sizeof detail,
             is_known ? "the last %s under this reference were rolled back"
                      : "whether the last %s under this reference were made is not known",
             what);
    record->detail = detail;
    record->database = database != NULL ? database : record->database;
  }
  return finish(batch);
}
