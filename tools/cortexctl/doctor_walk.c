/*
 * cortexctl doctor's walk: one login, step by step as client, server and module take them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cortexauth/audit.h>
#include <cortexauth/binding.h>
#include <cortexauth/clock.h>
#include <cortexauth/revocation.h>
#include <cortexauth/session.h>

#include "common/out.h"
#include "explain.h"
#include "hba.h"
#include "pam_file.h"
#include "proof.h"

/* What arrives whole: measured, see "Measured" in HACKING. */
#define SERVER_MAX 65530
#define TERMINAL_MAX 4095
#define POOLER_MAX 2047

struct walk {
  struct doctor *doctor;
  struct proof proof;
  const char *service_name;
  const char *role; /* asked for; NULL: the username */
  const char *address;
  struct cortex_service service;
  struct cortex_identity *identity;
  char what[600]; /* of the step that is taken */
};

static bool say(struct walk *walk, bool ok, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool say(struct walk *walk, bool ok, const char *format, ...) {
  va_list args;

  va_start(args, format);
  vsnprintf(walk->what, sizeof walk->what, format, args);
  va_end(args);
  return ok;
}

static bool refuse(struct walk *walk, enum cortex_reason reason, const struct cortex_error *error) {
  char text[sizeof error->source + sizeof error->message + 32];

  cortex_error_format(error, text, sizeof text);
  return say(walk, false, "%s: %s", cortex_reason_name(reason),
             *text != '\0' ? text : cortex_reason_sentence(reason));
}

/* ---- the steps ---- */

static bool send_it(struct walk *walk) {
  size_t len = walk->proof.len;

  if (len == 0 || len > SERVER_MAX)
    return say(walk, false, "%zu bytes: a password message holds 1 to %d", len, SERVER_MAX);
  if (len > TERMINAL_MAX)
    return say(walk, true, "%zu bytes; by PGPASSWORD or PGPASSFILE only: a prompt cuts at %d", len,
               TERMINAL_MAX);
  if (len > POOLER_MAX)
    return say(walk, true, "%zu bytes; PgBouncer before 1.26 cuts at %d", len, POOLER_MAX);
  return say(walk, true, "%zu bytes", len);
}

static bool find_service(struct walk *walk) {
  const struct cortex_policy *policy = walk->doctor->check.policy;

  if (policy == NULL)
    return say(walk, false, "policy_unavailable: see the findings");
  if (!cortex_policy_find_service(policy, walk->service_name, &walk->service))
    return say(walk, false, "service_unknown: the entities file has no Service::\"%s\"",
               walk->service_name);
  return say(walk, true, "database \"%s\", %s", walk->service.database, walk->service.environment);
}

static bool read_pam(struct walk *walk) {
  const char *types[] = {"auth", "account"};
  struct pam_file file;
  struct pam_line line;
  bool ok = pam_file_load(walk->doctor->check.pam_folder, walk->service_name, &file);
  size_t i;

  if (!ok)
    say(walk, false, "%s: %s", file.path, strerror(file.failure));
  for (i = 0; ok && i < 2; i++) {
    ok = pam_file_find(&file, types[i], &line) && strcmp(line.service, walk->service_name) == 0;
    if (!ok)
      say(walk, false, "%s has no \"%s\" line of this service", file.path, types[i]);
  }
  if (ok)
    say(walk, true, "%s", file.path);
  pam_file_clear(&file);
  return ok;
}

static bool verify(struct walk *walk) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason =
      proof_verify(&walk->proof, walk->doctor->check.settings, &walk->identity, &error);

  if (reason != CORTEX_OK)
    return refuse(walk, reason, &error);
  return say(walk, true, "%s of \"%s\", subject %s", cortex_identity_kind(walk->identity),
             cortex_identity_label(walk->identity), cortex_identity_subject(walk->identity));
}

static bool ask_revocation(struct walk *walk) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason =
      cortex_revocation_check(walk->doctor->check.settings, walk->identity, &error);

  return reason == CORTEX_OK ? say(walk, true, "not revoked") : refuse(walk, reason, &error);
}

static bool admit(struct walk *walk) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason =
      cortex_identity_admit(walk->identity, walk->doctor->check.settings, &error);

  if (reason != CORTEX_OK)
    return refuse(walk, reason, &error);
  return say(walk, true, "username %s, %zu groups", cortex_identity_username(walk->identity),
             cortex_identity_group_count(walk->identity));
}

static bool ask_binding(struct walk *walk) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  bool is_bound = false;
  enum cortex_reason reason =
      cortex_binding_check(walk->doctor->check.settings, walk->identity, &is_bound, &error);

  if (reason != CORTEX_OK)
    return refuse(walk, reason, &error);
  return say(walk, true, is_bound ? "the name is this subject's" : "the name is nobody's yet");
}

static bool ask_reaper(struct walk *walk) {
  const struct cortex_settings *settings = walk->doctor->check.settings;
  struct cortex_error error = CORTEX_ERROR_NONE;
  int64_t reaped = 0, grace = 0;

  if (strcmp(cortex_settings_value(settings, "session", "enforce"), "yes") != 0)
    return say(walk, true, "not asked: [session] enforce = no");
  if (cortex_session_reaped(settings, &reaped, &error) != CORTEX_OK)
    return refuse(walk, error.reason, &error);
  if (!cortex_duration_parse(cortex_settings_value(settings, "session", "reaper_grace"), &grace) ||
      walk->proof.now - reaped > grace || reaped - walk->proof.now > grace)
    return say(walk, false, "reaper_stale: %s", cortex_reason_sentence(CORTEX_REAPER_STALE));
  return say(walk, true, "the last reap was %" PRId64 " s ago", walk->proof.now - reaped);
}

static bool decide(struct walk *walk) {
  const struct cortex_question question = {.identity = walk->identity,
                                           .service = walk->service_name,
                                           .role = walk->role,
                                           .address = walk->address,
                                           .now = walk->proof.now * 1000000};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_decision *decision = NULL;
  enum cortex_reason reason =
      cortex_decide(walk->doctor->check.policy, &question, &decision, &error);
  char levels[EXPLAIN_LEVELS], until[EXPLAIN_TIME];
  bool ok;

  if (reason == CORTEX_OK)
    reason = cortex_service_check_audience(walk->doctor->check.policy, walk->doctor->check.settings,
                                           walk->identity, walk->service_name, &error);
  if (reason == CORTEX_OK)
    reason =
        cortex_binding_check_role(walk->doctor->check.settings, walk->identity, walk->role, &error);
  ok = reason == CORTEX_OK;
  if (ok)
    say(walk, true, "%s, until %s", explain_levels(cortex_decision_levels(decision), levels),
        explain_time(cortex_decision_session_until(decision), until));
  else
    refuse(walk, reason, &error);
  cortex_decision_free(&decision);
  return ok;
}

static bool record(struct walk *walk) {
  struct cortex_audit_options audit;

  cortex_audit_options_get(walk->doctor->check.settings, &audit);
  if (access(audit.file, F_OK) == 0 && access(audit.file, W_OK) != 0)
    return say(walk, false, "audit_unavailable: %s cannot be written", audit.file);
  return say(walk, true, "%s", audit.file);
}

/* ---- what the server does before and after ---- */

static const char *role_of(const struct walk *walk) {
  return walk->role != NULL ? walk->role : cortex_identity_username(walk->identity);
}

static json_t *ask_role(struct walk *walk) {
  static const char sql[] =
      "with recursive up (member, roleid) as (select member, roleid from pg_auth_members"
      " union select up.member, m.roleid from up join pg_auth_members m on m.member = up.roleid)"
      " select jsonb_build_object('login', r.rolcanlogin, 'groups', array(select g.rolname from up"
      " join pg_roles g on g.oid = up.roleid where up.member = r.oid))"
      " from pg_roles r where r.rolname = $1";
  const char *values[] = {role_of(walk)};

  return walk->doctor->pg != NULL ? doctor_ask_with(walk->doctor, sql, values, 1) : NULL;
}

static const struct hba_rule *first_rule(const struct walk *walk, const struct hba_role *role) {
  static const struct hba_rule met = {.type = "hostssl", .address = "all"};
  const struct hba *hba = walk->doctor->hba;
  size_t i;

  for (i = 0; i < hba->count; i++)
    if (hba->rules[i].error == NULL && hba_overlaps(&hba->rules[i], &met) &&
        hba_fits_user(&hba->rules[i], role) &&
        hba_fits_database(&hba->rules[i], walk->service.database, role->name))
      return &hba->rules[i];
  return NULL;
}

static bool ask_hba(struct walk *walk) {
  json_t *rows = ask_role(walk);
  const struct hba_role role = {role_of(walk), json_object_get(json_array_get(rows, 0), "groups")};
  const struct hba_rule *rule = walk->doctor->hba != NULL ? first_rule(walk, &role) : NULL;
  const char *name = rule != NULL ? hba_option(rule, "pamservice") : NULL;
  char own[256] = "";
  bool ok = false;

  if (walk->doctor->hba == NULL)
    ok = say(walk, true, "not asked: no database was reached");
  else if (rule == NULL)
    say(walk, false, "no line of pg_hba.conf is for hostssl, this database and role \"%s\"",
        role.name);
  else if (!pam_file_name(walk->service_name, own, sizeof own) || name == NULL ||
           strcasecmp(name, own) != 0)
    say(walk, false, "line %u decides: %s %s%s", rule->line, rule->type, rule->method,
        name != NULL ? " with another pamservice" : "");
  else
    ok = say(walk, true, "line %u: %s pam pamservice=%s", rule->line, rule->type, name);
  json_decref(rows);
  return ok;
}

static bool enter(struct walk *walk) {
  const struct cortex_settings *settings = walk->doctor->check.settings;
  json_t *rows = ask_role(walk);
  const json_t *row = json_array_get(rows, 0);
  bool ok = true;

  if (rows == NULL)
    say(walk, true, "not asked: no database was reached");
  else if (row == NULL && strcmp(cortex_settings_value(settings, "roles", "jit"), "yes") == 0)
    say(walk, true, "role \"%s\" will be made", role_of(walk));
  else if (row == NULL)
    ok = say(walk, false, "role \"%s\" does not exist; [roles] jit = no", role_of(walk));
  else if (!json_is_true(json_object_get(row, "login")))
    ok = say(walk, false, "role \"%s\" may not log in", role_of(walk));
  else
    say(walk, true, "role \"%s\"", role_of(walk));
  json_decref(rows);
  return ok;
}

/* In the order in which a login meets them, but that pg_hba.conf needs to know the role. */
static const struct step {
  const char *name;
  bool (*take)(struct walk *walk);
} steps[] = {
    {"credential", send_it},
    {"service", find_service},
    {"pam", read_pam},
    {"verify", verify},
    {"revocation", ask_revocation},
    {"admit", admit},
    {"pg_hba", ask_hba},
    {"binding", ask_binding},
    {"reaper", ask_reaper},
    {"policy", decide},
    {"record", record},
    {"role", enter},
};

bool doctor_walk(struct doctor *doctor, const struct cli *cli) {
  const struct cortex_clock *clock = cortex_clock_system();
  /* A login fetches nothing, so neither does this. */
  struct walk walk = {.doctor = doctor,
                      .proof = {.now = clock->now(clock) / 1000000, .offline = true},
                      .service_name = cli_value(cli, "service"),
                      .role = cli_value(cli, "role"),
                      .address = cli_value(cli, "address")};
  bool ok = proof_read(cli->operands[0], &walk.proof);
  size_t i;

  doctor->steps = json_array();
  for (i = 0; ok && doctor->stopped == NULL && i < sizeof steps / sizeof steps[0]; i++) {
    if (doctor->check.settings == NULL) {
      say(&walk, false, "config_invalid: see the findings");
      doctor->stopped = "configuration";
    } else if (!steps[i].take(&walk)) {
      doctor->stopped = steps[i].name;
    }
    json_array_append_new(doctor->steps,
                          json_pack("{s:s, s:b, s:o}", "step",
                                    doctor->stopped != NULL ? doctor->stopped : steps[i].name, "ok",
                                    doctor->stopped == NULL, "what", out_text(walk.what)));
  }
  cortex_identity_free(&walk.identity);
  proof_clear(&walk.proof);
  return ok;
}
