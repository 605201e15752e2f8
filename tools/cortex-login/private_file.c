/*
 * Files that hold secrets: read by their owner alone, replaced in one step.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli.h"

#define NAME_ROOM 300

static bool fail(const char *path, const char *name, const char *what) {
  cli_complain("%s/%s: %s", path, name, what);
  return false;
}

bool private_file_check(int fd, const char *path, const char *name) {
  struct stat status;

  if (fstat(fd, &status) != 0)
    return fail(path, name, strerror(errno));
  if (!S_ISREG(status.st_mode) || status.st_nlink > 1)
    return fail(path, name, "is not a regular file of one name");
  if (status.st_uid != geteuid())
    return fail(path, name, "is owned by somebody else");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(path, name, "must be yours alone (chmod 600), or be removed");
  return true;
}

static bool read_all(int fd, const char *path, const char *name, size_t max, struct text *content) {
  char bytes[4096];
  ssize_t got = 0;

  do {
    got = read(fd, bytes, sizeof bytes);
    if (got > 0)
      text_put_bytes(content, bytes, (size_t)got);
  } while ((got > 0 && content->len <= max) || (got < 0 && errno == EINTR));
  explicit_bzero(bytes, sizeof bytes);
  if (got < 0)
    return fail(path, name, strerror(errno));
  return (content->len <= max && !content->failed) || fail(path, name, "is too large");
}

bool private_file_read(int folder, const char *path, const char *name, size_t max,
                       struct text *content) {
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  bool done;

  if (fd < 0)
    return errno == ENOENT ||
           fail(path, name, errno == ELOOP ? "is a symbolic link" : strerror(errno));
  done = private_file_check(fd, path, name) && read_all(fd, path, name, max, content);
  close(fd);
  return done;
}

static bool write_all(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t put = write(fd, bytes, len);

    if (put < 0 && errno != EINTR)
      return false;
    if (put > 0) {
      bytes += put;
      len -= (size_t)put;
    }
  }
  return true;
}

bool private_file_write(int folder, const char *path, const char *name, const char *bytes,
                        size_t len) {
  char fresh[NAME_ROOM];
  uint32_t mark;
  bool done;
  int fd;

  if (RAND_bytes((unsigned char *)&mark, sizeof mark) != 1)
    return fail(path, name, "no random numbers");
  snprintf(fresh, sizeof fresh, ".%.250s.%08x", name, mark);
  fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(path, fresh, strerror(errno));
  /* The name is not reused before the bytes are on disk: a lost refresh token is a lost login. */
  done = write_all(fd, bytes, len) && fsync(fd) == 0;
  done = close(fd) == 0 && done && renameat(folder, fresh, folder, name) == 0;
  if (done)
    return true;
  fail(path, name, strerror(errno));
  unlinkat(folder, fresh, 0);
  return false;
}
