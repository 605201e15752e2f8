/*
 * What reading a file of profiles and judging a profile know of each other.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_PROFILE_FILE_H
#define CORTEX_LOGIN_PROFILE_FILE_H

#include "profile.h"

/* The folder of a path: static storage, until the next call. */
const char *profile_folder(const char *file);

/* One key; false with what is wrong in message. */
bool profile_put(struct profile *profile, const char *key, const char *text, char *message,
                 size_t size);

/* Defaults, and whether the profile is complete; false with what is wrong in message. */
bool profile_finish(struct profile *profile, char *message, size_t size);

void profile_clear(struct profile *profile);

#endif
