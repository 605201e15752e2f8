/*
 * The server's part of cortexctl doctor: reaching it, its version, TLS and the extension.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor_process.h"

#define FIRST_VERSION 140000
#define FIRST_WITHOUT_OWN_GRANTS 150000
#define SERVER_USER "postgres"
#define TRIES_AS_SERVER "user=" SERVER_USER " dbname=postgres"

/* ---- reaching it ---- */

/* The server process is known where the backend is one of this host's. */
static pid_t ask_postmaster(struct doctor *doctor) {
  json_t *rows =
      doctor_ask(doctor, "select to_jsonb(pg_backend_pid()) where inet_server_addr() is null");
  pid_t backend = (pid_t)json_integer_value(json_array_get(rows, 0));
  struct doctor_process process;

  json_decref(rows);
  return backend > 0 && doctor_process_read(backend, &process) ? process.parent : 0;
}

static void connect_with(struct doctor *doctor, const char *conninfo, enum check_fault fault) {
  const struct pg_setup setup = {.conninfo = conninfo,
                                 .program = "cortexctl doctor",
                                 .statement_timeout = 10,
                                 .lock_timeout = 5};

  if (pg_open(&setup, &doctor->pg))
    return;
  check_find(&doctor->check, fault, doctor_place(NULL), "%s", pg_message(doctor->pg));
  pg_close(&doctor->pg);
}

/* Root is nobody in the database, and may become who is: the server asks at connect only. */
static void connect_as_server(struct doctor *doctor) {
  const struct passwd *user = geteuid() == 0 ? getpwnam(SERVER_USER) : NULL;
  uid_t own = geteuid();

  if (user != NULL && seteuid(user->pw_uid) != 0)
    return;
  connect_with(doctor, TRIES_AS_SERVER, CHECK_DATABASE_UNASKED);
  if (user != NULL && seteuid(own) != 0)
    doctor_disconnect(doctor);
}

void doctor_connect(struct doctor *doctor) {
  if (doctor->conninfo != NULL)
    connect_with(doctor, doctor->conninfo, CHECK_DATABASE_UNREACHABLE);
  else if (!doctor->check.offline)
    connect_as_server(doctor);
  doctor->postmaster = doctor->pg != NULL ? ask_postmaster(doctor) : doctor_process_find();
}

void doctor_disconnect(struct doctor *doctor) {
  pg_close(&doctor->pg);
}

json_t *doctor_ask(struct doctor *doctor, const char *sql) {
  return doctor_ask_with(doctor, sql, NULL, 0);
}

json_t *doctor_ask_with(struct doctor *doctor, const char *sql, const char *const *values,
                        int count) {
  PGresult *result;
  json_t *rows;
  int i;

  if (pg_failed(doctor->pg) || !pg_send(doctor->pg, sql, values, count) || !pg_sync(doctor->pg))
    return NULL;
  result = pg_take(doctor->pg);
  if (result == NULL || !pg_settle(doctor->pg)) {
    PQclear(result);
    return NULL;
  }
  rows = json_array();
  for (i = 0; i < PQntuples(result); i++)
    json_array_append_new(rows, json_loads(PQgetvalue(result, i, 0), JSON_DECODE_ANY, NULL));
  PQclear(result);
  return rows;
}

/* ---- what it is ---- */

static const char about[] =
    "select jsonb_build_object('version', current_setting('server_version_num')::int,"
    " 'ssl', current_setting('ssl'), 'database', current_database(),"
    " 'installed', (select extversion from pg_extension where extname = 'cortex'),"
    " 'available', (select default_version from pg_available_extensions where name = 'cortex'),"
    " 'home', (select setconfig from pg_db_role_setting s join pg_roles r on r.oid = s.setrole"
    " where r.rolname = 'cortex_managed' and setdatabase = 0))";

static bool needs_extension(const struct cortex_settings *settings) {
  return settings != NULL && (strcmp(cortex_settings_value(settings, "roles", "jit"), "yes") == 0 ||
                              cortex_settings_section_count(settings) > 0);
}

static void judge_extension(struct check *check, const json_t *answer) {
  const char *installed = json_string_value(json_object_get(answer, "installed"));
  const char *available = json_string_value(json_object_get(answer, "available"));
  const char *database = json_string_value(json_object_get(answer, "database"));

  if (installed == NULL && needs_extension(check->settings) &&
      !json_is_array(json_object_get(answer, "home"))) {
    check_find(check, CHECK_EXTENSION_ABSENT, doctor_place(NULL),
               "database %s has no extension cortex, nor does the server know of a home", database);
    check_fix(check, "psql -d %s -c 'CREATE EXTENSION cortex'", database);
  } else if (installed != NULL && available != NULL && strcmp(installed, available) != 0) {
    check_find(check, CHECK_EXTENSION_OUTDATED, doctor_place(NULL),
               "the extension in database %s is %s, the files are %s", database, installed,
               available);
    check_fix(check, "psql -d %s -c 'ALTER EXTENSION cortex UPDATE'", database);
  }
}

void doctor_server(struct doctor *doctor) {
  json_t *rows = doctor->pg != NULL ? doctor_ask(doctor, about) : NULL;
  const json_t *answer = json_array_get(rows, 0);
  const char *ssl = json_string_value(json_object_get(answer, "ssl"));
  json_int_t version = json_integer_value(json_object_get(answer, "version"));

  if (answer != NULL) {
    if (version < FIRST_VERSION)
      check_find(&doctor->check, CHECK_SERVER_OLD, doctor_place(NULL), "server_version_num is %ld",
                 (long)version);
    if (version < FIRST_WITHOUT_OWN_GRANTS)
      check_find(&doctor->check, CHECK_SERVER_OWN_GRANTS, doctor_place(NULL),
                 "server_version_num is %ld", (long)version);
    if (ssl != NULL && strcmp(ssl, "on") != 0)
      check_find(&doctor->check, CHECK_SSL_OFF, doctor_place(NULL), "ssl is %s", ssl);
    judge_extension(&doctor->check, answer);
  } else if (doctor->pg != NULL) {
    check_find(&doctor->check, CHECK_DATABASE_UNREACHABLE, doctor_place(NULL), "%s",
               pg_message(doctor->pg));
  }
  json_decref(rows);
}
