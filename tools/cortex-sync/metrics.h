/*
 * What a run found, for Prometheus' textfile collector.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_METRICS_H
#define SYNC_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_KINDS 8

/* Differences by kind, in this order. */
enum metrics_kind {
  METRICS_CREATE,
  METRICS_RESTORE,
  METRICS_CUT,
  METRICS_GRANT,
  METRICS_REVOKE,
  METRICS_ATTRIBUTE,
  METRICS_PRIVILEGE,
  METRICS_DROP
};

/* Of one cluster. */
struct metrics_row {
  const char *cluster; /* label; "" where there is only one */
  int exit;
  bool is_success; /* 0 or 4: what could be done is done, or nothing differs */
  bool is_refused;
  bool is_incomplete;
  bool has_plan; /* false: nothing below is known */
  size_t people;
  size_t rejected;
  size_t removals;
  size_t extra; /* privileges that no rule says */
  size_t drift[METRICS_KINDS]; /* that is left */
};

struct metrics {
  struct metrics_row *items;
  size_t count;
};

/*
 * Writes the file anew, as a whole or not at all. A cluster whose run failed keeps the time of
 * its last success, which is read from the file as it was.
 *   in   now: seconds since 1970
 *   gives  false after a complaint
 */
bool metrics_write(const char *path, const struct metrics *metrics, int64_t now);

#endif
