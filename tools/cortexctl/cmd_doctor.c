/*
 * cortexctl doctor: what is wrong on this host, what it means, and what puts it right.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <stdio.h>
#include <string.h>

#include "common/out.h"
#include "doctor.h"
#include "hba.h"

#define POOLER_FILE "/etc/pgbouncer/pgbouncer.ini"

static void look_at_issuers(struct doctor *doctor) {
  if (doctor->check.settings != NULL)
    check_issuers(&doctor->check);
}

static void look_at_services(struct doctor *doctor) {
  if (doctor->check.policy == NULL)
    return;
  check_policies(&doctor->check);
  check_services(&doctor->check);
  check_image(&doctor->check);
}

static void look_at_state(struct doctor *doctor) {
  if (doctor->check.settings != NULL)
    check_state(&doctor->check);
}

/* All that is looked at, in this order; where a part lacks what it needs it is silent. */
static const struct part {
  const char *name;
  void (*look)(struct doctor *doctor);
} parts[] = {
    {"files", doctor_files},   {"issuers", look_at_issuers},   {"keys", doctor_keys},
    {"clock", doctor_clock},   {"services", look_at_services}, {"state", look_at_state},
    {"reaper", doctor_reaper}, {"audit", doctor_audit},        {"pam", doctor_pam},
    {"server", doctor_server}, {"pg_hba", doctor_hba},         {"jit", doctor_jit},
    {"pooler", doctor_pooler},
};

/* ---- for people ---- */

static const char *text_of(const json_t *finding, const char *member) {
  const char *text = json_string_value(json_object_get(finding, member));

  return text != NULL ? text : "";
}

static void print_clean(const char *before, const char *text) {
  char line[1200];

  snprintf(line, sizeof line, "%s", text);
  cli_flatten(line);
  printf("%s%s\n", before, line);
}

static void print_finding(const json_t *finding) {
  json_int_t line = json_integer_value(json_object_get(finding, "line"));
  const char *file = text_of(finding, "file");
  char what[1100], head[96];

  if (*file == '\0')
    snprintf(what, sizeof what, "%s", text_of(finding, "what"));
  else if (line == 0)
    snprintf(what, sizeof what, "%s: %s", file, text_of(finding, "what"));
  else
    snprintf(what, sizeof what, "%s:%ld: %s", file, (long)line, text_of(finding, "what"));
  snprintf(head, sizeof head, "%s %s: ", text_of(finding, "severity"), text_of(finding, "name"));
  print_clean(head, what);
  print_clean("  means  ", text_of(finding, "meaning"));
  print_clean("  fix    ", text_of(finding, "fix"));
}

static void print_steps(const json_t *steps) {
  const json_t *step;
  char head[64];
  size_t i;

  printf("the login, step by step\n");
  json_array_foreach(steps, i, step) {
    snprintf(head, sizeof head, "  %-4s  %-13s ",
             json_is_true(json_object_get(step, "ok")) ? "ok" : "STOP", text_of(step, "step"));
    print_clean(head, text_of(step, "what"));
  }
}

static void print_all(const struct doctor *doctor) {
  static const enum check_severity order[] = {CHECK_ERROR, CHECK_OUTSIDE, CHECK_WARNING,
                                              CHECK_NOTE};
  const size_t *found = doctor->check.found;
  const json_t *finding;
  size_t i, at;

  for (i = 0; i < CHECK_SEVERITIES; i++) {
    const char *severity = check_severity_name(order[i]);

    json_array_foreach(doctor->check.findings, at, finding) {
      if (strcmp(text_of(finding, "severity"), severity) == 0)
        print_finding(finding);
    }
  }
  if (doctor->steps != NULL)
    print_steps(doctor->steps);
  printf("%s: %zu errors, %zu unknown, %zu warnings, %zu notes\n", doctor->check.config,
         found[CHECK_ERROR], found[CHECK_OUTSIDE], found[CHECK_WARNING], found[CHECK_NOTE]);
}

/* ---- for programs ---- */

static bool print_json(const struct doctor *doctor) {
  const size_t *found = doctor->check.found;
  json_t *answer =
      json_pack("{s:b, s:I, s:I, s:I, s:I, s:O}", "ok",
                found[CHECK_ERROR] == 0 && found[CHECK_OUTSIDE] == 0 && doctor->stopped == NULL,
                "errors", (json_int_t)found[CHECK_ERROR], "unknown",
                (json_int_t)found[CHECK_OUTSIDE], "warnings", (json_int_t)found[CHECK_WARNING],
                "notes", (json_int_t)found[CHECK_NOTE], "findings", doctor->check.findings);

  if (answer != NULL && doctor->steps != NULL)
    json_object_set_new(
        answer, "login",
        json_pack("{s:s?, s:O}", "stopped", doctor->stopped, "steps", doctor->steps));
  return out_line(answer);
}

/* ---- the command ---- */

static void report_load(struct doctor *doctor, enum check_fault fault,
                        const struct cortex_error *error) {
  const char *file = *error->source != '\0' ? error->source : doctor->check.config;

  check_find(&doctor->check, fault, (struct check_place){file, error->line, error->column}, "%s",
             error->message);
}

static enum cli_exit look(const struct cli *cli, struct doctor *doctor) {
  size_t i;

  doctor_connect(doctor);
  for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
    parts[i].look(doctor);
  if (cli->operand_count > 0 && !doctor_walk(doctor, cli))
    return CLI_USAGE;
  if (cli_has(cli, "json") ? !print_json(doctor) : (print_all(doctor), false))
    return CLI_OUTSIDE;
  if (doctor->check.found[CHECK_ERROR] > 0 || doctor->stopped != NULL)
    return CLI_NO;
  return doctor->check.found[CHECK_OUTSIDE] > 0 ? CLI_OUTSIDE : CLI_DONE;
}

static bool check_usage(const struct cli *cli) {
  bool has_login = cli->operand_count > 0;

  if (has_login && !cli_has(cli, "service"))
    cli_misuse(cli, "a login needs --service NAME");
  else if (!has_login &&
           (cli_has(cli, "service") || cli_has(cli, "role") || cli_has(cli, "address")))
    cli_misuse(cli, "--service, --role and --address go with a credential");
  else
    return cli_address(cli, "address");
  return false;
}

static enum cli_exit run(const struct cli *cli) {
  struct doctor doctor = {.check = {.config = cli_value_or(cli, "config", CONFIG_DEFAULT),
                                    .pam_folder = cli_value_or(cli, "pam-folder", CHECK_PAM_FOLDER),
                                    .offline = cli_has(cli, "offline")},
                          .anchors_file = cli_value(cli, "anchors"),
                          .conninfo = cli_value(cli, "database"),
                          .pooler_file = cli_value_or(cli, "pooler", POOLER_FILE)};
  struct cortex_settings *settings = NULL;
  struct cortex_policy *policy = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code;

  if (!check_usage(cli))
    return CLI_USAGE;
  doctor.check.findings = json_array();
  if (cortex_settings_load(doctor.check.config, &settings, &error) != CORTEX_OK)
    report_load(&doctor, CHECK_CONFIG_INVALID, &error);
  else if (cortex_policy_load_text(settings, &policy, &error) != CORTEX_OK)
    report_load(&doctor, CHECK_POLICY_INVALID, &error);
  doctor.check.settings = settings;
  doctor.check.policy = policy;
  code = look(cli, &doctor);
  doctor_disconnect(&doctor);
  hba_free(&doctor.hba);
  json_decref(doctor.steps);
  json_decref(doctor.check.findings);
  cortex_policy_free(&policy);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"address", "IP", "of a login: where the client is", false, false},
    {"anchors", "FILE", "anchors that the trail is compared with, such as syslog's file", false,
     false},
    {"database", "CONNINFO", "the server to look at, as a superuser (this host's)", false, false},
    {"json", NULL, "one JSON object for programs", false, false},
    {"offline", NULL, "ask neither issuers nor, unless it is named, a server", false, false},
    {"pam-folder", "DIR", "where the services' PAM files are (" CHECK_PAM_FOLDER ")", false, false},
    {"pooler", "FILE", "PgBouncer's configuration (" POOLER_FILE ")", false, false},
    {"role", "ROLE", "of a login: the role that is asked for (the username)", false, false},
    {"service", "NAME", "of a login: the service that is entered", false, false},
    {0},
};

const struct cli_verb cmd_doctor = {"doctor",
                                    "[CREDENTIAL_FILE|-]",
                                    0,
                                    1,
                                    "find what is wrong on this host, and what puts it right",
                                    options,
                                    run};
