/*
 * The clock a caller lends to the library, which never reads one by itself.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_CLOCK_H
#define CORTEXAUTH_CLOCK_H

#include <stdint.h>

#include <cortexauth/reason.h>

struct cortex_clock {
  int64_t (*now)(const struct cortex_clock *);       /* microseconds since 1970-01-01 UTC */
  int64_t (*monotonic)(const struct cortex_clock *); /* nanoseconds, never steps back */
  int64_t offset;                                    /* for the two functions' own use */
};

/* The system's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC). Static storage; thread safe. */
CORTEX_API const struct cortex_clock *cortex_clock_system(void);

#endif
