/*
 * Taking turns among processes: a write lock on a file, and how long to wait for it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_LOCK_H
#define CX_UTIL_LOCK_H

#include <cortexauth/clock.h>
#include <cortexauth/reason.h>
#include <stdbool.h>
#include <stdint.h>

/* How long one may wait for others. */
struct cx_wait {
  const struct cortex_clock *clock;
  int64_t until; /* on clock->monotonic */
};

/* Half a second from now, or the deadline where that is earlier; deadline 0: none. */
struct cx_wait cx_wait_start(const struct cortex_clock *clock, int64_t deadline);

/*
 * Takes the write lock on a whole file that is open for writing, with short
 * sleeps until wait ends. It is given back when the last descriptor of this
 * open file is closed, so also by a kill.
 *   gives  false with errno, ETIMEDOUT when others held it too long
 */
CORTEX_MUSTCHECK bool cx_lock_take(int fd, const struct cx_wait *wait);

/* The same of one byte, which need not be there: who takes another one does not wait. */
CORTEX_MUSTCHECK bool cx_lock_take_byte(int fd, uint32_t at, const struct cx_wait *wait);

/* Gives the lock back while the file stays open. */
void cx_lock_give(int fd);

#endif
