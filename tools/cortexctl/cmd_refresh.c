/*
 * cortexctl refresh: issuers' keys from the network into the cache that logins read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "refresh.h"

/* Blocked and read from a descriptor, so that none is missed between two waits. */
static int catch_signals(void) {
  sigset_t caught;

  sigemptyset(&caught);
  sigaddset(&caught, SIGTERM);
  sigaddset(&caught, SIGINT);
  sigaddset(&caught, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &caught, NULL) != 0)
    return -1;
  return signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* True when the configuration is to be read anew; false: the run is to end. */
static bool is_reload(int signals) {
  struct signalfd_siginfo signal = {.ssi_signo = 0};

  return read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal &&
         signal.ssi_signo == SIGHUP;
}

/* A configuration that is bad now leaves the one that was good before. */
static void reload(const struct cli *cli, struct cortex_settings **settings) {
  struct cortex_settings *fresh = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &fresh, &error) !=
      CORTEX_OK) {
    cli_complain_error(&error);
    return;
  }
  cortex_settings_free(settings);
  *settings = fresh;
}

static enum cli_exit watch(const struct cli *cli, struct cortex_settings **settings,
                           struct refresh_options *options) {
  struct refresh_outcome outcome;
  enum cli_exit code = CLI_DONE;
  bool again = true;

  options->signals = catch_signals();
  if (options->signals < 0) {
    cli_complain("signals: %s", strerror(errno));
    return CLI_OUTSIDE;
  }
  while (again && code == CLI_DONE) {
    if (options->label == NULL)
      policy_image_refresh(*settings);
    code = refresh_run(*settings, options, &outcome) ? CLI_DONE : CLI_OUTSIDE;
    again = is_reload(options->signals);
    if (again && code == CLI_DONE)
      reload(cli, settings);
  }
  close(options->signals);
  return code;
}

static enum cli_exit run_once(const struct cortex_settings *settings,
                              const struct refresh_options *options) {
  struct refresh_outcome outcome;
  bool is_written = true;

  if (options->mode == REFRESH_ONCE && options->label == NULL)
    is_written = policy_image_refresh(settings);
  if (!refresh_run(settings, options, &outcome))
    return CLI_OUTSIDE;
  if (outcome.issuers == 0)
    puts("there is nothing to fetch: every issuer names a file");
  return outcome.failed > 0 || !outcome.is_tidy || !is_written ? CLI_OUTSIDE : CLI_DONE;
}

static bool check_label(const struct cli *cli, const struct cortex_settings *settings) {
  const char *label = cli_value(cli, "issuer");
  const struct cortex_issuer *issuer;
  size_t i;

  if (label == NULL)
    return true;
  for (i = 0; (issuer = cortex_settings_issuer(settings, i)) != NULL; i++)
    if (strcmp(cortex_issuer_label(issuer), label) == 0)
      break;
  if (issuer == NULL)
    cli_misuse(cli, "--issuer: no section has the label '%s'", label);
  else if (!cortex_issuer_is_fetched(issuer))
    cli_misuse(cli, "--issuer: '%s' names a file, nothing is fetched for it", label);
  else
    return true;
  return false;
}

static enum cli_exit run(const struct cli *cli) {
  struct refresh_options options = {.mode = cli_has(cli, "watch")       ? REFRESH_WATCH
                                            : cli_has(cli, "requested") ? REFRESH_REQUESTED
                                                                        : REFRESH_ONCE,
                                    .label = cli_value(cli, "issuer"),
                                    .is_forced = cli_has(cli, "force"),
                                    .signals = -1};
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (cli_has(cli, "watch") + cli_has(cli, "requested") + cli_has(cli, "force") > 1)
    return cli_misuse(cli, "only one of --watch, --requested and --force can be given");
  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK)
    cli_complain_error(&error);
  else if (check_label(cli, settings))
    code = options.mode == REFRESH_WATCH ? watch(cli, &settings, &options)
                                         : run_once(settings, &options);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"issuer", "LABEL", "this issuer alone (all)", false, false},
    {"force", NULL, "fetch also what its issuer calls fresh, and all of it", false, false},
    {"requested", NULL, "fetch what is due and what logins ask for, then end", false, false},
    {"watch", NULL, "do so until a signal ends it", false, false},
    {0},
};

const struct cli_verb cmd_refresh = {"refresh", "", 0, 0, "fetch issuers' keys into the cache",
                                     options,   run};
