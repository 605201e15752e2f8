/*
 * Rotation: a new file that goes on where the old one ends.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The old file gets a second name and the new one is renamed over the first:
 * there is no moment without an audit file, and writers that waited for the old
 * file's lock find another inode under its path and open it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/sink_syslog.h"
#include "util/file.h"

struct rotation {
  const struct cortex_audit_options *options;
  struct cx_trail trail;
  struct cx_buf batch;
  char fresh[CORTEX_AUDIT_PATH_MAX];
  char *archive; /* the caller's CORTEX_AUDIT_PATH_MAX bytes */
};

static enum cortex_reason refuse(const struct rotation *rotation, struct cortex_error *error,
                                 const char *doing) {
  return cx_error_at(error, CORTEX_AUDIT_UNAVAILABLE,
                     (struct cx_place){rotation->options->file, 0, 0},
                     "the audit file cannot be rotated: %s: %s", doing, strerror(errno));
}

/* The first sequence of the file: the one thing that stays when a killed rotation is repeated. */
static uint64_t first_seq(const struct rotation *rotation) {
  char window[2 * CX_CHAIN_LINE_MAX];
  const char *line = window, *newline;
  struct cx_chain_link link;
  ssize_t left = cx_file_pread(rotation->trail.fd, window, sizeof window, 0);

  for (; left > 0 && (newline = memchr(line, '\n', (size_t)left)) != NULL; line = newline + 1) {
    if (cx_chain_parse(line, (size_t)(newline - line), &link))
      return link.seq;
    left -= newline + 1 - line;
  }
  return 0;
}

static bool name_files(struct rotation *rotation) {
  const char *file = rotation->options->file;
  uint64_t first = first_seq(rotation);

  errno = first == 0 ? EILSEQ : ENAMETOOLONG;
  return first != 0 &&
         snprintf(rotation->fresh, sizeof rotation->fresh, "%s.new", file) <
             (int)sizeof rotation->fresh &&
         snprintf(rotation->archive, CORTEX_AUDIT_PATH_MAX, "%s.%012llu", file,
                  (unsigned long long)first) < CORTEX_AUDIT_PATH_MAX;
}

static bool put_first_record(struct rotation *rotation, int64_t now) {
  const char *slash = strrchr(rotation->archive, '/');
  char detail[300];
  struct cortex_record record = {.event = CORTEX_EVENT_ROTATED,
                                 .count = rotation->trail.torn,
                                 .detail = detail};

  snprintf(detail, sizeof detail, "continues %.255s",
           slash != NULL ? slash + 1 : rotation->archive);
  errno = ENOMEM;
  return cx_audit_put(&rotation->batch, &record, now, &rotation->trail.head);
}

/* The new file has the old one's group and mode, or writers would be locked out. */
static bool take_owner(int fd, int old_fd) {
  struct stat old;

  if (fstat(old_fd, &old) != 0)
    return false;
  if (fchown(fd, old.st_uid, old.st_gid) != 0 && fchown(fd, (uid_t)-1, old.st_gid) != 0)
    return false;
  return fchmod(fd, old.st_mode & 0777) == 0;
}

/* A file left by a rotation that was killed holds nothing but its first record. */
static bool make_fresh(struct rotation *rotation) {
  const struct cx_buf *batch = &rotation->batch;
  bool done;
  int fd;

  if (unlink(rotation->fresh) != 0 && errno != ENOENT)
    return false;
  fd = open(rotation->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return false;
  errno = ENOSPC;
  done = write(fd, batch->bytes, batch->len) == (ssize_t)batch->len &&
         take_owner(fd, rotation->trail.fd) && fsync(fd) == 0 && fsync(rotation->trail.fd) == 0;
  close(fd);
  return done;
}

static bool is_same(const char *path, int fd) {
  struct stat named, opened;

  return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

/* A second name that a killed rotation left counts as made. */
static bool keep_old(const struct rotation *rotation) {
  return link(rotation->options->file, rotation->archive) == 0 ||
         (errno == EEXIST && is_same(rotation->archive, rotation->trail.fd));
}

static enum cortex_reason exchange(struct rotation *rotation, struct cortex_error *error) {
  enum cortex_reason reason;

  if (!make_fresh(rotation)) {
    reason = refuse(rotation, error, "its successor cannot be made");
    (void)!unlink(rotation->fresh);
    return reason;
  }
  if (!keep_old(rotation)) {
    reason = refuse(rotation, error, "it cannot be kept under its new name");
    (void)!unlink(rotation->fresh);
    return reason;
  }
  if (rename(rotation->fresh, rotation->options->file) != 0) {
    reason = refuse(rotation, error, "its successor cannot take its place");
    (void)!unlink(rotation->archive);
    (void)!unlink(rotation->fresh);
    return reason;
  }
  cx_sink_sync_folder(rotation->options->file);
  return CORTEX_OK;
}

enum cortex_reason cortex_audit_rotate(const struct cortex_audit_options *options,
                                       const struct cortex_clock *clock, int64_t deadline,
                                       char *archive_out, struct cortex_error *error) {
  struct rotation rotation = {.options = options, .archive = archive_out};
  struct cx_wait wait = cx_wait_start(clock, deadline);
  enum cortex_reason reason;

  archive_out[0] = '\0';
  reason = cx_trail_open(options->file, false, &wait, &rotation.trail, error);
  if (reason != CORTEX_OK || rotation.trail.fd < 0)
    return reason;
  cx_buf_init(&rotation.batch, CX_CHAIN_LINE_MAX);
  if (rotation.trail.begins)
    goto out;
  if (!name_files(&rotation) || !put_first_record(&rotation, clock->now(clock)))
    reason = refuse(&rotation, error, "no first record");
  else
    reason = exchange(&rotation, error);
  if (reason != CORTEX_OK)
    archive_out[0] = '\0';
  else
    cx_anchor_send(options, &rotation.trail.head);
out:
  cx_trail_close(&rotation.trail);
  cx_buf_clear(&rotation.batch);
  return reason;
}
