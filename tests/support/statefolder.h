/*
 * A throwaway state folder with settings that name it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TESTS_SUPPORT_STATEFOLDER_H
#define TESTS_SUPPORT_STATEFOLDER_H

#include <cortexauth/clock.h>

#include "scratch.h"
#include "state/folder.h"

struct statefolder {
  char path[SCRATCH_PATH];
  char name[256]; /* of statefolder_name */
  struct cortex_settings *settings;
  struct cx_wait wait; /* long, by the system's clock */
};

/* cmocka set-up and tear-down: all parts are there. */
int statefolder_setup(void **state);
int statefolder_teardown(void **state);

/* The path of a part, or of a file in it; overwritten by the next call. */
const char *statefolder_name(struct statefolder *folder, enum cx_state_part part,
                             const char *file);

/* Writes a file of a part as a stranger would; reads one, NUL-terminated (release with free). */
void statefolder_put(struct statefolder *folder, enum cx_state_part part, const char *file,
                     const void *bytes, size_t len);
char *statefolder_get(struct statefolder *folder, enum cx_state_part part, const char *file,
                      size_t *len_out);

#endif
