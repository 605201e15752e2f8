/*
 * A password file of libpq (PGPASSFILE) that holds a token, for drivers and pools.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_PASSFILE_H
#define CORTEX_LOGIN_PASSFILE_H

#include <stdbool.h>

#include "profile.h"

/*
 * Puts the profile's line, HOST:PORT:DATABASE:USER:TOKEN with "*" for what the
 * profile leaves open, in place of the one for the same four, or in front of all
 * others, which stay as they are. The file is replaced in one step, mode 0600.
 *   gives  CLI_DONE; after a complaint CLI_USAGE for a file that is not the
 *          caller's alone, CLI_OUTSIDE
 */
enum cli_exit passfile_put(const char *file, const struct profile *profile, const char *token);

#endif
