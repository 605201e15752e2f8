/*
 * Leavers whose grace time is over: what they own gets another owner, and the role goes.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "leaver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "valve.h"

#define PACK 1000 /* leavers of one statement: each is a lock */

/* ---- who is due ---- */

/* Whom the directory names again, or cannot be asked about, is nobody's leaver. */
static const char *find_name(const struct model *model, const char *name) {
  uint32_t number = names_find(&model->names, name, strlen(name));
  const struct role *role = number != NAMES_NONE ? &model->roles[number] : NULL;

  return role != NULL && role->kind == ROLE_LOGIN && role->wish == WISH_NONE && !role->is_frozen &&
                 !role->can_login
             ? names_text(&model->names, number)
             : NULL;
}

static void stay(struct leaver *leaver, const char *why, const char *place) {
  if (leaver->why != NULL)
    return;
  leaver->why = why;
  snprintf(leaver->place, sizeof leaver->place, "%s", place);
}

void leaver_put_why(const struct leaver *leaver, char *text, size_t size) {
  snprintf(text, size, "%s%s%s%s", leaver->why, leaver->place[0] != '\0' ? " (database " : "",
           leaver->place, leaver->place[0] != '\0' ? ")" : "");
}

static void judge(struct leaver *leaver, const struct holding *holding, const char *name) {
  if (holding->database == NULL)
    stay(leaver, "owns something or has a privilege in a database that no [database] section names",
         name);
  else if (holding->owns &&
           cortex_section_value(holding->database->section, "leaver_owner") == NULL)
    stay(leaver, "owns something in a database whose section has no leaver_owner", name);
}

static bool take(const PGresult *result, const struct model *model,
                 const struct database_list *databases, struct leaver_list *list) {
  int row, rows = PQntuples(result);

  list->items = calloc((size_t)rows + 1, sizeof *list->items);
  list->holdings = calloc((size_t)rows + 1, sizeof *list->holdings);
  if (list->items == NULL || list->holdings == NULL)
    return false;
  for (row = 0; row < rows; row++) {
    const char *name = find_name(model, PQgetvalue(result, row, 0));
    struct holding *holding = &list->holdings[list->holding_count];

    if (name == NULL)
      continue;
    if (list->count == 0 || list->items[list->count - 1].name != name)
      list->items[list->count++] = (struct leaver){.name = name};
    if (PQgetisnull(result, row, 1))
      continue;
    *holding =
        (struct holding){list->count - 1, databases_find(databases, PQgetvalue(result, row, 1)),
                         PQgetvalue(result, row, 2)[0] == 't'};
    list->holding_count++;
    judge(&list->items[list->count - 1], holding, PQgetvalue(result, row, 1));
  }
  return true;
}

static size_t count_logins(const struct model *model) {
  size_t count = 0;
  uint32_t i;

  for (i = 0; i < model->names.count; i++)
    count += model->roles[i].kind == ROLE_LOGIN;
  return count;
}

static void count_due(const struct database_run *run, const struct model *model,
                      struct leaver_list *list) {
  size_t i;

  list->due = 0;
  for (i = 0; i < list->count; i++)
    list->due += list->items[i].why == NULL;
  list->is_refused = run->allowed != VALVE_NOT_GIVEN
                         ? list->due > (size_t)run->allowed
                         : valve_is_too_many(list->due, count_logins(model));
}

bool leavers_read(const struct database_run *run, const struct model *model,
                  const struct database_list *databases, const char *grace, struct pg *pg,
                  struct leaver_list *list_out) {
  PGresult *result;
  int64_t seconds;
  char text[32];
  const char *value = text;
  bool fine;

  *list_out = (struct leaver_list){0};
  if (grace == NULL || !cortex_duration_parse(grace, &seconds))
    return true;
  snprintf(text, sizeof text, "%lld s", (long long)seconds);
  if (!pg_send(pg, "SELECT name, database, owns FROM cortex.sync_leavers($1)", &value, 1) ||
      !pg_sync(pg))
    return false;
  result = pg_take(pg);
  fine = result != NULL && take(result, model, databases, list_out) && pg_settle(pg);
  PQclear(result);
  count_due(run, model, list_out);
  return fine;
}

void leavers_clear(struct leaver_list *list) {
  free(list->items);
  free(list->holdings);
  *list = (struct leaver_list){0};
}

/* ---- holding ---- */

static bool is_named(const PGresult *result, const char *name) {
  int row, rows = PQntuples(result);

  for (row = 0; row < rows; row++)
    if (strcmp(PQgetvalue(result, row, 0), name) == 0)
      return true;
  return false;
}

static bool send_hold(struct pg *pg, const struct leaver_list *list) {
  struct pg_array names = {0};
  const char *value;
  bool fine;
  size_t i;

  for (i = 0; i < list->count; i++)
    if (list->items[i].why == NULL)
      pg_array_put(&names, list->items[i].name);
  value = pg_array_end(&names);
  fine = value != NULL && pg_send(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) &&
         pg_send(pg, "SELECT name FROM cortex.hold_leavers($1)", &value, 1) && pg_sync(pg);
  pg_array_clear(&names);
  return fine;
}

bool leavers_hold(struct pg *pg, struct leaver_list *list) {
  PGresult *result;
  bool fine;
  size_t i;

  if (!send_hold(pg, list) || !pg_skip(pg, 1))
    return false;
  result = pg_take(pg);
  fine = result != NULL && pg_settle(pg);
  for (i = 0; fine && i < list->count; i++)
    if (!is_named(result, list->items[i].name))
      stay(&list->items[i], "logs in again", "");
  PQclear(result);
  return fine;
}

/* ---- handing over ---- */

/* The leavers of one database that can go; with owner those that own something, else the rest. */
static size_t put_names(const struct leaver_list *list, const struct database *database, bool owns,
                        struct pg_array *names) {
  size_t i, count = 0;

  for (i = 0; i < list->holding_count; i++) {
    const struct holding *holding = &list->holdings[i];

    if (holding->database != database || holding->owns != owns ||
        list->items[holding->leaver].why != NULL)
      continue;
    pg_array_put(names, list->items[holding->leaver].name);
    count++;
  }
  return count;
}

static void hold_back(struct leaver_list *list, const struct database *database) {
  size_t i;

  for (i = 0; i < list->holding_count; i++)
    if (list->holdings[i].database == database)
      stay(&list->items[list->holdings[i].leaver], "what it owns could not be handed over",
           database->name);
}

static bool send_release(const struct leaver_list *list, const struct database *database, bool owns,
                         struct pg *pg, size_t *sent) {
  struct pg_array names = {0};
  const char *values[2] = {NULL, NULL};
  bool fine = true;

  if (put_names(list, database, owns, &names) > 0) {
    ++*sent;
    values[0] = pg_array_end(&names);
    values[1] = owns ? cortex_section_value(database->section, "leaver_owner") : NULL;
    fine = values[0] != NULL && pg_send(pg, "SELECT cortex.release_leavers($1, $2)", values, 2);
  }
  pg_array_clear(&names);
  return fine;
}

size_t leavers_left(const struct leaver_list *list) {
  size_t i, left = 0;

  for (i = 0; i < list->count; i++)
    left += !list->items[i].is_dropped;
  return left;
}

bool leavers_are_in(const struct leaver_list *list, const struct database *database) {
  size_t i;

  for (i = 0; i < list->holding_count; i++)
    if (list->holdings[i].database == database && list->items[list->holdings[i].leaver].why == NULL)
      return true;
  return false;
}

bool leavers_send_release(const struct leaver_list *list, const struct database *database,
                          struct pg *pg, size_t *sent) {
  *sent += 2;
  return pg_send(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) &&
         send_release(list, database, true, pg, sent) &&
         send_release(list, database, false, pg, sent) && pg_send(pg, "COMMIT", NULL, 0);
}

static bool release(const struct database_run *run, const struct leaver_list *list,
                    const struct database *database) {
  struct pg *pg = NULL;
  size_t sent = 0;
  bool fine = database_open(run, database->name, &pg) &&
              leavers_send_release(list, database, pg, &sent) && pg_sync(pg) && pg_skip(pg, sent) &&
              pg_settle(pg);

  if (!fine)
    cli_complain("database %s: leavers could not be released: %s%s", database->name, pg_message(pg),
                 pg_hint(pg));
  pg_close(&pg);
  return fine;
}

bool leavers_release(const struct database_run *run, struct leaver_list *list) {
  const struct database *database;
  bool fine = true;
  size_t i, j;

  for (i = 0; i < list->holding_count; i++) {
    database = list->holdings[i].database;
    for (j = 0; j < i && list->holdings[j].database != database; j++)
      ;
    if (j < i || database == NULL || !leavers_are_in(list, database))
      continue; /* done already, or nothing can be */
    if (!release(run, list, database)) {
      hold_back(list, database);
      fine = false;
    }
  }
  return fine;
}

/* ---- dropping ---- */

bool leavers_send_drop(const struct leaver_list *list, struct pg *pg, size_t *sent) {
  struct pg_array names = {0};
  const char *value;
  size_t i, count = 0;
  bool fine = true;

  for (i = 0; fine && i <= list->count; i++) {
    if (i < list->count && list->items[i].why == NULL) {
      pg_array_put(&names, list->items[i].name);
      count++;
    }
    if (count == 0 || (count < PACK && i < list->count))
      continue;
    ++*sent;
    value = pg_array_end(&names);
    fine = value != NULL && pg_send(pg, "SELECT name FROM cortex.drop_leavers($1)", &value, 1);
    pg_array_clear(&names);
    count = 0;
  }
  return fine;
}

static void mark(struct leaver_list *list, const char *name) {
  size_t i;

  for (i = 0; i < list->count; i++)
    if (strcmp(list->items[i].name, name) == 0)
      list->items[i].is_dropped = true;
}

bool leavers_drop(struct pg *pg, struct leaver_list *list) {
  size_t sent = 0, i;
  bool fine = leavers_send_drop(list, pg, &sent) && pg_sync(pg);

  for (i = 0; fine && i < sent; i++) {
    PGresult *result = pg_take(pg);
    int row;

    fine = result != NULL;
    for (row = 0; fine && row < PQntuples(result); row++)
      mark(list, PQgetvalue(result, row, 0));
    PQclear(result);
  }
  fine = fine && pg_settle(pg);
  for (i = 0; fine && i < list->count; i++)
    if (!list->items[i].is_dropped)
      stay(&list->items[i], "something still depends on it", "");
  return fine;
}
