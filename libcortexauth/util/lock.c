/*
 * Taking turns among processes: a write lock on a file, and how long to wait for it.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The lock belongs to the open file description (F_OFD_SETLK): the kernel drops
 * it when the holder dies, and another descriptor of the same process does not.
 */
#include <config.h>

#include "util/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MAX 500000000LL /* nanoseconds */
#define SLEEP_FIRST 100000L
#define SLEEP_LAST 4000000L

struct cx_wait cx_wait_start(const struct cortex_clock *clock, int64_t deadline) {
  struct cx_wait wait = {clock, clock->monotonic(clock) + WAIT_MAX};

  if (deadline != 0 && deadline < wait.until)
    wait.until = deadline;
  return wait;
}

static bool take(int fd, struct flock *part, const struct cx_wait *wait) {
  struct timespec nap = {0, SLEEP_FIRST};

  while (fcntl(fd, F_OFD_SETLK, part) != 0) {
    if (errno != EAGAIN && errno != EACCES && errno != EINTR)
      return false;
    if (wait->clock->monotonic(wait->clock) >= wait->until) {
      errno = ETIMEDOUT;
      return false;
    }
    nanosleep(&nap, NULL);
    if (nap.tv_nsec < SLEEP_LAST)
      nap.tv_nsec *= 2;
  }
  return true;
}

bool cx_lock_take(int fd, const struct cx_wait *wait) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

  return take(fd, &whole, wait);
}

bool cx_lock_take_byte(int fd, uint32_t at, const struct cx_wait *wait) {
  struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};

  return take(fd, &byte, wait);
}

void cx_lock_give(int fd) {
  struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

  (void)fcntl(fd, F_OFD_SETLK, &whole);
}
