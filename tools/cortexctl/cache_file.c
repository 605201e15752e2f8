/*
 * Files of the cache folder: replaced whole, so that a reader sees the old or the new one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cache_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0750
#define FILE_MODE 0644
#define NAME_ROOM 128

static void make_folder(const char *folder) {
  const struct passwd *cortex;

  /* Whatever the umask: PostgreSQL's user comes in by the group. */
  if (mkdir(folder, FOLDER_MODE) != 0 || chmod(folder, FOLDER_MODE) != 0 || geteuid() != 0)
    return;
  cortex = getpwnam("cortex");
  if (cortex != NULL && chown(folder, cortex->pw_uid, cortex->pw_gid) != 0)
    return; /* the folder stays root's, which is as safe */
}

int cache_folder_open(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0 && errno == ENOENT) {
    make_folder(folder);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  return fd;
}

static bool write_all(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t done = write(fd, bytes, len);

    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return false;
    bytes += done;
    len -= (size_t)done;
  }
  return true;
}

/* Otherwise what root wrote once, the refresh that runs as cortex could not renew. */
static bool give_to_owner(int folder, int fd) {
  struct stat status;

  return geteuid() != 0 ||
         (fstat(folder, &status) == 0 && fchown(fd, status.st_uid, status.st_gid) == 0);
}

static bool write_new(int folder, const char *name, const void *bytes, size_t len) {
  int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
  bool done = fd >= 0 && write_all(fd, bytes, len) && fchmod(fd, FILE_MODE) == 0 &&
              give_to_owner(folder, fd) && fsync(fd) == 0;
  int saved = errno;

  if (fd >= 0 && close(fd) != 0 && done) {
    saved = errno;
    done = false;
  }
  errno = saved;
  return done;
}

static void name_file(const struct cache_place *place, const char *suffix, char *name_out) {
  snprintf(name_out, NAME_ROOM, "%s.%s", place->label, suffix);
}

bool cache_file_write(const struct cache_place *place, const char *suffix, const void *bytes,
                      size_t len) {
  char name[NAME_ROOM], fresh[NAME_ROOM + 32];
  int folder = cache_folder_open(place->folder), saved;
  bool done = false;

  if (folder < 0)
    return false;
  name_file(place, suffix, name);
  snprintf(fresh, sizeof fresh, ".%s.%ld", name, (long)getpid());
  unlinkat(folder, fresh, 0); /* of a process of that number that was killed */
  done = write_new(folder, fresh, bytes, len) && renameat(folder, fresh, folder, name) == 0;
  saved = errno;
  if (done)
    fsync(folder);
  else
    unlinkat(folder, fresh, 0);
  close(folder);
  errno = saved;
  return done;
}

static int open_file(const struct cache_place *place, const char *suffix) {
  char name[NAME_ROOM];
  int folder = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, saved;

  if (folder < 0)
    return -1;
  name_file(place, suffix, name);
  fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  saved = errno;
  close(folder);
  errno = saved;
  return fd;
}

bool cache_file_touch(const struct cache_place *place, const char *suffix) {
  int fd = open_file(place, suffix);
  bool done = fd >= 0 && futimens(fd, NULL) == 0;
  int saved = errno;

  if (fd >= 0)
    close(fd);
  errno = saved;
  return done;
}

char *cache_file_read(const struct cache_place *place, const char *suffix, size_t max,
                      size_t *len_out) {
  int fd = open_file(place, suffix), saved;
  char *bytes = fd >= 0 ? malloc(max + 1) : NULL;
  ssize_t done = 1;

  *len_out = 0;
  while (bytes != NULL && done > 0 && *len_out < max) {
    done = read(fd, bytes + *len_out, max - *len_out);
    if (done < 0) {
      saved = errno;
      free(bytes);
      bytes = NULL;
      errno = saved;
    } else {
      *len_out += (size_t)done;
    }
  }
  if (bytes != NULL)
    bytes[*len_out] = '\0';
  saved = errno;
  if (fd >= 0)
    close(fd);
  errno = saved;
  return bytes;
}
