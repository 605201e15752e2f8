/*
 * The state's part of cortexctl check: its folders, and settings that need them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check.h"

#include <string.h>

#include <cortexauth/state.h>

void check_state(struct check *check) {
  struct check_place place = check_key_place(check, "state", "path");
  struct cortex_error error = CORTEX_ERROR_NONE;
  const struct cortex_issuer *issuer;
  const char *part;
  size_t i;

  for (i = 0; cortex_state_check(check->settings, i, &part, &error) != CORTEX_OK || part != NULL;
       i++) {
    if (error.reason != CORTEX_OK)
      check_find(check, CHECK_STATE_UNUSABLE, place, "%s: %s", error.source, error.message);
    error = (struct cortex_error)CORTEX_ERROR_NONE;
  }
  for (i = 0; (issuer = cortex_settings_issuer(check->settings, i)) != NULL; i++) {
    const char *one_use = cortex_issuer_value(issuer, "one_use");
    const char *window = cortex_issuer_value(issuer, "reuse_window");

    if (one_use != NULL && strcmp(one_use, "no") == 0 && window != NULL && strcmp(window, "0") != 0)
      check_find(
          check, CHECK_REUSE_WINDOW_IDLE,
          (struct check_place){check->config, cortex_issuer_key_line(issuer, "reuse_window"), 0},
          "reuse_window has no effect without one_use = yes");
  }
}
