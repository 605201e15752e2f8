/*
 * cortex-login exec: runs a client of PostgreSQL with a token as its password.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wipe.h"

#define NOT_FOUND 127 /* as env(1) and the shell say it */
#define NOT_RUN 126

/* Libpq's own, prefer, gives the token to whoever answers, in clear where they like; by a socket it
 * means nothing. NULL: as it is. */
static const char *sslmode_of(const struct profile *profile) {
  if (profile->sslmode != NULL || profile->host == NULL || getenv("PGSSLMODE") != NULL)
    return profile->sslmode;
  return "verify-full";
}

/* The environment is the child's alone; arguments would be everybody's to see. */
static bool set_environment(const struct profile *profile, const char *token) {
  const char *const pairs[][2] = {
      {"PGPASSWORD", token},
      {"PGHOST", profile->host},
      {"PGPORT", profile->port},
      {"PGDATABASE", profile->database},
      {"PGUSER", profile->user},
      {"PGSSLMODE", sslmode_of(profile)},
      {"PGSSLROOTCERT", profile->sslrootcert},
  };
  size_t i;

  for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    if (pairs[i][1] != NULL && setenv(pairs[i][0], pairs[i][1], 1) != 0) {
      cli_complain("out of memory");
      return false;
    }
  return true;
}

/* libpq believes them before PGHOST, a service before PGSSLMODE too: the token would go there. */
static bool clear_environment(const struct profile *profile) {
  if (profile->host == NULL || (unsetenv("PGSERVICE") == 0 && unsetenv("PGHOSTADDR") == 0))
    return true;
  cli_complain("out of memory");
  return false;
}

/* This process becomes the command: its signals and its exit code are nobody else's. */
static enum cli_exit become(char *const *command) {
  execvp(command[0], command);
  cli_complain("%s: %s", command[0], strerror(errno));
  return (enum cli_exit)(errno == ENOENT ? NOT_FOUND : NOT_RUN);
}

static enum cli_exit run(const struct cli *cli) {
  struct profiles profiles = {0};
  struct profile *profile;
  struct acquire_how how;
  char *token = NULL;
  int64_t expires;
  enum cli_exit code = login_begin(cli, &profiles, &profile, &how);

  if (code == CLI_DONE)
    code = acquire_token(profile, &how, &token, &expires);
  if (code == CLI_DONE)
    code = clear_environment(profile) && set_environment(profile, token) ? CLI_DONE : CLI_OUTSIDE;
  wipe_free(token);
  profiles_clear(&profiles);
  return code == CLI_DONE ? become(cli->command) : code;
}

static const struct cli_option options[] = {
    LOGIN_OPTIONS,
    {0},
};

const struct cli_verb cmd_exec = {"exec", "[PROFILE] -- COMMAND [ARGUMENT]...",       0,
                                  1,      "run a command with a token in PGPASSWORD", options,
                                  run};
