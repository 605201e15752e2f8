/*
 * cortexctl report lingering: roles and memberships that nobody may need any more.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cortexauth/cedar.h>
#include <cortexauth/cortexauth.h>

#include "common/out.h"
#include "common/pg.h"
#include "trail_use.h"

#define TIMEOUT 60 /* seconds, of a statement */
#define UNUSED_DEFAULT (90 * 24 * 3600)
#define DETAIL_MAX 700

struct report {
  const struct cli *cli;
  struct cortex_settings *settings;
  struct cortex_policy *policy;
  struct pg *pg;
  const char *cluster; /* label; NULL: the only one */
  int64_t unused;
  char from[TRAIL_TIME_LEN + 1]; /* of the trail */
  size_t unknown;                /* accounts that are older than the trail */
  size_t count;
  json_t *findings; /* NULL: printed as they come */
  bool failed;      /* without memory */
};

static void put(struct report *report, const char *kind, const char *role, const char *granted,
                const char *detail) {
  char text[DETAIL_MAX * 2];
  json_t *item;

  report->count++;
  if (report->findings == NULL) {
    snprintf(text, sizeof text, "%s%s%-10s %s%s%s: %s",
             report->cluster != NULL ? report->cluster : "", report->cluster != NULL ? " " : "",
             kind, role, granted != NULL ? " in " : "", granted != NULL ? granted : "", detail);
    cli_flatten(text);
    puts(text);
    return;
  }
  item = json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", kind, "role", out_text(role), "granted",
                   granted != NULL ? out_text(granted) : json_null(), "detail", out_text(detail),
                   "cluster", report->cluster != NULL ? out_text(report->cluster) : json_null());
  if (item == NULL || json_array_append_new(report->findings, item) != 0)
    report->failed = true;
}

static const char *cell(const PGresult *result, int row, int column) {
  return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

/* ---- what the cluster says by itself ---- */

static void report_cluster(struct report *report, const PGresult *result) {
  int row;

  for (row = 0; row < PQntuples(result); row++)
    put(report, PQgetvalue(result, row, 0), PQgetvalue(result, row, 1), cell(result, row, 2),
        PQgetvalue(result, row, 3));
}

/* ---- accounts and the audit trail ---- */

static void put_time(int64_t seconds, char text[TRAIL_TIME_LEN + 1]) {
  time_t when = (time_t)seconds;
  struct tm parts;

  if (gmtime_r(&when, &parts) == NULL ||
      strftime(text, TRAIL_TIME_LEN + 1, "%Y-%m-%dT%H:%M:%S", &parts) != TRAIL_TIME_LEN)
    text[0] = '\0';
}

/* What the trail does not reach back to is not called unused. */
static void judge_account(struct report *report, const struct trail_use *use, const char *since,
                          const char *limit) {
  char detail[DETAIL_MAX];

  if (use->last[0] != '\0') {
    if (strcmp(use->last, limit) >= 0)
      return;
    snprintf(detail, sizeof detail, "last login %sZ", use->last);
  } else if (since != NULL && strncmp(since, limit, TRAIL_TIME_LEN) >= 0) {
    return;
  } else if (report->from[0] == '\0' || strcmp(report->from, limit) > 0) {
    report->unknown++;
    return;
  } else {
    snprintf(detail, sizeof detail, "no login in the audit trail, which begins at %sZ",
             report->from);
  }
  put(report, "unused", use->role, NULL, detail);
}

static enum cli_exit report_accounts(struct report *report, const PGresult *result) {
  const struct cortex_clock *clock = cortex_clock_system();
  int rows = PQntuples(result), row;
  struct trail_use *uses = calloc((size_t)rows + 1, sizeof *uses);
  struct cortex_audit_options audit;
  char limit[TRAIL_TIME_LEN + 1];
  enum cli_exit code = CLI_OUTSIDE;

  put_time(clock->now(clock) / 1000000 - report->unused, limit);
  cortex_audit_options_get(report->settings, &audit);
  for (row = 0; uses != NULL && row < rows; row++)
    uses[row].role = PQgetvalue(result, row, 0);
  if (uses != NULL && trail_use_read(audit.file, uses, (size_t)rows, report->from)) {
    for (row = 0; row < rows; row++)
      if (PQgetvalue(result, row, 2)[0] != 't')
        judge_account(report, &uses[row], cell(result, row, 1), limit);
    code = CLI_DONE;
  }
  free(uses);
  return code;
}

/* ---- memberships and the policy ---- */

static bool grants(const struct cortex_policy *policy, const char *service, const char *level,
                   const char *role) {
  const char *name;
  unsigned bit;
  size_t i;

  for (bit = CORTEX_LEVEL_READ; bit <= CORTEX_LEVEL_ADMIN; bit <<= 1)
    for (i = 0; strcmp(cortex_level_name(bit), level) == 0 &&
                (name = cortex_policy_grant(policy, service, (enum cortex_level)bit, i)) != NULL;
         i++)
      if (strcmp(name, role) == 0)
        return true;
  return false;
}

/* Why a reason that was noted is none today; false: it still is one. */
static bool is_void(const struct report *report, const PGresult *result, int row,
                    char detail[DETAIL_MAX]) {
  const char *role = PQgetvalue(result, row, 0), *service = PQgetvalue(result, row, 1);
  const char *level = PQgetvalue(result, row, 2), *policy = PQgetvalue(result, row, 3);
  struct cortex_service found;
  uint32_t index;

  if (service[0] == '\0')
    return false; /* by the configuration: the next run of cortex-sync judges it */
  if (!cortex_policy_find_service(report->policy, service, &found))
    snprintf(detail, DETAIL_MAX, "there is no service %.200s any more", service);
  else if (!grants(report->policy, service, level, role))
    snprintf(detail, DETAIL_MAX, "%s on %.200s no longer grants that role", level, service);
  else if (policy[0] != '\0' &&
           !cedar_policy_find(cortex_policy_store(report->policy),
                              (struct cedar_text){policy, strlen(policy)}, &index))
    snprintf(detail, DETAIL_MAX, "%s on %.200s was by policy %.200s, which is gone", level, service,
             policy);
  else
    return false;
  return true;
}

static bool is_same(const PGresult *result, int left, int right) {
  return strcmp(PQgetvalue(result, left, 0), PQgetvalue(result, right, 0)) == 0 &&
         strcmp(PQgetvalue(result, left, 4), PQgetvalue(result, right, 4)) == 0;
}

/* Reasons of one membership stand together; one that holds is enough. */
static void report_reasons(struct report *report, const PGresult *result) {
  char detail[DETAIL_MAX];
  int rows = PQntuples(result), row, next;

  for (row = 0; row < rows; row = next) {
    bool holds = false;

    for (next = row; next < rows && is_same(result, row, next); next++)
      holds = holds || !is_void(report, result, next, detail);
    for (; !holds && row < next; row++)
      if (is_void(report, result, row, detail))
        put(report, "no_policy", PQgetvalue(result, row, 4), PQgetvalue(result, row, 0), detail);
  }
}

/* ---- the whole ---- */

static enum cli_exit complain_pg(const struct report *report) {
  cli_complain("database: %s%s", pg_message(report->pg), pg_hint(report->pg));
  return CLI_OUTSIDE;
}

static bool ask(struct report *report, const char *conninfo) {
  const struct pg_setup setup = {.conninfo = conninfo,
                                 .program = "cortexctl",
                                 .statement_timeout = TIMEOUT,
                                 .lock_timeout = TIMEOUT};

  return pg_open(&setup, &report->pg) &&
         pg_send(report->pg, "SELECT kind, name, granted, detail FROM cortex.report_lingering()",
                 NULL, 0) &&
         pg_send(report->pg, "SELECT name, since, is_in_use FROM cortex.report_accounts()", NULL,
                 0) &&
         pg_send(report->pg,
                 "SELECT granted, service, level, policy, member FROM cortex.report_reasons()",
                 NULL, 0) &&
         pg_sync(report->pg);
}

static enum cli_exit report_one(struct report *report, const char *conninfo) {
  PGresult *parts[3] = {NULL, NULL, NULL};
  enum cli_exit code = CLI_OUTSIDE;
  size_t i, taken = 0;

  if (ask(report, conninfo))
    while (taken < 3 && (parts[taken] = pg_take(report->pg)) != NULL)
      taken++;
  if (taken < 3 || !pg_settle(report->pg)) {
    complain_pg(report);
  } else {
    report_cluster(report, parts[0]);
    code = report_accounts(report, parts[1]);
    report_reasons(report, parts[2]);
  }
  for (i = 0; i < 3; i++)
    PQclear(parts[i]);
  pg_close(&report->pg);
  return code;
}

/* The clusters that cortex-sync looks after, in the order of the file. */
static enum cli_exit report_all(struct report *report) {
  const char *conninfo = cortex_settings_value(report->settings, "sync", "conninfo");
  const struct cortex_section *section;
  enum cli_exit code = CLI_DONE;
  size_t i, clusters = 0;

  for (i = 0; (section = cortex_settings_section(report->settings, i)) != NULL; i++) {
    if (strcmp(cortex_section_kind(section), "cluster") != 0)
      continue;
    clusters++;
    report->cluster = cortex_section_label(section);
    if (report_one(report, cortex_section_value(section, "conninfo")) != CLI_DONE)
      code = CLI_OUTSIDE;
  }
  if (clusters > 0)
    return code;
  if (conninfo == NULL) {
    cli_complain("[sync] conninfo is missing: it says which cluster to look at");
    return CLI_USAGE;
  }
  return report_one(report, conninfo);
}

static enum cli_exit sum_up(struct report *report, enum cli_exit code) {
  bool printed;

  if (report->findings == NULL) {
    if (report->unknown > 0)
      printf("the audit trail does not reach back far enough to judge the use of %zu account%s\n",
             report->unknown, report->unknown == 1 ? "" : "s");
    if (code == CLI_DONE)
      printf("%zu lingering\n", report->count);
    printed = !ferror(stdout);
  } else {
    printed = !report->failed &&
              out_line(json_pack(
                  "{s:b, s:O, s:I, s:I, s:o}", "complete", code == CLI_DONE, "lingering",
                  report->findings, "unused_after", (json_int_t)report->unused, "unknown_use",
                  (json_int_t)report->unknown, "trail_from",
                  report->from[0] != '\0' ? json_sprintf("%sZ", report->from) : json_null()));
  }
  if (code != CLI_DONE || !printed)
    return code != CLI_DONE ? code : CLI_OUTSIDE;
  return report->count > 0 ? CLI_NO : CLI_DONE;
}

static enum cli_exit run(const struct cli *cli) {
  struct report report = {.cli = cli, .unused = UNUSED_DEFAULT};
  struct cortex_error error = CORTEX_ERROR_NONE;
  const char *unused = cli_value(cli, "unused");
  enum cli_exit code = CLI_USAGE;

  if (unused != NULL &&
      (!cortex_duration_parse(unused, &report.unused) || report.unused > EPOCH_MAX))
    return cli_misuse(cli, "--unused: '%s' is no duration", unused);
  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &report.settings, &error) !=
          CORTEX_OK ||
      cortex_policy_load_text(report.settings, &report.policy, &error) != CORTEX_OK) {
    cli_complain_error(&error);
  } else {
    report.findings = cli_has(cli, "json") ? json_array() : NULL;
    code = report_all(&report);
    if (code != CLI_USAGE)
      code = sum_up(&report, code);
  }
  json_decref(report.findings);
  cortex_policy_free(&report.policy);
  cortex_settings_free(&report.settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"unused", "DURATION", "how long an account may be without a login (90d)", false, false},
    {"json", NULL, "print one JSON object", false, false},
    {0},
};

const struct cli_verb cmd_report_lingering = {"report lingering",
                                              "",
                                              0,
                                              0,
                                              "roles and memberships that nobody may need any more",
                                              options,
                                              run};
