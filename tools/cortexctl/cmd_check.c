/*
 * cortexctl check: is all of it as it must be?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

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
  check_state(check);
  if (cortex_policy_load_text(check->settings, &policy, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    return error.reason == CORTEX_INTERNAL ? CLI_OUTSIDE : CLI_USAGE;
  }
  check->policy = policy;
  check_policies(check);
  check_services(check);
  check_pam(check);
  check_image(check);
  code = sum_up(check, cli_has(cli, "strict"));
  cortex_policy_free(&policy);
  return code;
}

/* PostgreSQL's user reads and writes what root could read and write anyway: so become it. */
static enum cli_exit become(const char *name) {
  const struct passwd *user = getpwnam(name);

  if (user == NULL) {
    cli_complain("--as: there is no user '%s'", name);
    return CLI_USAGE;
  }
  if (geteuid() == user->pw_uid)
    return CLI_DONE;
  if (initgroups(name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0)
    return CLI_DONE;
  cli_complain("--as %s: %s", name, strerror(errno));
  return CLI_OUTSIDE;
}

static enum cli_exit run(const struct cli *cli) {
  struct check check = {.config = cli_value_or(cli, "config", CONFIG_DEFAULT),
                        .pam_folder = cli_value_or(cli, "pam-folder", CHECK_PAM_FOLDER),
                        .offline = cli_has(cli, "offline")};
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = cli_has(cli, "as") ? become(cli_value(cli, "as")) : CLI_DONE;

  if (code != CLI_DONE)
    return code;
  code = CLI_USAGE;
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
    {"as", "USER", "check as PostgreSQL's user would meet it; for root", false, false},
    {"offline", NULL, "do not fetch the keys of issuers", false, false},
    {"pam-folder", "DIR", "where the services' PAM files are (" CHECK_PAM_FOLDER ")", false, false},
    {"strict", NULL, "warnings count as errors", false, false},
    {0},
};

const struct cli_verb cmd_check = {
    "check", "", 0, 0, "check configuration, keys, policies, services and files", options, run};
