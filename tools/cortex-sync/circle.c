/*
 * Roles that cannot be given a group because it is, directly or not, a member of theirs.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "circle.h"

#include "holder.h"

static bool send(struct pg *pg, const struct model *model, const struct plan *plan) {
  struct pg_array members = {0}, groups = {0};
  const char *values[2];
  bool fine;
  size_t i;

  for (i = 0; i < plan->grant.count; i++) {
    pg_array_put(&members, names_text(&model->names, plan->grant.items[i].member));
    pg_array_put(&groups, names_text(&model->names, plan->grant.items[i].role));
  }
  values[0] = pg_array_end(&members);
  values[1] = pg_array_end(&groups);
  fine = values[0] != NULL && values[1] != NULL &&
         pg_send(pg, "SELECT name, mend FROM cortex.sync_circles($1, $2)", values, 2) &&
         pg_sync(pg);
  pg_array_clear(&members);
  pg_array_clear(&groups);
  return fine;
}

bool circle_find(struct sync *sync) {
  struct model *model = &sync->model;
  struct role *role;
  PGresult *result;
  uint32_t number;
  bool fine;
  int row;

  if (!send(sync->pg, model, &sync->plan) || (result = pg_take(sync->pg)) == NULL)
    return false;
  fine = pg_settle(sync->pg);
  for (row = 0; fine && row < PQntuples(result); row++) {
    fine = holder_read_row(model, result, row, &role, &number);
    if (fine && role != NULL)
      role->circle = number;
  }
  PQclear(result);
  return fine;
}
