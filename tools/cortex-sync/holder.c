/*
 * Roles that cannot be changed, because somebody has changed them and not said how that ends.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "holder.h"

#include <string.h>
#include <time.h>

#define TRIES 5 /* a fifth of a second apart */

bool holder_matters(const struct plan *plan) {
  return plan->cut.count + plan->restore.count + plan->adopt.count + plan->rename.count +
             plan->attributes.count >
         0;
}

static void put_roles(struct pg_array *names, const struct model *model,
                      const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++)
    pg_array_put(names, names_text(&model->names, list->items[i]));
}

void holder_put_names(const struct model *model, const struct plan *plan, struct pg_array *names) {
  size_t i;

  put_roles(names, model, &plan->cut);
  put_roles(names, model, &plan->restore);
  put_roles(names, model, &plan->adopt);
  for (i = 0; i < plan->rename.count; i++)
    pg_array_put(names, names_text(&model->names, plan->rename.items[i].member));
  for (i = 0; i < plan->attributes.count; i++)
    pg_array_put(
        names, names_text(&model->names, model->attributes.items[plan->attributes.items[i]].role));
}

static bool send(struct pg *pg, const struct model *model, const struct plan *plan) {
  struct pg_array names = {0};
  const char *value;
  bool fine;

  holder_put_names(model, plan, &names);
  value = pg_array_end(&names);
  fine = value != NULL && pg_send(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) &&
         pg_send(pg, "SELECT name, holder FROM cortex.sync_holders($1)", &value, 1) &&
         pg_send(pg, "COMMIT", NULL, 0) && pg_sync(pg);
  pg_array_clear(&names);
  return fine;
}

bool holder_read_row(struct model *model, const PGresult *rows, int row, struct role **role_out,
                     uint32_t *number_out) {
  const char *name = PQgetvalue(rows, row, 0), *text = PQgetvalue(rows, row, 1);
  uint32_t found = names_find(&model->names, name, strlen(name));

  *role_out = found != NAMES_NONE ? &model->roles[found] : NULL;
  *number_out = names_put(&model->holders, text, strlen(text));
  return *number_out != NAMES_NONE;
}

static bool take(struct pg *pg, struct model *model, bool *found_out) {
  struct role *role;
  PGresult *result;
  uint32_t number;
  bool fine;
  int row;

  if (!pg_skip(pg, 1) || (result = pg_take(pg)) == NULL)
    return false;
  fine = pg_skip(pg, 1) && pg_settle(pg);
  for (row = 0; fine && row < PQntuples(result); row++) {
    fine = holder_read_row(model, result, row, &role, &number);
    if (fine && role != NULL)
      role->holder = number;
  }
  *found_out = PQntuples(result) > 0;
  PQclear(result);
  return fine;
}

static void let_go(struct model *model) {
  uint32_t i;

  for (i = 0; i < model->names.count; i++)
    model->roles[i].holder = 0;
}

bool holder_find(struct sync *sync, bool *found_out) {
  const struct timespec moment = {0, 200 * 1000 * 1000};
  bool fine = true;
  int tries;

  *found_out = true;
  for (tries = 0; fine && *found_out && tries < TRIES; tries++) {
    if (tries > 0)
      nanosleep(&moment, NULL);
    let_go(&sync->model);
    fine = send(sync->pg, &sync->model, &sync->plan) && take(sync->pg, &sync->model, found_out);
  }
  return fine;
}
