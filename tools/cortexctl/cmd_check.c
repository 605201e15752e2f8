/*
 * cortexctl check: is all of it as it must be?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <stdarg.h>
#include <stdio.h>

#include "check.h"

#define PAM_FOLDER "/etc/pam.d"

void check_report(struct check *check, enum check_severity severity, struct check_place place,
                  const char *format, ...) {
  struct cortex_error shown = {.line = place.line, .column = place.column};
  int len = snprintf(shown.message, sizeof shown.message, "%s",
                     severity == CHECK_WARNING ? "warning: " : "");
  va_list args;

  check->found[severity]++;
  snprintf(shown.source, sizeof shown.source, "%s", place.name != NULL ? place.name : "");
  va_start(args, format);
  vsnprintf(shown.message + len, sizeof shown.message - (size_t)len, format, args);
  va_end(args);
  cli_complain_error(&shown);
}

struct check_place check_key_place(const struct check *check, const char *section,
                                   const char *key) {
  return (struct check_place){check->config, cortex_settings_line(check->settings, section, key),
                              0};
}

static enum cli_exit sum_up(const struct check *check, bool strict) {
  size_t warnings = check->found[CHECK_WARNING], errors = check->found[CHECK_ERROR];

  printf("%s: %zu issuer%s, %zu service%s, %zu polic%s; %zu error%s, %zu warning%s\n",
         check->config, cortex_settings_issuer_count(check->settings),
         cortex_settings_issuer_count(check->settings) == 1 ? "" : "s",
         cortex_policy_service_count(check->policy),
         cortex_policy_service_count(check->policy) == 1 ? "" : "s",
         cortex_policy_count(check->policy), cortex_policy_count(check->policy) == 1 ? "y" : "ies",
         errors + check->found[CHECK_OUTSIDE], errors + check->found[CHECK_OUTSIDE] == 1 ? "" : "s",
         warnings, warnings == 1 ? "" : "s");
  if (errors > 0 || (strict && warnings > 0))
    return CLI_NO;
  return check->found[CHECK_OUTSIDE] > 0 ? CLI_OUTSIDE : CLI_DONE;
}

/* Without a policy the rest is still looked at, so that one run names all faults. */
static enum cli_exit check_all(const struct cli *cli, struct check *check) {
  struct cortex_policy *policy = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code;

  check_issuers(check);
  check_audit(check);
  if (cortex_policy_load(check->settings, &policy, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    return error.reason == CORTEX_INTERNAL ? CLI_OUTSIDE : CLI_USAGE;
  }
  check->policy = policy;
  check_services(check);
  check_pam(check);
  code = sum_up(check, cli_has(cli, "strict"));
  cortex_policy_free(&policy);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct check check = {.config = cli_value_or(cli, "config", CONFIG_DEFAULT),
                        .pam_folder = cli_value_or(cli, "pam-folder", PAM_FOLDER),
                        .offline = cli_has(cli, "offline")};
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (cortex_settings_load(check.config, &settings, &error) != CORTEX_OK) {
    cli_complain_error(&error);
  } else {
    check.settings = settings;
    code = check_all(cli, &check);
  }
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"offline", NULL, "do not fetch the keys of issuers", false, false},
    {"pam-folder", "DIR", "where the services' PAM files are (" PAM_FOLDER ")", false, false},
    {"strict", NULL, "warnings count as errors", false, false},
    {0},
};

const struct cli_verb cmd_check = {
    "check", "", 0, 0, "check configuration, keys, policies, services and files", options, run};
