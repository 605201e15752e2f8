/*
 * Checking sections with labels, once all of the configuration is read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "settings/section.h"

enum cortex_reason cx_section_refuse(const struct cx_section_check *check, const char *key,
                                     const char *what) {
  return cx_error_at(
      check->error, CORTEX_CONFIG_INVALID,
      (struct cx_place){check->settings->name, cortex_section_line(check->section, key), 0},
      "%s: %s", key, what);
}
