/*
 * What the sections of cortex-sync say together: [role], [database], [profile].
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SETTINGS_SYNC_H
#define CX_SETTINGS_SYNC_H

#include "settings/settings.h"
#include "util/error.h"

/* Checks all of them: keys that fit their kind, clusters and profiles that exist. */
CORTEX_MUSTCHECK enum cortex_reason cx_sync_check(const struct cortex_settings *settings,
                                                  struct cortex_error *error);

#endif
