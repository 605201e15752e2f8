/*
 * Roles of sessions that are gone: which of them somebody dropped.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "dropped.h"

#include <string.h>

void dropped_put(struct dropped *dropped, const char *role) {
  if (strchr(role, '/') != NULL)
    return;
  pg_array_put(&dropped->names, role);
  dropped->count++;
}

void dropped_clear(struct dropped *dropped) {
  pg_array_clear(&dropped->names);
  *dropped = (struct dropped){.count = 0};
}

static bool is_missing(const char *role, void *context) {
  const PGresult *missing = context;
  int row, rows = PQntuples(missing);

  for (row = 0; row < rows; row++)
    if (strcmp(PQgetvalue(missing, row, 0), role) == 0)
      return true;
  return false;
}

bool dropped_distrust(struct dropped *dropped, const struct cortex_settings *settings,
                      struct pg *pg, struct cortex_error *error) {
  const char *names = dropped->count > 0 ? pg_array_end(&dropped->names) : NULL;
  PGresult *missing = NULL;
  bool fine;

  if (names == NULL)
    return true;
  fine = pg_send(pg,
                 "SELECT DISTINCT n.name FROM unnest($1::text[]) AS n(name) "
                 "WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = n.name)",
                 &names, 1) &&
         pg_sync(pg) && (missing = pg_take(pg)) != NULL && pg_settle(pg);
  if (fine && PQntuples(missing) > 0)
    (void)!cortex_session_distrust(settings, is_missing, missing, error);
  PQclear(missing);
  return fine;
}
