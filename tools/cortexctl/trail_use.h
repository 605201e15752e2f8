/*
 * When roles were used last, as the audit trail says.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_TRAIL_USE_H
#define CORTEXCTL_TRAIL_USE_H

#include <stdbool.h>
#include <stddef.h>

/* A time as the trail writes it, to the second; text order is time order. */
#define TRAIL_TIME_LEN 19

struct trail_use {
  const char *role;              /* borrowed */
  char last[TRAIL_TIME_LEN + 1]; /* of its last login that was allowed; "" : none */
};

/*
 * Reads the kept files and the current one.
 *   in   uses: in the order of their roles' bytes
 *   out  from: the time of the oldest record; "" when there is none
 *   gives  false, after a complaint, when a file is there and cannot be read, or without memory
 */
bool trail_use_read(const char *current, struct trail_use *uses, size_t count,
                    char from[TRAIL_TIME_LEN + 1]);

#endif
