/*
 * cortexctl audit rotate: begin a new audit file that continues the chain.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <stdio.h>

#include <cortexauth/audit.h>

static enum cli_exit run(const struct cli *cli) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct cortex_settings *settings = NULL;
  struct cortex_audit_options audit;
  struct cortex_error error = CORTEX_ERROR_NONE;
  char archive[CORTEX_AUDIT_PATH_MAX];
  enum cli_exit code = CLI_DONE;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK) {
    cli_complain_error(&error);
    return CLI_USAGE;
  }
  cortex_audit_options_get(settings, &audit);
  if (cortex_audit_rotate(&audit, clock, 0, archive, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    code = CLI_OUTSIDE;
  } else if (*archive != '\0') {
    printf("%s\n", archive);
  }
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {0},
};

const struct cli_verb cmd_audit_rotate = {
    "audit rotate", "", 0, 0, "begin a new audit file and print the kept one's name", options, run};
