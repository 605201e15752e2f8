/*
 * What the commands of cortex-login share: the profile and the options.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "login.h"

#include <stdlib.h>

enum cli_exit login_begin(const struct cli *cli, struct profiles *profiles,
                          struct profile **profile_out, struct acquire_how *how_out) {
  enum cli_exit code = profiles_load(cli_value(cli, "config"), profiles);
  const char *flow = cli_value(cli, "flow");

  *profile_out = NULL;
  if (code != CLI_DONE)
    return code;
  *how_out = (struct acquire_how){cli_has(cli, "fresh"), cli_has(cli, "unattended")};
  if (cli_has(cli, "no-browser") && setenv("BROWSER", "", 1) != 0)
    return CLI_OUTSIDE;
  *profile_out = profiles_find(profiles, cli->operand_count > 0 ? cli->operands[0] : NULL);
  if (*profile_out == NULL || (flow != NULL && !profile_set_flow(*profile_out, flow)))
    return CLI_USAGE;
  return CLI_DONE;
}
