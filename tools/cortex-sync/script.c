/*
 * A plan as an SQL script: the statements that --apply would send.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "script.h"

#include <stdio.h>

#include "apply.h"

/* psql takes the name between double quotes, where a quote is doubled. */
static void put_connect(const char *database) {
  fputs("\n\\connect \"", stdout);
  for (; *database != '\0'; database++) {
    if (*database == '"')
      putchar('"');
    putchar(*database == '\n' ? ' ' : *database);
  }
  fputs("\"\n", stdout);
}

static bool put_roles(struct pg *script, const struct model *model, const struct plan *plan,
                      const char *digest) {
  size_t sent = 0;

  return plan_is_empty(plan) ||
         (apply_send(script, model, plan, &sent) && apply_send_end(script, model, plan) &&
          pg_send(script, "SELECT cortex.sync_done($1)", &digest, 1) &&
          pg_send(script, "COMMIT", NULL, 0));
}

static bool put_database(struct pg *script, const struct objects *objects,
                         const struct database *database) {
  if (database->lines == NULL || database_changes(&objects->run, database) == 0)
    return true;
  put_connect(database->name);
  return pg_send(script, "BEGIN", NULL, 0) && database_send(&objects->run, database, script) &&
         pg_send(script, "COMMIT", NULL, 0);
}

static bool put_leavers(struct pg *script, const struct objects *objects, const char *home) {
  const struct database_list *databases = &objects->databases;
  size_t i, sent = 0;

  if (objects->leavers.due == 0)
    return true;
  for (i = 0; i < databases->count; i++) {
    if (!leavers_are_in(&objects->leavers, &databases->items[i]))
      continue;
    put_connect(databases->items[i].name);
    if (!leavers_send_release(&objects->leavers, &databases->items[i], script, &sent))
      return false;
  }
  put_connect(home);
  return pg_send(script, "BEGIN", NULL, 0) && leavers_send_drop(&objects->leavers, script, &sent) &&
         pg_send(script, "COMMIT", NULL, 0);
}

bool script_print(const struct model *model, const struct plan *plan, const struct objects *objects,
                  const char *home, const char *digest) {
  struct pg *script = pg_script(stdout);
  bool fine = script != NULL;
  size_t i;

  fputs("\\set ON_ERROR_STOP on\n\\encoding UTF8\n", stdout);
  put_connect(home);
  fine = fine && put_roles(script, model, plan, digest) && put_leavers(script, objects, home);
  for (i = 0; fine && i < objects->databases.count; i++)
    fine = put_database(script, objects, &objects->databases.items[i]);
  pg_close(&script);
  return fflush(stdout) == 0 && fine;
}
