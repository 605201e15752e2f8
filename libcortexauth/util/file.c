/*
 * The one strict way to open a file that is trusted.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/file.h"

#include <cortexauth/file.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_cortex(uid_t uid) {
  struct passwd entry, *found = NULL;
  char room[2048];

  return getpwnam_r("cortex", &entry, room, sizeof room, &found) == 0 && found != NULL &&
         found->pw_uid == uid;
}

bool cx_file_is_trusted_owner(uid_t owner, bool cortex_owned) {
  return owner == 0 || owner == geteuid() || (cortex_owned && is_cortex(owner));
}

/* What is wrong with an opened file, or NULL. */
static const char *fault(const struct stat *status, const struct cx_file_rules *rules) {
  if (!S_ISREG(status->st_mode))
    return "is not a regular file";
  if (!cx_file_is_trusted_owner(status->st_uid, rules->cortex_owned))
    return "is owned by neither root nor the calling user";
  if ((status->st_mode & S_IWOTH) != 0)
    return "is writable by everybody";
  if ((status->st_mode & S_IWGRP) != 0 && status->st_uid != geteuid())
    return "is writable by its group";
  if (status->st_size < 0 || (uintmax_t)status->st_size > rules->max)
    return "is too large";
  return NULL;
}

static enum cortex_reason open_checked(const char *path, const struct cx_file_rules *rules,
                                       int *fd_out, struct stat *status_out,
                                       struct cortex_error *error) {
  struct cx_place place = {path, 0, 0};
  const char *what;
  int fd;

  *fd_out = -1;
  /* O_NONBLOCK: a FIFO or device put in the file's place must not hold the login. */
  do
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  while (fd < 0 && errno == EINTR);
  if (fd < 0)
    return cx_error_at(error, rules->reason, place, "cannot be opened: %s", strerror(errno));
  what = fstat(fd, status_out) == 0 ? fault(status_out, rules) : strerror(errno);
  if (what != NULL) {
    close(fd);
    return cx_error_at(error, rules->reason, place, "%s", what);
  }
  *fd_out = fd;
  return CORTEX_OK;
}

enum cortex_reason cx_file_open(const char *path, const struct cx_file_rules *rules,
                                struct cx_file *file_out, struct cortex_error *error) {
  struct stat status;
  enum cortex_reason reason = open_checked(path, rules, &file_out->fd, &status, error);

  if (reason == CORTEX_OK) {
    file_out->size = (size_t)status.st_size;
    file_out->written = status.st_mtime;
  }
  return reason;
}

ssize_t cx_file_pread(int fd, void *bytes, size_t len, off_t offset) {
  size_t done = 0;

  while (done < len) {
    ssize_t n = pread(fd, (char *)bytes + done, len - done, offset + (off_t)done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += (size_t)n;
  }
  return (ssize_t)done;
}

bool cx_file_write(int fd, const void *bytes, size_t len) {
  size_t done = 0;

  while (done < len) {
    ssize_t n = write(fd, (const char *)bytes + done, len - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    done += (size_t)n;
  }
  return true;
}

static enum cortex_reason read_all(int fd, size_t size, const char *path,
                                   const struct cx_file_rules *rules, struct cx_buf *content,
                                   struct cortex_error *error) {
  struct cx_place place = {path, 0, 0};
  char *room = cx_buf_reserve(content, size);
  ssize_t len;

  if (room == NULL)
    return cx_error_memory(error);
  len = cx_file_pread(fd, room, size, 0);
  if (len < 0)
    return cx_error_at(error, rules->reason, place, "cannot be read: %s", strerror(errno));
  if ((size_t)len != size)
    return cx_error_at(error, rules->reason, place, "became shorter while it was read");
  content->len = size;
  room[size] = '\0';
  return CORTEX_OK;
}

enum cortex_reason cx_file_read(const char *path, const struct cx_file_rules *rules,
                                struct cx_buf *content, int64_t *written_out,
                                struct cortex_error *error) {
  enum cortex_reason reason;
  struct stat status;
  int fd;

  cx_buf_init(content, rules->max);
  reason = open_checked(path, rules, &fd, &status, error);
  if (reason != CORTEX_OK)
    return reason;
  if (written_out != NULL)
    *written_out = status.st_mtime;
  reason = read_all(fd, (size_t)status.st_size, path, rules, content, error);
  close(fd);
  if (reason != CORTEX_OK)
    cx_buf_clear(content);
  return reason;
}

enum cortex_reason cortex_file_load(const char *path, size_t max, char **bytes_out, size_t *len_out,
                                    struct cortex_error *error) {
  const struct cx_file_rules rules = {CORTEX_CONFIG_INVALID, max, false};
  struct cx_buf content;
  enum cortex_reason reason = cx_file_read(path, &rules, &content, NULL, error);

  *bytes_out = NULL;
  *len_out = 0;
  if (reason != CORTEX_OK)
    return reason;
  *len_out = content.len;
  *bytes_out = content.bytes != NULL ? cx_buf_take(&content) : calloc(1, 1);
  return *bytes_out != NULL ? CORTEX_OK : cx_error_memory(error);
}
