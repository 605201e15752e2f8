/*
 * The floor of the sync benchmark: statements from standard input, one a line, in pipeline mode.
 * SPDX-License-Identifier: PostgreSQL
 *
 * usage: pipeline CONNINFO < STATEMENTS
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_EVERY 500

static int failures;

static void take(PGconn *connection, long count) {
  PGresult *result;

  for (; count > 0; count--)
    while ((result = PQgetResult(connection)) != NULL) {
      if (PQresultStatus(result) == PGRES_FATAL_ERROR && failures++ == 0)
        fprintf(stderr, "%s", PQresultErrorMessage(result));
      PQclear(result);
    }
}

int main(int argc, char **argv) {
  PGconn *connection = PQconnectdb(argc > 1 ? argv[1] : "");
  char *line = NULL;
  size_t room = 0;
  ssize_t len;
  long waiting = 0;

  if (PQstatus(connection) != CONNECTION_OK || !PQenterPipelineMode(connection)) {
    fprintf(stderr, "%s", PQerrorMessage(connection));
    return 1;
  }
  while ((len = getline(&line, &room, stdin)) > 0) {
    line[strcspn(line, "\n")] = '\0';
    if (PQsendQueryParams(connection, line, 0, NULL, NULL, NULL, NULL, 0) == 0)
      return 1;
    if (++waiting == FLUSH_EVERY) {
      PQsendFlushRequest(connection);
      PQflush(connection);
      take(connection, waiting);
      waiting = 0;
    }
  }
  PQpipelineSync(connection);
  take(connection, waiting);
  PQclear(PQgetResult(connection));
  PQfinish(connection);
  free(line);
  return failures != 0;
}
