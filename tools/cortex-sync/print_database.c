/*
 * Privileges and leavers for people and for programs.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "print_database.h"

#include <stdio.h>

#include "common/out.h"

#define PLACE_MAX 1024
#define WHY_MAX 256
#define LIST_MAX 512

/* What is said of lines of each verb: the word, "to" or "of", a remark, and whether always. */
static const struct {
  const char *word;
  const char *joint;
  const char *remark;
  bool always;
} sayings[VERBS] = {
    [VERB_GRANT] = {"grant", "to", "", false},
    [VERB_REVOKE] = {"extra", "of", "; no rule says it: --strict revokes it", true},
    [VERB_REVOKE_OPTION] = {"extra", "of", "; may be passed on: --strict revokes that", true},
    [VERB_FOREIGN] = {"extra", "of", "; not the owner granted it, so it stays", true},
};

static void put_wide(const struct database *database, int line, const char *place) {
  char text[PLACE_MAX + 256];

  snprintf(text, sizeof text, "%s has privileges of %s roles; a table has room for about 2,400",
           place, database_text(database, line, COLUMN_HOLDER));
  cli_flatten(text);
  printf("wide     %s  (database %s)\n", text, database->name);
}

static void put_line(const struct database_run *run, const struct database *database, int line,
                     const char *privileges, bool brief) {
  enum database_verb verb = database_verb(database, line);
  bool revokes = verb != VERB_GRANT && database_does(run, verb);
  char place[PLACE_MAX], text[2 * PLACE_MAX];

  database_place(database, line, place, sizeof place);
  if (verb == VERB_WIDE) {
    put_wide(database, line, place);
    return;
  }
  if (verb == VERB_ABSENT) {
    cli_flatten(place);
    printf("rejected %s - it is not in database %s\n", place, database->name);
    return;
  }
  if (verb == VERB_THERE || (brief && (revokes || !sayings[verb].always)))
    return;
  snprintf(text, sizeof text, "%-9s%s%s on %s %s %s  (database %s%s)",
           revokes ? "revoke" : sayings[verb].word,
           revokes && verb == VERB_REVOKE_OPTION ? "grant option for " : "", privileges, place,
           revokes ? "from" : sayings[verb].joint, database_text(database, line, COLUMN_HOLDER),
           database->name, revokes ? "" : sayings[verb].remark);
  cli_flatten(text);
  puts(text);
}

static void put_database(const struct database_run *run, const struct database *database,
                         bool brief) {
  char privileges[LIST_MAX];
  int line = 0, first;

  while ((first = database_next(database, &line, privileges, sizeof privileges)) >= 0)
    put_line(run, database, first, privileges, brief);
  if (database->is_refused)
    printf("refused  more than 10 %% of the privileges in database %s would be revoked; if that is "
           "right, once: --allow-removals=%zu\n",
           database->name, database->counts[VERB_REVOKE] + database->counts[VERB_REVOKE_OPTION]);
  if (!brief || database->is_applied || database_changes(run, database) > 0)
    printf("database %s: %s: privileges: %zu to grant, %zu that no rule says\n", database->name,
           database->is_applied                   ? "applied"
           : database_changes(run, database) == 0 ? "in sync"
           : database->is_refused                 ? "refused"
                                                  : "differs",
           database->counts[VERB_GRANT],
           database->counts[VERB_REVOKE] + database->counts[VERB_REVOKE_OPTION] +
               database->counts[VERB_FOREIGN]);
}

static void put_leavers(const struct leaver_list *list, bool brief) {
  char text[PLACE_MAX], why[WHY_MAX] = "";
  size_t i;

  for (i = 0; i < list->count; i++) {
    const struct leaver *leaver = &list->items[i];

    if (leaver->why == NULL && brief)
      continue;
    if (leaver->why != NULL)
      leaver_put_why(leaver, why, sizeof why);
    snprintf(text, sizeof text, "%-9s%s%s%s", leaver->why == NULL ? "drop" : "rejected",
             leaver->name,
             leaver->why == NULL ? "" : " - a leaver that stays: ", leaver->why == NULL ? "" : why);
    cli_flatten(text);
    puts(text);
  }
  if (list->is_refused && list->due > 0)
    printf("refused  more than 10 %% of the login roles would be dropped; if that is right, once: "
           "--allow-removals=%zu\n",
           list->due);
}

void print_objects_text(const struct objects *objects, bool brief) {
  size_t i;

  put_leavers(&objects->leavers, brief);
  for (i = 0; i < objects->databases.count; i++)
    if (objects->databases.items[i].lines != NULL)
      put_database(&objects->run, &objects->databases.items[i], brief);
}

/* ---- JSON ---- */

static json_t *line_object(const struct database *database, int line) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "action",
                   out_text(database_text(database, line, COLUMN_VERB)), "role",
                   out_text(database_text(database, line, COLUMN_HOLDER)), "privilege",
                   out_text(database_text(database, line, COLUMN_PRIVILEGE)), "kind",
                   out_text(database_text(database, line, COLUMN_KIND)), "object",
                   out_text(database_text(database, line, COLUMN_NAME)), "creator",
                   out_text(database_text(database, line, COLUMN_CREATOR)));
}

static json_t *database_object(const struct database_run *run, const struct database *database) {
  json_t *lines = json_array();
  int line, count = PQntuples(database->lines);

  for (line = 0; line < count; line++)
    if (database_verb(database, line) != VERB_THERE)
      json_array_append_new(lines, line_object(database, line));
  return json_pack("{s:s, s:b, s:b, s:b, s:I, s:o}", "database", database->name, "in_sync",
                   database_changes(run, database) == 0, "applied", database->is_applied, "refused",
                   database->is_refused, "privileges", (json_int_t)database->counts[VERB_THERE],
                   "lines", lines);
}

void print_objects_json(const struct objects *objects, json_t *object) {
  json_t *databases = json_array(), *leavers = json_array();
  char why[WHY_MAX];
  size_t i;

  for (i = 0; i < objects->databases.count; i++)
    if (objects->databases.items[i].lines != NULL)
      json_array_append_new(databases,
                            database_object(&objects->run, &objects->databases.items[i]));
  for (i = 0; i < objects->leavers.count; i++) {
    const struct leaver *leaver = &objects->leavers.items[i];

    if (leaver->why != NULL)
      leaver_put_why(leaver, why, sizeof why);
    json_array_append_new(leavers, json_pack("{s:o, s:b, s:o}", "role", out_text(leaver->name),
                                             "dropped", leaver->is_dropped, "stays",
                                             leaver->why != NULL ? out_text(why) : json_null()));
  }
  json_object_set_new(object, "databases", databases);
  json_object_set_new(object, "leavers", leavers);
}
