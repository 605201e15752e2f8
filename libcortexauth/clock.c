/*
 * The system's clocks, for callers that have no other.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/clock.h>

#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id, int64_t per_second) {
  struct timespec time = {0, 0};

  clock_gettime(id, &time);
  return (int64_t)time.tv_sec * per_second + time.tv_nsec / (1000000000 / per_second);
}

static int64_t system_now(const struct cortex_clock *clock) {
  return read_clock(CLOCK_REALTIME, 1000000) + clock->offset;
}

static int64_t system_monotonic(const struct cortex_clock *clock) {
  (void)clock;
  return read_clock(CLOCK_MONOTONIC, 1000000000);
}

const struct cortex_clock *cortex_clock_system(void) {
  static const struct cortex_clock system = {system_now, system_monotonic, 0};

  return &system;
}
