/*
 * A connection to PostgreSQL that speaks in pipelines: parameters and quoted values only.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/pg.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 512
#define OPTIONS_MAX 1024
#define GRACE 5 /* seconds that the server may take beyond a statement's time to say so */

struct pg {
  FILE *script; /* in place of a connection */
  PGconn *connection;
  char *conninfo;
  int64_t patience; /* seconds that one answer may take; 0: without end */
  bool is_frozen;   /* it took longer */
  bool failed;
  char message[MESSAGE_MAX];
  char sqlstate[6];
  char warning[MESSAGE_MAX];
};

/* The first line of a libpq message. */
static void copy_line(char *line, const char *text) {
  size_t len = text == NULL ? 0 : strcspn(text, "\r\n");

  snprintf(line, MESSAGE_MAX, "%.*s", (int)(len < MESSAGE_MAX ? len : MESSAGE_MAX - 1),
           text == NULL ? "" : text);
}

/* ---- a server that is frozen ---- */

/* The socket that is waited for: libpq waits without end where a server keeps silent. */
static volatile sig_atomic_t watched = -1;
static volatile sig_atomic_t is_over;

static void hang_up(int signal) {
  (void)signal;
  is_over = 1;
  shutdown(watched, SHUT_RDWR);
}

static void watch(const struct pg *pg) {
  const struct sigaction action = {.sa_handler = hang_up};

  watched = PQsocket(pg->connection);
  is_over = 0;
  if (pg->patience > 0 && watched >= 0 && sigaction(SIGALRM, &action, NULL) == 0)
    alarm((unsigned)pg->patience);
}

static void unwatch(struct pg *pg) {
  alarm(0);
  pg->is_frozen = pg->is_frozen || is_over;
}

static bool fail(struct pg *pg, const char *text) {
  if (!pg->failed && pg->is_frozen)
    snprintf(pg->message, sizeof pg->message, "the server has given no answer for %" PRId64 " s",
             pg->patience);
  else if (!pg->failed)
    copy_line(pg->message, text);
  pg->failed = true;
  return false;
}

/* What failed: the detail says whose role it was, the hint what to do. */
static void fail_result(struct pg *pg, const PGresult *result) {
  const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  char text[MESSAGE_MAX];

  if (pg->failed)
    return;
  snprintf(text, sizeof text, "%s%s%s%s%s",
           primary != NULL ? primary : PQerrorMessage(pg->connection), detail != NULL ? ": " : "",
           detail != NULL ? detail : "", hint != NULL ? " - " : "", hint != NULL ? hint : "");
  fail(pg, text);
  snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state != NULL ? state : "");
}

static void take_notice(void *context, const PGresult *result) {
  struct pg *pg = context;
  const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

  if (severity != NULL && strcmp(severity, "WARNING") == 0)
    copy_line(pg->warning, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

/* ---- connecting ---- */

/* The options that the operator's conninfo already has, to be put before ours. */
static void copy_options(const char *conninfo, char *options) {
  PQconninfoOption *list = PQconninfoParse(conninfo, NULL), *item;

  for (item = list; item != NULL && item->keyword != NULL; item++)
    if (strcmp(item->keyword, "options") == 0 && item->val != NULL)
      snprintf(options, OPTIONS_MAX / 2, "%s ", item->val);
  PQconninfoFree(list);
}

/*
 * No standby is waited for: no timeout ends that wait, and until it is over nobody sees what was
 * taken away.
 */
static void put_options(const struct pg_setup *setup, char *options) {
  size_t used;

  options[0] = '\0';
  copy_options(setup->conninfo, options);
  used = strlen(options);
  snprintf(options + used, OPTIONS_MAX - used,
           "-c search_path=pg_catalog -c jit=off"
           " -c default_transaction_isolation=repeatable\\ read"
           " -c default_transaction_read_only=off -c synchronous_commit=local"
           " -c statement_timeout=%" PRId64 "s -c lock_timeout=%" PRId64 "s",
           setup->statement_timeout, setup->lock_timeout);
}

bool pg_open(const struct pg_setup *setup, struct pg **pg_out) {
  const char *conninfo = setup->conninfo != NULL ? setup->conninfo : "";
  char options[OPTIONS_MAX];
  const char *keywords[] = {"connect_timeout",
                            "dbname",
                            "application_name",
                            "client_encoding",
                            "options",
                            setup->database != NULL ? "dbname" : NULL,
                            NULL};
  const char *values[] = {"10", conninfo, setup->program, "UTF8", options, setup->database, NULL};
  struct pg *pg = calloc(1, sizeof *pg);

  *pg_out = pg;
  if (pg == NULL)
    return false;
  put_options(&(struct pg_setup){.conninfo = conninfo,
                                 .statement_timeout = setup->statement_timeout,
                                 .lock_timeout = setup->lock_timeout},
              options);
  pg->conninfo = strdup(conninfo);
  pg->connection = PQconnectdbParams(keywords, values, 1);
  if (PQstatus(pg->connection) != CONNECTION_OK)
    return fail(pg, PQerrorMessage(pg->connection));
  PQsetNoticeReceiver(pg->connection, take_notice, pg);
  if (PQenterPipelineMode(pg->connection) == 0)
    return fail(pg, PQerrorMessage(pg->connection));
  pg->patience = setup->statement_timeout > 0 ? setup->statement_timeout + GRACE : 0;
  return true;
}

struct pg *pg_script(FILE *file) {
  struct pg *pg = calloc(1, sizeof *pg);

  if (pg != NULL)
    pg->script = file;
  return pg;
}

void pg_close(struct pg **pg) {
  if (*pg == NULL)
    return;
  watch(*pg);
  PQfinish((*pg)->connection);
  unwatch(*pg);
  free((*pg)->conninfo);
  free(*pg);
  *pg = NULL;
}

bool pg_failed(const struct pg *pg) {
  return pg == NULL || pg->failed;
}

bool pg_lost(const struct pg *pg) {
  return pg == NULL || PQstatus(pg->connection) != CONNECTION_OK;
}

const char *pg_message(const struct pg *pg) {
  return pg == NULL ? "out of memory" : pg->message;
}

const char *pg_sqlstate(const struct pg *pg) {
  return pg == NULL ? "" : pg->sqlstate;
}

bool pg_is_overtaken(const struct pg *pg) {
  const char *state = pg_sqlstate(pg);

  return !pg_lost(pg) && (strncmp(state, "40", 2) == 0 || strcmp(state, "XX000") == 0 ||
                          strcmp(state, "42704") == 0);
}

bool pg_lacks_extension(const struct pg *pg) {
  return strcmp(pg_sqlstate(pg), "3F000") == 0 || strcmp(pg_sqlstate(pg), "42883") == 0;
}

const char *pg_hint(const struct pg *pg) {
  return pg_lacks_extension(pg) ? " (is the extension there, and of this release? CREATE EXTENSION "
                                  "cortex, or ALTER EXTENSION cortex UPDATE)"
                                : "";
}

const char *pg_warning(const struct pg *pg) {
  return pg->warning[0] != '\0' ? pg->warning : NULL;
}

void pg_forget_warning(struct pg *pg) {
  pg->warning[0] = '\0';
}

int pg_version(const struct pg *pg) {
  return PQserverVersion(pg->connection);
}

bool pg_is_standby(const struct pg *pg) {
  const char *value = PQparameterStatus(pg->connection, "in_hot_standby");

  return value != NULL && strcmp(value, "on") == 0;
}

bool pg_server(struct pg *pg, struct pg_server *server_out) {
  PGresult *result = NULL;
  bool fine = pg_send(pg,
                      "SELECT (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint, "
                      "pg_backend_pid()",
                      NULL, 0) &&
              pg_sync(pg) && (result = pg_take(pg)) != NULL && PQntuples(result) == 1;

  if (fine)
    *server_out = (struct pg_server){.started = strtoll(PQgetvalue(result, 0, 0), NULL, 10),
                                     .backend = strtoll(PQgetvalue(result, 0, 1), NULL, 10)};
  PQclear(result);
  return fine && pg_settle(pg);
}

int pg_socket(const struct pg *pg) {
  return PQsocket(pg->connection);
}

bool pg_renew(const struct pg_setup *setup, struct pg **pg) {
  const char *conninfo = setup->conninfo != NULL ? setup->conninfo : "";
  struct pg_server server;

  if (*pg != NULL && !(*pg)->failed && (*pg)->conninfo != NULL &&
      strcmp((*pg)->conninfo, conninfo) == 0 && pg_server(*pg, &server))
    return true;
  pg_close(pg);
  return pg_open(setup, pg);
}

const char *pg_database(const struct pg *pg) {
  return PQdb(pg->connection);
}

bool pg_is_utf8(const struct pg *pg) {
  const char *encoding = PQparameterStatus(pg->connection, "server_encoding");

  return encoding != NULL && strcmp(encoding, "UTF8") == 0;
}

/* ---- statements ---- */

/* A literal that is the same whatever standard_conforming_strings says (manual 4.1.2.2). */
static void put_literal(FILE *file, const char *text) {
  if (text == NULL) {
    fputs("NULL", file);
    return;
  }
  fputs(strchr(text, '\\') != NULL ? "E'" : "'", file);
  for (; *text != '\0'; text++) {
    if (*text == '\'' || *text == '\\')
      putc(*text, file);
    putc(*text, file);
  }
  putc('\'', file);
}

/* $1 to $9 become their values: no statement of ours has more, or a dollar elsewhere. */
static bool write_statement(FILE *file, const char *sql, const char *const *values, int count) {
  for (; *sql != '\0'; sql++) {
    if (*sql == '$' && sql[1] >= '1' && sql[1] <= '9' && sql[1] - '0' <= count) {
      put_literal(file, values[sql[1] - '1']);
      sql++;
    } else {
      putc(*sql, file);
    }
  }
  fputs(";\n", file);
  return ferror(file) == 0;
}

/* Each answer comes when its statement is done: so none takes longer than a statement may. */
bool pg_send(struct pg *pg, const char *sql, const char *const *values, int count) {
  bool sent;

  if (pg->failed)
    return false;
  if (pg->script != NULL)
    return write_statement(pg->script, sql, values, count);
  watch(pg);
  sent = PQsendQueryParams(pg->connection, sql, count, NULL, values, NULL, NULL, 0) != 0 &&
         PQsendFlushRequest(pg->connection) != 0;
  unwatch(pg);
  return sent || fail(pg, PQerrorMessage(pg->connection));
}

void pg_drain(struct pg *pg) {
  if (!pg_failed(pg))
    (void)PQconsumeInput(pg->connection); /* a failure shows where the answer is taken */
}

bool pg_sync(struct pg *pg) {
  bool sent;

  if (pg->failed)
    return false;
  watch(pg);
  sent = PQpipelineSync(pg->connection) != 0;
  unwatch(pg);
  return sent || fail(pg, PQerrorMessage(pg->connection));
}

static PGresult *get_result(struct pg *pg) {
  PGresult *result;

  watch(pg);
  result = PQgetResult(pg->connection);
  unwatch(pg);
  return result;
}

/* Takes the NULL that libpq puts behind each statement's results. */
static void take_end(struct pg *pg) {
  PGresult *rest;

  while ((rest = get_result(pg)) != NULL)
    PQclear(rest);
}

PGresult *pg_take(struct pg *pg) {
  PGresult *result;
  ExecStatusType status;

  if (pg->failed)
    return NULL;
  result = get_result(pg);
  status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    take_end(pg);
    return result;
  }
  if (result != NULL)
    fail_result(pg, result);
  else
    fail(pg, "the server gave no answer");
  PQclear(result);
  return NULL;
}

bool pg_skip(struct pg *pg, size_t count) {
  for (; count > 0; count--) {
    PGresult *result = pg_take(pg);

    if (result == NULL)
      return false;
    PQclear(result);
  }
  return true;
}

bool pg_settle(struct pg *pg) {
  PGresult *result;
  bool fine;

  if (pg->failed)
    return false;
  result = get_result(pg);
  fine = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
  PQclear(result);
  return fine || fail(pg, PQerrorMessage(pg->connection));
}

/* ---- arrays ---- */

static char *reserve(struct pg_array *array, size_t len) {
  size_t room = array->room == 0 ? 256 : array->room;
  char *text;

  if (array->failed)
    return NULL;
  while (room - array->len < len)
    room *= 2;
  if (room == array->room)
    return array->text + array->len;
  text = realloc(array->text, room);
  if (text == NULL) {
    array->failed = true;
    return NULL;
  }
  array->text = text;
  array->room = room;
  return text + array->len;
}

static char *put_separator(struct pg_array *array, char *at) {
  *at = array->len == 0 ? '{' : ',';
  return at + 1;
}

/* Every element is quoted: then only the quote and the backslash mean anything. */
void pg_array_put(struct pg_array *array, const char *text) {
  char *at = reserve(array, 2 * strlen(text) + 5);

  if (at == NULL)
    return;
  at = put_separator(array, at);
  *at++ = '"';
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      *at++ = '\\';
    *at++ = *text;
  }
  *at++ = '"';
  array->len = (size_t)(at - array->text);
}

void pg_array_put_number(struct pg_array *array, uint32_t number) {
  char digits[10];
  size_t count = 0;
  char *at = reserve(array, sizeof digits + 3);

  if (at == NULL)
    return;
  at = put_separator(array, at);
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0)
    *at++ = digits[--count];
  array->len = (size_t)(at - array->text);
}

const char *pg_array_end(struct pg_array *array) {
  char *at = reserve(array, 3);

  if (at == NULL)
    return NULL;
  memcpy(at, array->len == 0 ? "{}" : "}", array->len == 0 ? 3 : 2);
  return array->text;
}

void pg_array_clear(struct pg_array *array) {
  free(array->text);
  *array = (struct pg_array){0};
}

bool pg_array_next(const char **cursor, uint32_t *number_out) {
  uint32_t number = 0;
  const char *at = *cursor;
  bool is_negative;

  while (*at == '{' || *at == ',')
    at++;
  is_negative = *at == '-';
  at += is_negative;
  if (*at < '0' || *at > '9')
    return false;
  for (; *at >= '0' && *at <= '9'; at++)
    number = number * 10 + (uint32_t)(*at - '0');
  *cursor = at;
  *number_out = is_negative ? 0 - number : number;
  return true;
}
