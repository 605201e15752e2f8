/*
 * The audit file: opened, locked and measured for one write.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "audit/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/rotated.h"
#include "util/file.h"

#define REACH_MAX (1024 * 1024) /* how far back garbage at the end is passed over */
#define WINDOW 16384

static enum cortex_reason refuse(const struct cx_trail *trail, struct cortex_error *error,
                                 const char *doing, const char *what) {
  return cx_error_at(error, CORTEX_AUDIT_UNAVAILABLE, (struct cx_place){trail->path, 0, 0},
                     "the audit file %s: %s", doing, what);
}

/* ---- opening ---- */

static int open_again(const char *path, int flags) {
  int fd;

  /* O_NONBLOCK: a FIFO in the file's place must not hold the login. */
  do
    fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0660);
  while (fd < 0 && errno == EINTR);
  return fd;
}

static const char *fault(int fd) {
  struct stat status;

  if (fstat(fd, &status) != 0)
    return "cannot be examined";
  if (!S_ISREG(status.st_mode))
    return "is not a regular file";
  if ((status.st_mode & S_IWOTH) != 0)
    return "is writable by everybody";
  return NULL;
}

int cx_sink_open(const char *path, enum cx_sink_mode mode, const char **what_out) {
  int flags = (mode & CX_SINK_APPEND) != 0 ? O_APPEND : 0;
  int fd = open_again(path, flags);

  *what_out = NULL;
  if (fd < 0 && errno == ENOENT && (mode & CX_SINK_CREATE) != 0) {
    fd = open_again(path, flags | O_CREAT | O_EXCL);
    if (fd >= 0 && fchmod(fd, 0660) == 0)
      cx_sink_sync_folder(path);
    else if (fd < 0 && errno == EEXIST)
      fd = open_again(path, flags);
  }
  if (fd < 0) {
    if (errno == ELOOP)
      *what_out = "is a symbolic link";
    return -1;
  }
  *what_out = fault(fd);
  if (*what_out == NULL)
    return fd;
  close(fd);
  errno = 0;
  return -1;
}

void cx_sink_sync_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[4096];
  int fd;

  if (slash == NULL || (size_t)(slash - path) >= sizeof folder)
    return;
  memcpy(folder, path, (size_t)(slash - path));
  folder[slash - path] = '\0';
  fd = open(slash == path ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)!fsync(fd);
  close(fd);
}

/* ---- locking ---- */

/* False when the path names another file by now: it was rotated before the lock came. */
static bool is_current(const struct cx_trail *trail) {
  struct stat opened, named;

  return fstat(trail->fd, &opened) == 0 && lstat(trail->path, &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static enum cortex_reason open_locked(struct cx_trail *trail, bool create,
                                      const struct cx_wait *wait, struct cortex_error *error) {
  enum cx_sink_mode mode = create ? CX_SINK_APPEND | CX_SINK_CREATE : CX_SINK_APPEND;
  const char *what;

  for (;;) {
    trail->fd = cx_sink_open(trail->path, mode, &what);
    if (trail->fd < 0 && errno == ENOENT && !create)
      return CORTEX_OK;
    if (trail->fd < 0 && what != NULL)
      return refuse(trail, error, "is refused", what);
    if (trail->fd < 0)
      return refuse(trail, error, "cannot be opened", strerror(errno));
    if (!cx_lock_take(trail->fd, wait))
      return refuse(trail, error, "cannot be locked",
                    errno == ETIMEDOUT ? "other writers held it too long" : strerror(errno));
    if (is_current(trail))
      return CORTEX_OK;
    cx_trail_close(trail);
    if (wait->clock->monotonic(wait->clock) >= wait->until)
      return refuse(trail, error, "cannot be locked", "it is being replaced again and again");
  }
}

/* ---- the head of the chain ---- */

static bool take_head(const char *line, size_t len, struct cx_chain_head *head_out) {
  struct cx_chain_link link;

  if (!cx_chain_parse(line, len, &link))
    return false;
  head_out->seq = link.seq;
  memcpy(head_out->hash, link.hash, CX_CHAIN_HEX);
  head_out->hash[CX_CHAIN_HEX] = '\0';
  return true;
}

/* The usual case: the file ends with a record, with or without its newline. */
static bool find_at_end(int fd, off_t size, struct cx_chain_head *head_out) {
  char tail[CX_CHAIN_TAIL_MAX];
  size_t len = size < (off_t)sizeof tail ? (size_t)size : sizeof tail;

  if (len == 0 || cx_file_pread(fd, tail, len, size - (off_t)len) != (ssize_t)len)
    return false;
  return take_head(tail, tail[len - 1] == '\n' ? len - 1 : len, head_out);
}

/* Looks for the last newline in the window that ends a record. */
static bool find_in(const char *window, size_t len, struct cx_chain_head *head_out,
                    size_t *end_out) {
  size_t i, tail;

  for (i = len; i-- > 0;) {
    tail = i < CX_CHAIN_TAIL_MAX ? i : CX_CHAIN_TAIL_MAX;
    if (window[i] != '\n' || !take_head(window + i - tail, tail, head_out))
      continue;
    *end_out = i + 1;
    return true;
  }
  return false;
}

bool cx_sink_find_head(int fd, off_t size, off_t reach, struct cx_chain_head *head_out,
                       off_t *end_out) {
  char window[WINDOW];
  off_t low = size > reach ? size - reach : 0, end = size, start;
  size_t len, found;

  *end_out = size;
  if (find_at_end(fd, size, head_out))
    return true;
  /* windows overlap, so that the end of a record is whole in one of them */
  while (end > low) {
    start = end - low > (off_t)sizeof window ? end - (off_t)sizeof window : low;
    len = (size_t)(end - start);
    if (cx_file_pread(fd, window, len, start) != (ssize_t)len)
      return false;
    if (find_in(window, len, head_out, &found)) {
      *end_out = start + (off_t)found;
      return true;
    }
    end = start > low ? start + CX_CHAIN_TAIL_MAX : low;
  }
  return false;
}

static bool ends_with_newline(const struct cx_trail *trail) {
  char last;

  return trail->size == 0 ||
         (cx_file_pread(trail->fd, &last, 1, trail->size - 1) == 1 && last == '\n');
}

static enum cortex_reason find_head(struct cx_trail *trail, const struct cx_wait *wait,
                                    struct cortex_error *error) {
  struct stat status;
  off_t end;

  if (fstat(trail->fd, &status) != 0)
    return refuse(trail, error, "cannot be examined", strerror(errno));
  trail->size = status.st_size;
  trail->open_line = !ends_with_newline(trail);
  if (cx_sink_find_head(trail->fd, trail->size, REACH_MAX, &trail->head, &end)) {
    trail->torn = trail->size - end;
    return CORTEX_OK;
  }
  if (trail->size > REACH_MAX)
    return refuse(trail, error, "is damaged", "its last megabyte holds no record");
  trail->torn = trail->size;
  trail->begins = true;
  return cx_rotated_continue(trail, wait, error);
}

/* ---- one write ---- */

/* True, and closed, when a file that continues another is no more the one of the path. */
static bool was_renamed(struct cx_trail *trail) {
  if (trail->fd < 0 || trail->old_fd < 0 || is_current(trail))
    return false;
  cx_trail_close(trail);
  return true;
}

enum cortex_reason cx_trail_open(const char *path, bool create, const struct cx_wait *wait,
                                 struct cx_trail *trail_out, struct cortex_error *error) {
  enum cortex_reason reason;

  /* While the old file's lock was waited for, the new one may have been renamed too. */
  do {
    *trail_out = (struct cx_trail){.path = path, .fd = -1, .old_fd = -1};
    cx_chain_init(&trail_out->head);
    reason = open_locked(trail_out, create, wait, error);
    if (reason == CORTEX_OK && trail_out->fd >= 0)
      reason = find_head(trail_out, wait, error);
  } while (reason == CORTEX_OK && was_renamed(trail_out));
  if (reason != CORTEX_OK)
    cx_trail_close(trail_out);
  return reason;
}

void cx_trail_close(struct cx_trail *trail) {
  if (trail->fd >= 0)
    close(trail->fd);
  if (trail->old_fd >= 0)
    close(trail->old_fd);
  trail->fd = -1;
  trail->old_fd = -1;
}

enum cortex_reason cx_trail_write(struct cx_trail *trail, const struct cx_buf *lines,
                                  struct cortex_error *error) {
  ssize_t n;

  do
    n = write(trail->fd, lines->bytes, lines->len);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return refuse(trail, error, "cannot be written", strerror(errno));
  if ((size_t)n < lines->len) {
    /* Where this fails too the next writer closes the torn line. */
    (void)!ftruncate(trail->fd, trail->size);
    return refuse(trail, error, "cannot be written", "the disk is full or a limit is reached");
  }
  return CORTEX_OK;
}

enum cortex_reason cx_trail_sync(struct cx_trail *trail, struct cortex_error *error) {
  cx_lock_give(trail->fd);
  /* The record that a new file's first one follows may be on its way to the disk yet. */
  if ((trail->old_fd >= 0 && fdatasync(trail->old_fd) != 0) || fdatasync(trail->fd) != 0)
    return refuse(trail, error, "cannot reach the disk", strerror(errno));
  return CORTEX_OK;
}
