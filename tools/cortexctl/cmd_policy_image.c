/*
 * cortexctl policy image: the configured policy as a file that logins need not read and check.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cortexauth/decision.h>
#include <cortexauth/settings.h>

/* Sources that changed just now settle within three seconds, unless somebody goes on. */
#define ATTEMPTS 5

static enum cortex_reason write_image(const struct cortex_settings *settings,
                                      struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_INTERNAL;
  bool is_early = true;
  int attempt;

  for (attempt = 0; attempt < ATTEMPTS && is_early; attempt++) {
    if (attempt > 0)
      sleep(1);
    *error = (struct cortex_error)CORTEX_ERROR_NONE;
    reason = cortex_policy_write_image(settings, (int64_t)time(NULL), &is_early, error);
  }
  return reason;
}

bool policy_image_refresh(const struct cortex_settings *settings) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_image_state state = CORTEX_IMAGE_ABSENT;

  if (cortex_settings_value(settings, "policy", "image") != NULL)
    state = cortex_policy_check_image(settings, &error);
  if (state == CORTEX_IMAGE_CURRENT || state == CORTEX_IMAGE_ABSENT)
    return true;
  if (write_image(settings, &error) == CORTEX_OK) {
    printf("%s: written anew\n", cortex_settings_value(settings, "policy", "image"));
    return true;
  }
  cli_complain_error(&error);
  return false;
}

enum policy_image_answer policy_image_serve(const struct cortex_settings *settings) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  bool is_early = false;

  if (cortex_policy_check_image(settings, &error) == CORTEX_IMAGE_CURRENT)
    return POLICY_IMAGE_KEPT;
  error = (struct cortex_error)CORTEX_ERROR_NONE;
  if (cortex_policy_write_image(settings, (int64_t)time(NULL), &is_early, &error) == CORTEX_OK) {
    printf("%s: written anew\n", cortex_settings_value(settings, "policy", "image"));
    return POLICY_IMAGE_WRITTEN;
  }
  if (is_early)
    return POLICY_IMAGE_EARLY;
  cli_complain_error(&error);
  return POLICY_IMAGE_KEPT;
}

static enum cli_exit report(const struct cortex_settings *settings) {
  const char *path = cortex_settings_value(settings, "policy", "image");
  struct stat status;

  if (stat(path, &status) != 0) {
    cli_complain("%s is gone again", path);
    return CLI_OUTSIDE;
  }
  printf("%s: %lld bytes\n", path, (long long)status.st_size);
  return CLI_DONE;
}

static enum cli_exit run(const struct cli *cli) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  enum cli_exit code;

  reason = cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error);
  if (reason == CORTEX_OK)
    reason = write_image(settings, &error);
  if (reason == CORTEX_OK) {
    code = report(settings);
  } else {
    cli_complain_error(&error);
    code =
        reason == CORTEX_STATE_UNAVAILABLE || reason == CORTEX_INTERNAL ? CLI_OUTSIDE : CLI_USAGE;
  }
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {OPTION_CONFIG, {0}};

const struct cli_verb cmd_policy_image = {
    "policy image", "", 0, 0, "write the image of the configured policy that logins use",
    options,        run};
