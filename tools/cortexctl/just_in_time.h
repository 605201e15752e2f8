/*
 * What the configuration says of roles just in time.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_JUST_IN_TIME_H
#define CORTEXCTL_JUST_IN_TIME_H

#include <stdbool.h>
#include <stddef.h>

#include <cortexauth/settings.h>

bool jit_is_on(const struct cortex_settings *settings);

/* A keyword's value in jit_conninfo; false where jit is off, or the value too long. */
bool jit_word(const struct cortex_settings *settings, const char *keyword, char *text, size_t size);

#endif
