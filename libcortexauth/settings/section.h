/*
 * Checking sections with labels, once all of the configuration is read.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SETTINGS_SECTION_H
#define CX_SETTINGS_SECTION_H

#include "settings/settings.h"
#include "util/error.h"

struct cx_section_check {
  const struct cortex_settings *settings;
  const struct cortex_section *section;
  struct cortex_error *error;
};

/* CORTEX_CONFIG_INVALID at the line of a key, or of the section that lacks it. */
enum cortex_reason cx_section_refuse(const struct cx_section_check *check, const char *key,
                                     const char *what);

#endif
