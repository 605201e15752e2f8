/*
 * What the commands of cortex-login share.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_LOGIN_H
#define CORTEX_LOGIN_LOGIN_H

#include "acquire.h"
#include "common/cli.h"
#include "profile.h"

extern const struct cli_verb cmd_token;
extern const struct cli_verb cmd_exec;
extern const struct cli_verb cmd_status;
extern const struct cli_verb cmd_logout;

/* Options of commands that get a token; a table of options begins with them. */
#define LOGIN_CONFIG_OPTION                                                                        \
  { "config", "FILE", "read profiles from FILE alone", false, false }
#define LOGIN_OPTIONS                                                                              \
  LOGIN_CONFIG_OPTION,                                                                             \
      {"flow", "FLOW", "get the token another way than the profile says", false, false},           \
      {"fresh", NULL, "do not use a token that was handed out before", false, false},              \
      {"unattended", NULL, "fail where a person would have to log in", false, false}, {            \
    "no-browser", NULL, "only print the address to open", false, false                             \
  }

/*
 * The profile that the command line asks for (the first operand, at most), and how.
 *   out  profiles: clear them in any case
 *   gives  CLI_DONE, or CLI_USAGE after a complaint
 */
enum cli_exit login_begin(const struct cli *cli, struct profiles *profiles,
                          struct profile **profile_out, struct acquire_how *how_out);

#endif
