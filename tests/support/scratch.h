/*
 * A throwaway folder of a test.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

#define SCRATCH_PATH 64 /* bytes of its path */

/* Makes one below TMPDIR, by default /tmp; fails the test where that cannot be. */
void scratch_make(char path[static SCRATCH_PATH]);

/* Puts a new file, mode 0600, in the place of the one that may have that name there. */
void scratch_write(const char *folder, const char *name, const void *bytes, size_t len);

/* The folder with all that is in it. */
void scratch_remove(const char *path);

#endif
