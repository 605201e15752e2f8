/*
 * The part of cortexctl doctor for roles just in time: whether a login could make one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <pwd.h>
#include <unistd.h>

#include "just_in_time.h"

static const char about[] =
    "select jsonb_build_object('database', current_database(), 'home', exists (select from"
    " pg_extension where extname = 'cortex') and exists (select from pg_db_role_setting s join"
    " pg_roles r on r.oid = s.setrole where r.rolname = 'cortex_managed' and s.setdatabase = 0"
    " and 'cortex.home=' || current_database() = any (s.setconfig)))";

static void judge(struct doctor *doctor, struct pg *pg) {
  struct check *check = &doctor->check;
  struct doctor maker = {.pg = pg};
  json_t *rows = !pg_failed(pg) ? doctor_ask(&maker, about) : NULL;
  const json_t *answer = json_array_get(rows, 0);

  if (answer == NULL)
    check_find(check, CHECK_JIT_UNREADY, check_key_place(check, "roles", "jit_conninfo"), "%s",
               pg_message(pg));
  else if (!json_is_true(json_object_get(answer, "home")))
    check_find(check, CHECK_JIT_UNREADY, check_key_place(check, "roles", "jit_conninfo"),
               "the database %s is not the home of the extension cortex",
               json_string_value(json_object_get(answer, "database")));
  json_decref(rows);
}

/* As a login does it: by the server's own user, whom the server asks for at connect only. */
void doctor_jit(struct doctor *doctor) {
  const struct cortex_settings *settings = doctor->check.settings;
  struct pg_setup setup = {
      .program = "cortexctl doctor", .statement_timeout = 10, .lock_timeout = 5};
  const struct passwd *server;
  uid_t own = geteuid();
  struct pg *pg = NULL;
  char name[256];

  if (settings == NULL || doctor->pg == NULL || doctor->postmaster == 0 ||
      !jit_word(settings, "requirepeer", name, sizeof name))
    return;
  server = getpwnam(name);
  if (server == NULL || (own != 0 && own != server->pw_uid) ||
      (own == 0 && seteuid(server->pw_uid) != 0))
    return;
  setup.conninfo = cortex_settings_value(settings, "roles", "jit_conninfo");
  (void)!pg_open(&setup, &pg);
  if ((own != 0 || seteuid(own) == 0) && pg != NULL)
    judge(doctor, pg);
  pg_close(&pg);
}
