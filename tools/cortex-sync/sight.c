/*
 * What the server shows a reaper: the sessions that must end, and where it looks for their stamps.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sight.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "alive.h"
#include "common/cli.h"

/* NULL: the server did not answer. */
static PGresult *ask(struct pg *pg, const char *question) {
  PGresult *answer = NULL;

  if (pg_send(pg, question, NULL, 0) && pg_sync(pg) && (answer = pg_take(pg)) != NULL &&
      pg_settle(pg))
    return answer;
  PQclear(answer);
  return NULL;
}

/* The server, and its extension beforehand: a call that is not there would cost the connection, and
 * somebody may hold every other one. */
bool sight_ask(struct pg *pg, struct sight *sight_out) {
  PGresult *answer =
      ask(pg, "SELECT to_regprocedure('cortex.reap(integer[], bigint[])') IS NOT NULL, "
              "pg_has_role('pg_read_all_stats', 'USAGE')");

  *sight_out = (struct sight){.has_extension = false};
  if (answer == NULL)
    return false;
  sight_out->has_extension = PQgetvalue(answer, 0, 0)[0] == 't';
  sight_out->sees_others = sight_out->has_extension || PQgetvalue(answer, 0, 1)[0] == 't';
  PQclear(answer);
  return pg_server(pg, &sight_out->server);
}

/* By another name it may be the same folder. */
static bool is_same_folder(const char *left, const char *right) {
  struct stat one, other;

  return strcmp(left, right) == 0 || (stat(left, &one) == 0 && stat(right, &other) == 0 &&
                                      one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

static bool looks_into(struct pg *pg, const char *folder) {
  PGresult *answer = ask(pg, "SELECT cortex.sessions_folder()");
  bool is_same;

  if (answer == NULL) {
    cli_complain("database: %s%s", pg_message(pg), pg_hint(pg));
    return false;
  }
  is_same = is_same_folder(folder, PQgetvalue(answer, 0, 0));
  if (!is_same)
    cli_complain("[session] path is %s, and the extension in database %s looks for stamps in %s: "
                 "tell it, see cortex.conf(5)",
                 folder, pg_database(pg), PQgetvalue(answer, 0, 0));
  PQclear(answer);
  return is_same;
}

bool sight_reaches(struct pg *pg, const struct sight *sight, const char *folder) {
  if (!alive_can_tell(pg, &sight->server)) {
    cli_complain("the server's processes cannot be seen from here (pid %" PRId64
                 " serves this connection): run the reaper where the server runs, in a container "
                 "together with it or sharing its pid namespace",
                 sight->server.backend);
    return false;
  }
  if (sight->has_extension)
    return looks_into(pg, folder);
  if (!sight->sees_others)
    cli_complain("database %s has no extension cortex, and the role of [sync] conninfo sees no "
                 "other role's session: grant it pg_signal_backend and pg_read_all_stats",
                 pg_database(pg));
  return sight->sees_others;
}
