/*
 * What comes behind the roles: privileges in the databases, and leavers who are due.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "objects.h"

static bool judge_record(const struct objects *objects, enum cortex_reason reason,
                         const struct cortex_error *error) {
  if (reason == CORTEX_OK)
    return true;
  cli_complain_error(error);
  return !objects->needs_record;
}

static bool record_database(void *context, const struct database *database) {
  const struct objects *objects = context;
  struct cortex_error error = CORTEX_ERROR_NONE;

  return judge_record(objects, record_privileges(objects->record, &objects->run, database, &error),
                      &error);
}

static void record_undone_database(void *context, const struct database *database, bool is_known) {
  const struct objects *objects = context;
  struct cortex_error error = CORTEX_ERROR_NONE;

  judge_record(
      objects,
      record_undone(objects->record, "changes to privileges", database->name, is_known, &error),
      &error);
}

static bool run_databases(struct objects *objects, struct model *model, bool apply) {
  bool fine = true;
  size_t i;

  for (i = 0; i < objects->databases.count; i++) {
    struct database *database = &objects->databases.items[i];

    database_read(&objects->run, model, database);
    if (apply && !database->failed && !database->is_refused &&
        database_changes(&objects->run, database) > 0)
      database_apply(&objects->run, model, database,
                     &(struct database_recorder){record_database, record_undone_database, objects});
    fine = fine && !database->failed;
  }
  return fine;
}

/* The roles go last: whatever fails before leaves them there, cut off, for the next run. */
static bool drop_leavers(struct objects *objects, struct pg *pg) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  bool released = false, held = leavers_hold(pg, &objects->leavers);

  if (held)
    released = leavers_release(&objects->run, &objects->leavers);
  if (!held || !leavers_drop(pg, &objects->leavers)) {
    cli_complain("database: %s", pg_message(pg));
    return false;
  }
  if (!judge_record(objects, record_dropped(objects->record, &objects->leavers, &error), &error)) {
    cli_complain("the drops could not be recorded; no role was dropped");
    return false;
  }
  if (pg_send(pg, "COMMIT", NULL, 0) && pg_sync(pg) && pg_skip(pg, 1) && pg_settle(pg))
    return released;
  cli_complain("database: %s", pg_message(pg));
  judge_record(objects, record_undone(objects->record, "drops", NULL, !pg_lost(pg), &error),
               &error);
  return false;
}

enum cli_exit objects_run(struct objects *objects, struct model *model, const char *grace,
                          struct pg *pg, bool apply) {
  bool fine = true;

  if (!databases_list(&objects->run, &objects->databases)) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  if (!leavers_read(&objects->run, model, &objects->databases, grace, pg, &objects->leavers)) {
    cli_complain("database: %s", pg_message(pg));
    fine = false;
  } else if (apply && objects->leavers.due > 0 && !objects->leavers.is_refused) {
    fine = drop_leavers(objects, pg);
  }
  return run_databases(objects, model, apply) && fine ? CLI_DONE : CLI_OUTSIDE;
}

void objects_clear(struct objects *objects) {
  databases_clear(&objects->databases);
  leavers_clear(&objects->leavers);
}

bool objects_are_refused(const struct objects *objects) {
  bool refused = objects->leavers.due > 0 && objects->leavers.is_refused;
  size_t i;

  for (i = 0; i < objects->databases.count; i++)
    refused = refused || objects->databases.items[i].is_refused;
  return refused;
}

bool objects_are_in_sync(const struct objects *objects) {
  size_t i, count = objects->leavers.due;

  for (i = 0; i < objects->databases.count; i++)
    count += database_changes(&objects->run, &objects->databases.items[i]);
  return count == 0;
}

size_t objects_left(const struct objects *objects, size_t *extra_out) {
  size_t i, left = 0;

  *extra_out = 0;
  for (i = 0; i < objects->databases.count; i++) {
    const struct database *database = &objects->databases.items[i];
    size_t extra = database->counts[VERB_REVOKE] + database->counts[VERB_REVOKE_OPTION];

    left += database->is_applied ? 0 : database_changes(&objects->run, database);
    *extra_out +=
        database->counts[VERB_FOREIGN] + (database->is_applied && objects->run.strict ? 0 : extra);
  }
  return left;
}

size_t objects_rejected(const struct objects *objects) {
  size_t i, count = 0;

  for (i = 0; i < objects->leavers.count; i++)
    count += objects->leavers.items[i].why != NULL;
  for (i = 0; i < objects->databases.count; i++)
    count += objects->databases.items[i].counts[VERB_ABSENT];
  return count;
}
