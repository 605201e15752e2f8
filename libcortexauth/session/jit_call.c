/*
 * Connecting to the server that a login is on its way into, and asking it for the role.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session/jit_call.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIES 3 /* beside others who change the same roles */

/* No row, and nothing done, by another server of this host: the role would be made there. */
#define QUERY                                                                                      \
  "SELECT cortex.login($1, $2, $3, $4, $5, $6, $7, $8) "                                           \
  "WHERE (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint = $9"

static int64_t milliseconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* libpq's messages have several lines; the first says what it is about. */
static bool fail(struct cx_jit_query *query, const char *text) {
  snprintf(query->message, sizeof query->message, "%.*s", (int)strcspn(text, "\r\n"), text);
  return false;
}

/* The detail says what is wrong with the role that the message names, the hint what to do. */
static bool fail_result(struct cx_jit_query *query, const PGresult *result, PGconn *connection) {
  const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  char text[sizeof query->message];

  if (primary == NULL)
    return fail(query, PQerrorMessage(connection));
  snprintf(text, sizeof text, "%s%s%s%s%s", primary, detail != NULL ? ": " : "",
           detail != NULL ? detail : "", hint != NULL ? " - " : "", hint != NULL ? hint : "");
  return fail(query, text);
}

/* ---- the environment ---- */

/*
 * What libpq would take from the environment of the postmaster, or from a service file
 * that it names, is not the operator's answer in cortex.conf. A backend has one thread.
 */
struct put_aside {
  PQconninfoOption *options;
  char **values; /* of the variables, in the order of the options */
  char *session[3];
};

/* No options of a connection: libpq has the server set them in each session. */
static const char session_names[3][12] = {"PGDATESTYLE", "PGTZ", "PGGEQO"};

/* NULL where the variable is not set. */
static char *take(const char *name) {
  const char *value = name != NULL ? getenv(name) : NULL;
  char *copy = value != NULL ? strdup(value) : NULL;

  if (value != NULL)
    unsetenv(name);
  return copy;
}

static void give_back(const char *name, char *value) {
  if (value != NULL)
    setenv(name, value, 1);
  free(value);
}

static void put_aside(struct put_aside *aside) {
  size_t count = 0, i;

  aside->options = PQconninfoParse("", NULL); /* their names alone, nothing is looked up */
  while (aside->options != NULL && aside->options[count].keyword != NULL)
    count++;
  aside->values = calloc(count + 1, sizeof *aside->values);
  for (i = 0; aside->values != NULL && i < count; i++)
    aside->values[i] = take(aside->options[i].envvar);
  for (i = 0; i < sizeof session_names / sizeof session_names[0]; i++)
    aside->session[i] = take(session_names[i]);
}

static void put_back(struct put_aside *aside) {
  size_t i;

  for (i = 0; aside->values != NULL && aside->options[i].keyword != NULL; i++)
    give_back(aside->options[i].envvar, aside->values[i]);
  for (i = 0; i < sizeof session_names / sizeof session_names[0]; i++)
    give_back(session_names[i], aside->session[i]);
  free(aside->values);
  PQconninfoFree(aside->options);
}

/* ---- waiting ---- */

static bool wait_for(const PGconn *connection, bool writes, int64_t end) {
  struct pollfd file = {PQsocket(connection), writes ? POLLOUT : POLLIN, 0};
  int64_t left = end - milliseconds();

  /* An interrupted wait is one that is not over: the callers ask again. */
  return left > 0 && file.fd >= 0 && poll(&file, 1, (int)left) != 0;
}

static bool connect_until(PGconn *connection, struct cx_jit_query *query, int64_t end) {
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;

  if (PQstatus(connection) == CONNECTION_BAD)
    return fail(query, PQerrorMessage(connection));
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED)
      return fail(query, PQerrorMessage(connection));
    if (!wait_for(connection, status == PGRES_POLLING_WRITING, end))
      return fail(query, "the server did not take the connection in time");
    status = PQconnectPoll(connection);
  }
  return true;
}

/* Waits for the server's next word. */
static bool is_here(PGconn *connection, struct cx_jit_query *query, int64_t end) {
  while (PQisBusy(connection)) {
    if (!wait_for(connection, false, end))
      return fail(query, "the server did not answer in time");
    if (PQconsumeInput(connection) == 0)
      return fail(query, PQerrorMessage(connection));
  }
  return true;
}

/* Somebody else changed the same roles: a deadlock, a row of the server's own, a role that went. */
static bool is_overtaken(const PGresult *result) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

  return state != NULL && (strncmp(state, "40", 2) == 0 || strcmp(state, "XX000") == 0 ||
                           strcmp(state, "42704") == 0);
}

static bool ask(PGconn *connection, struct cx_jit_query *query, int64_t end, bool *again_out) {
  PGresult *result;
  bool is_done;

  *again_out = false;
  if (PQsendQueryParams(connection, QUERY, CX_JIT_VALUES, NULL, query->parameters, NULL, NULL, 0) ==
      0)
    return fail(query, PQerrorMessage(connection));
  if (!is_here(connection, query, end))
    return false;
  result = PQgetResult(connection);
  is_done = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
  if (PQresultStatus(result) == PGRES_TUPLES_OK && !is_done) {
    fail(query, "[roles] jit_conninfo leads to another server than the login's own");
  } else if (!is_done) {
    fail_result(query, result, connection);
    /* Behind the result comes the end of the call. */
    *again_out =
        is_overtaken(result) && is_here(connection, query, end) && PQgetResult(connection) == NULL;
  }
  PQclear(result);
  return is_done;
}

bool cx_jit_call(struct cx_jit_query *query) {
  int64_t end = milliseconds() + query->timeout;
  struct put_aside aside;
  PGconn *connection;
  bool is_open, is_done = false, again = true;
  int tries;

  put_aside(&aside);
  connection = PQconnectStartParams(query->keywords, query->values, 0);
  is_open =
      connection != NULL ? connect_until(connection, query, end) : fail(query, "out of memory");
  put_back(&aside);
  for (tries = 0; is_open && !is_done && again && tries < TRIES; tries++)
    is_done = ask(connection, query, end, &again);
  PQfinish(connection);
  return is_done;
}
