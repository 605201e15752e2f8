/*
 * A connection to PostgreSQL that speaks in pipelines: parameters and quoted values only.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_PG_H
#define TOOLS_COMMON_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct pg;

/*
 * How a session is set up; durations in seconds, 0: the server's own. A server that gives no
 * answer for some seconds longer than a statement may take is given up: it is frozen, or cannot be
 * reached any more. SIGALRM is this module's.
 */
struct pg_setup {
  const char *conninfo; /* libpq keywords or URI; NULL: libpq's defaults */
  const char *program;  /* application_name */
  int64_t statement_timeout;
  int64_t lock_timeout;
  const char *database; /* in place of the one that conninfo names; NULL: that one */
};

/*
 * Connects. The session reads in repeatable read, compiles nothing just in time, looks for objects
 * in pg_catalog only and waits for no standby.
 *   out  pg_out: always set when memory is there; ask pg_failed()
 */
bool pg_open(const struct pg_setup *setup, struct pg **pg_out);

/* The same, but a connection that is there for this conninfo, and still answers, is used on. */
bool pg_renew(const struct pg_setup *setup, struct pg **pg);
void pg_close(struct pg **pg);

/* No connection: pg_send prints each statement with its values as literals. NULL: no memory. */
struct pg *pg_script(FILE *file);

/* True when something has failed; everything after the first failure is refused. */
bool pg_failed(const struct pg *pg);

/* True when there is no connection any more: what was asked last may have been done or not. */
bool pg_lost(const struct pg *pg);

/* What failed, one line; its SQLSTATE, "" when the server gave none. */
const char *pg_message(const struct pg *pg);
const char *pg_sqlstate(const struct pg *pg);

/* True when somebody else changed the same roles: a deadlock, a row of the server's own, a role
 * that went. */
bool pg_is_overtaken(const struct pg *pg);

/* True where the extension, or a function of this release, is not there; what to do then, or "". */
bool pg_lacks_extension(const struct pg *pg);
const char *pg_hint(const struct pg *pg);

/* The last WARNING since the connection was made or pg_forget_warning; NULL: none. */
const char *pg_warning(const struct pg *pg);
void pg_forget_warning(struct pg *pg);

/* Of the server, as 150020. */
int pg_version(const struct pg *pg);

/* True on a standby, which changes nothing; not known before 14. */
bool pg_is_standby(const struct pg *pg);

/* Asks when the server was started, which tells servers of one host apart, and for the process that
 * serves this connection; a pooler between has told its client another one. */
struct pg_server {
  int64_t started; /* microseconds since 1970; 0: not asked yet */
  int64_t backend; /* its pid, as the server sees it */
};

bool pg_server(struct pg *pg, struct pg_server *server_out);

/* The socket of the connection, the connection's own. */
int pg_socket(const struct pg *pg);

/* The name of the database; borrowed. */
const char *pg_database(const struct pg *pg);

/* True when a text with bytes above 127 is the same name for the server. */
bool pg_is_utf8(const struct pg *pg);

/* Takes in what the server has sent so far: it goes on where it waits for room. */
void pg_drain(struct pg *pg);

/* Queues one statement; values are text, NULL is SQL's NULL. */
bool pg_send(struct pg *pg, const char *sql, const char *const *values, int count);

/* Ends a pipeline: what was queued since the last one is one transaction unless it said BEGIN. */
bool pg_sync(struct pg *pg);

/* The next statement's result, to be released with PQclear; NULL when it failed. */
PGresult *pg_take(struct pg *pg);

/* Takes count results for their success only. */
bool pg_skip(struct pg *pg, size_t count);

/* Takes the end of a pipeline. */
bool pg_settle(struct pg *pg);

/* ---- arrays as values ---- */

/* Grows an array literal; fails silently and for good without memory. */
struct pg_array {
  char *text;
  size_t len;
  size_t room;
  bool failed;
};

void pg_array_put(struct pg_array *array, const char *text);
void pg_array_put_number(struct pg_array *array, uint32_t number);

/* The finished literal, "{}" when nothing was put; NULL without memory. */
const char *pg_array_end(struct pg_array *array);
void pg_array_clear(struct pg_array *array);

/*
 * The next number of an array of integers as the server writes it, modulo 2^32: oids come as
 * integers of the same bits. false at its end.
 */
bool pg_array_next(const char **cursor, uint32_t *number_out);

#endif
