/*
 * What a [directory "LABEL"] section needs, by its kind.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SETTINGS_DIRECTORY_H
#define CX_SETTINGS_DIRECTORY_H

#include "settings/settings.h"
#include "util/error.h"

/* Checks all of them: required keys, and that nothing is asked in the clear beyond this host. */
CORTEX_MUSTCHECK enum cortex_reason cx_directories_check(const struct cortex_settings *settings,
                                                         struct cortex_error *error);

#endif
