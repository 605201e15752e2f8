/*
 * The databases of a cluster: privileges of group roles on their objects.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "profile.h"
#include "valve.h"

#define LOCK_TIMEOUT 10 /* seconds */

static const char *const verb_names[VERBS] = {"grant", "revoke", "revoke option", "foreign",
                                              "wide",  "absent", "there"};

/* ---- lists ---- */

static bool is_of_cluster(const struct cortex_section *section, const char *label) {
  const char *at = cortex_section_value(section, "cluster");
  size_t len;

  if (at == NULL || label == NULL)
    return true;
  for (; *at != '\0'; at += len + (at[len] == '\n')) {
    len = strcspn(at, "\n");
    if (strlen(label) == len && strncmp(label, at, len) == 0)
      return true;
  }
  return false;
}

bool databases_list(const struct database_run *run, struct database_list *list_out) {
  size_t count = cortex_settings_section_count(run->settings), i;

  *list_out = (struct database_list){calloc(count + 1, sizeof(struct database)), 0};
  for (i = 0; list_out->items != NULL && i < count; i++) {
    const struct cortex_section *section = cortex_settings_section(run->settings, i);
    const char *name = cortex_section_value(section, "name");

    if (strcmp(cortex_section_kind(section), "database") == 0 && is_of_cluster(section, run->label))
      list_out->items[list_out->count++] = (struct database){
          .name = name != NULL ? name : cortex_section_label(section), .section = section};
  }
  return list_out->items != NULL;
}

void databases_clear(struct database_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++)
    PQclear(list->items[i].lines);
  free(list->items);
  *list = (struct database_list){0};
}

const struct database *databases_find(const struct database_list *list, const char *name) {
  size_t i;

  for (i = 0; i < list->count; i++)
    if (strcmp(list->items[i].name, name) == 0)
      return &list->items[i];
  return NULL;
}

bool database_open(const struct database_run *run, const char *name, struct pg **pg_out) {
  const struct pg_setup setup = {run->conninfo, "cortex-sync", run->timeout, LOCK_TIMEOUT, name};

  return pg_open(&setup, pg_out);
}

static void complain(struct database *database, const char *what) {
  cli_complain("database %s: %s", database->name, what);
  database->failed = true;
}

static void complain_pg(struct database *database, const struct pg *pg) {
  char what[1024];

  snprintf(what, sizeof what, "%s%s", pg_message(pg), pg_hint(pg));
  complain(database, what);
}

/* ---- asking ---- */

/* Schemas, creators and rules: the arrays of the question. */
#define ARRAYS 5

static void put_items(struct pg_array *array, const char *items) {
  char item[256];
  size_t len;

  for (; items != NULL && *items != '\0'; items += len + (items[len] == '\n')) {
    len = strcspn(items, "\n");
    snprintf(item, sizeof item, "%.*s", (int)len, items);
    pg_array_put(array, item);
  }
}

static bool send_question(const struct database_run *run, struct model *model,
                          struct database *database, struct pg *pg) {
  struct pg_array arrays[ARRAYS] = {0};
  const char *values[ARRAYS];
  bool fine;
  int i;

  put_items(&arrays[0], cortex_section_value(database->section, "schemas"));
  put_items(&arrays[1], cortex_section_value(database->section, "creators"));
  fine = profile_put_rules(run, database, model, &arrays[2]);
  for (i = 0; i < ARRAYS; i++) {
    values[i] = pg_array_end(&arrays[i]);
    fine = fine && values[i] != NULL;
  }
  fine = fine && pg_send(pg,
                         "SELECT verb, kind, object, part, creator, holder, privilege, name "
                         "FROM cortex.sync_privileges($1, $2, $3, $4, $5)",
                         values, ARRAYS);
  for (i = 0; i < ARRAYS; i++)
    pg_array_clear(&arrays[i]);
  return fine;
}

static void count_lines(struct database *database) {
  int line, lines = PQntuples(database->lines);

  memset(database->counts, 0, sizeof database->counts);
  for (line = 0; line < lines; line++) {
    enum database_verb verb = database_verb(database, line);

    database->counts[verb] +=
        verb == VERB_THERE ? strtoul(database_text(database, line, COLUMN_HOLDER), NULL, 10) : 1;
  }
}

static bool ask(const struct database_run *run, struct model *model, struct database *database,
                struct pg *pg) {
  PQclear(database->lines);
  database->lines = NULL;
  if (!send_question(run, model, database, pg) || !pg_sync(pg) ||
      (database->lines = pg_take(pg)) == NULL || !pg_settle(pg))
    return false;
  count_lines(database);
  return true;
}

/* The valve of what is taken away: as that of memberships. */
static void check_valve(const struct database_run *run, struct database *database) {
  size_t lost = database->counts[VERB_REVOKE] + database->counts[VERB_REVOKE_OPTION];

  if (!run->strict)
    return;
  if (run->allowed != VALVE_NOT_GIVEN)
    database->is_refused = lost > (size_t)run->allowed;
  else
    database->is_refused = valve_is_too_many(lost, database->counts[VERB_THERE]);
}

void database_read(const struct database_run *run, struct model *model, struct database *database) {
  struct pg *pg = NULL;

  if (cortex_section_value(database->section, "schemas") == NULL)
    return;
  if (!database_open(run, database->name, &pg) || !ask(run, model, database, pg))
    complain_pg(database, pg);
  else
    check_valve(run, database);
  pg_close(&pg);
}

/* ---- lines ---- */

const char *database_text(const struct database *database, int line, enum database_column column) {
  return PQgetvalue(database->lines, line, (int)column);
}

enum database_verb database_verb(const struct database *database, int line) {
  const char *name = database_text(database, line, COLUMN_VERB);
  int verb;

  for (verb = 0; verb < VERBS; verb++)
    if (strcmp(verb_names[verb], name) == 0)
      break;
  return verb < VERBS ? (enum database_verb)verb : VERB_ABSENT;
}

bool database_does(const struct database_run *run, enum database_verb verb) {
  return verb == VERB_GRANT || (run->strict && (verb == VERB_REVOKE || verb == VERB_REVOKE_OPTION));
}

static bool are_together(const struct database *database, int left, int right) {
  static const enum database_column same[] = {COLUMN_VERB, COLUMN_KIND,    COLUMN_OBJECT,
                                              COLUMN_PART, COLUMN_CREATOR, COLUMN_HOLDER};
  size_t i;

  for (i = 0; i < sizeof same / sizeof same[0]; i++)
    if (strcmp(database_text(database, left, same[i]), database_text(database, right, same[i])) !=
        0)
      return false;
  return true;
}

int database_next(const struct database *database, int *line, char *privileges, size_t size) {
  int first = *line, lines = PQntuples(database->lines);
  size_t used = 0;

  privileges[0] = '\0';
  if (first >= lines)
    return -1;
  for (; *line < lines && are_together(database, first, *line); ++*line)
    if (used < size)
      used += (size_t)snprintf(privileges + used, size - used, "%s%s", used > 0 ? ", " : "",
                               database_text(database, *line, COLUMN_PRIVILEGE));
  return first;
}

void database_place(const struct database *database, int line, char *text, size_t size) {
  const char *creator = database_text(database, line, COLUMN_CREATOR);
  const char *kind = database_text(database, line, COLUMN_KIND);
  const char *name = database_text(database, line, COLUMN_NAME);

  if (creator[0] != '\0')
    snprintf(text, size, "future %ss of %s in schema %s", kind, creator, name);
  else
    snprintf(text, size, "%s %s", kind, name);
}

size_t database_changes(const struct database_run *run, const struct database *database) {
  size_t count = 0;
  int verb;

  for (verb = 0; verb < VERBS; verb++)
    count += database_does(run, (enum database_verb)verb) ? database->counts[verb] : 0;
  return count;
}

/* ---- changing ---- */

bool database_send(const struct database_run *run, const struct database *database, struct pg *pg) {
  enum { CHANGE_COLUMNS = COLUMN_PRIVILEGE + 1 };
  struct pg_array arrays[CHANGE_COLUMNS] = {0};
  const char *values[CHANGE_COLUMNS];
  int line, column, lines = PQntuples(database->lines);
  bool fine = true;

  for (line = 0; line < lines; line++)
    for (column = 0; database_does(run, database_verb(database, line)) && column < CHANGE_COLUMNS;
         column++)
      pg_array_put(&arrays[column], database_text(database, line, (enum database_column)column));
  for (column = 0; column < CHANGE_COLUMNS; column++) {
    values[column] = pg_array_end(&arrays[column]);
    fine = fine && values[column] != NULL;
  }
  fine = fine && pg_send(pg, "SELECT cortex.change_privileges($1, $2, $3, $4, $5, $6, $7)", values,
                         CHANGE_COLUMNS);
  for (column = 0; column < CHANGE_COLUMNS; column++)
    pg_array_clear(&arrays[column]);
  return fine;
}

static bool change(const struct database_run *run, const struct database *database, struct pg *pg) {
  return pg_send(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) &&
         database_send(run, database, pg) && pg_sync(pg) && pg_skip(pg, 2) && pg_settle(pg);
}

static bool finish(struct pg *pg) {
  return pg_send(pg, "COMMIT", NULL, 0) && pg_sync(pg) && pg_skip(pg, 1) && pg_settle(pg);
}

void database_apply(const struct database_run *run, const struct model *model,
                    struct database *database, const struct database_recorder *recorder) {
  struct database rest = {.name = database->name, .section = database->section};
  struct model scratch = *model; /* what is rejected was said when the rules were read */
  struct pg *pg = NULL;

  scratch.rejections = (struct rejections){0};
  if (!database_open(run, database->name, &pg) || !change(run, database, pg) ||
      !ask(run, &scratch, &rest, pg))
    complain_pg(database, pg);
  else if (database_changes(run, &rest) > 0)
    complain(database, "the privileges are not as they should be after the changes: somebody else "
                       "changes them too; nothing was changed");
  else if (pg_warning(pg) != NULL)
    complain(database, pg_warning(pg));
  else if (!recorder->before(recorder->context, database))
    database->failed = true;
  else if (!finish(pg)) {
    complain_pg(database, pg);
    recorder->undone(recorder->context, database, !pg_lost(pg));
  } else {
    database->is_applied = true;
  }
  PQclear(rest.lines);
  rejections_clear(&scratch.rejections);
  pg_close(&pg);
}
