/*
 * cortex-login token: prints a token, or keeps one fresh in a password file.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "login.h"

#include <stdio.h>
#include <time.h>

#include "passfile.h"
#include "provider.h"
#include "wipe.h"

#define LOOK_AGAIN 30    /* seconds: at somebody else's file, or after a failure */
#define LOOK_AT_MOST 600 /* a machine that slept must not wait on for hours */

static enum cli_exit print_token(const char *token) {
  printf("%s\n", token);
  return CLI_DONE; /* whether it arrived is seen when standard output is flushed */
}

static enum cli_exit put_once(const struct profile *profile, const struct acquire_how *how,
                              const char *file, int64_t *expires) {
  char *token = NULL;
  enum cli_exit code = acquire_token(profile, how, &token, expires);

  if (code == CLI_DONE)
    code = file != NULL ? passfile_put(file, profile, token) : print_token(token);
  wipe_free(token);
  return code;
}

/* Seconds until the line is looked after again. */
static int64_t next_look(const struct profile *profile, enum cli_exit code, int64_t expires) {
  int64_t lifetime = expires - provider_now(), left = lifetime - profile->renew_seconds;

  if (code != CLI_DONE || profile->flow_kind == FLOW_TOKEN_FILE || expires == 0)
    return LOOK_AGAIN;
  if (left < 1) /* a token that lives shorter than renew_before */
    left = lifetime / 2 < 1 ? 1 : lifetime / 2;
  return left < LOOK_AT_MOST ? left : LOOK_AT_MOST;
}

/* Until a signal ends it. What may pass by itself is tried again, a clear no is the end. */
static enum cli_exit renew_on(const struct profile *profile, struct acquire_how how,
                              const char *file, int64_t expires) {
  enum cli_exit code = CLI_DONE;

  how.fresh = false;
  how.unattended = true;
  while (code == CLI_DONE || code == CLI_OUTSIDE ||
         (code != CLI_DONE && profile->flow_kind == FLOW_TOKEN_FILE)) {
    struct timespec pause = {(time_t)next_look(profile, code, expires), 0};

    nanosleep(&pause, NULL);
    code = put_once(profile, &how, file, &expires);
  }
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  const char *file = cli_value(cli, "passfile");
  struct profiles profiles = {0};
  struct profile *profile;
  struct acquire_how how;
  int64_t expires = 0;
  enum cli_exit code;

  if (cli_has(cli, "renew") && file == NULL)
    return cli_misuse(cli, "--renew needs --passfile");
  code = login_begin(cli, &profiles, &profile, &how);
  if (code == CLI_DONE)
    code = put_once(profile, &how, file, &expires);
  if (code == CLI_DONE && cli_has(cli, "renew"))
    code = renew_on(profile, how, file, expires);
  profiles_clear(&profiles);
  return code;
}

static const struct cli_option options[] = {
    LOGIN_OPTIONS,
    {"passfile", "FILE", "write it as a line of a PGPASSFILE instead", false, false},
    {"renew", NULL, "stay, and renew the line before its token ends", false, false},
    {0},
};

const struct cli_verb cmd_token = {
    "token", "[PROFILE]", 0, 1, "print a token, after a login where one is needed", options, run};
