/*
 * The state folder: its parts, opened strictly, and files in them that a kill cannot tear.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"

#define PATH_ROOM 4352 /* a path of cortex.conf, a part and a name */
#define LOCK_NAME ".lock"

static const struct {
  char name[9];
  bool login_writes;
} parts[CX_STATE_PARTS] = {
    [CX_STATE_BINDINGS] = {"bindings", true}, [CX_STATE_REPLAY] = {"replay", true},
    [CX_STATE_REQUESTS] = {"requests", true}, [CX_STATE_REVOKED] = {"revoked", false},
    [CX_STATE_SESSIONS] = {"sessions", true},
};

const char *cx_state_part_name(enum cx_state_part part) {
  return parts[part].name;
}

bool cx_state_part_is_written(enum cx_state_part part) {
  return parts[part].login_writes;
}

static bool put_path(const struct cortex_settings *settings, enum cx_state_part part,
                     char path_out[PATH_ROOM]) {
  int len = part == CX_STATE_SESSIONS
                ? snprintf(path_out, PATH_ROOM, "%s", settings->session.path)
                : snprintf(path_out, PATH_ROOM, "%s/%s", settings->state.path, parts[part].name);

  return len < PATH_ROOM;
}

enum cortex_reason cx_state_refuse(const struct cx_state *state, const char *name,
                                   struct cortex_error *error, const char *what) {
  char path[PATH_ROOM];
  size_t len;

  if (!put_path(state->settings, state->part, path))
    path[0] = '\0';
  len = strlen(path);
  if (name != NULL)
    snprintf(path + len, sizeof path - len, "/%s", name);
  return cx_error_at(error, CORTEX_STATE_UNAVAILABLE, (struct cx_place){path, 0, 0}, "%s", what);
}

/* ---- the folder ---- */

static bool is_in_group(gid_t group) {
  gid_t groups[256];
  int count = getgroups((int)(sizeof groups / sizeof groups[0]), groups), i;

  if (getegid() == group)
    return true;
  for (i = 0; i < count; i++)
    if (groups[i] == group)
      return true;
  return false;
}

/*
 * PostgreSQL's user, whatever it is called, may own what logins write. Its group
 * is asked before cortex's uid: that would be a look into the list of users.
 */
static bool is_trusted(const struct stat *status, enum cx_state_part part) {
  if (parts[part].login_writes &&
      (geteuid() == 0 || ((status->st_mode & S_IWGRP) != 0 && is_in_group(status->st_gid))))
    return true;
  return cx_file_is_trusted_owner(status->st_uid, true);
}

static const char *folder_fault(const struct stat *status, enum cx_state_part part) {
  if ((status->st_mode & S_IWOTH) != 0)
    return "is writable by everybody";
  if (!is_trusted(status, part))
    return "is owned by neither root, the calling user nor cortex";
  if (!parts[part].login_writes && (status->st_mode & S_IWGRP) != 0 &&
      status->st_uid != geteuid())
    return "is writable by its group";
  return NULL;
}

static int open_again(int folder, const char *path, int flags) {
  int fd;

  do
    fd = openat(folder, path, flags | O_CLOEXEC, 0660);
  while (fd < 0 && errno == EINTR);
  return fd;
}

enum cortex_reason cx_state_open(const struct cortex_settings *settings, enum cx_state_part part,
                                 struct cx_state *state_out, struct cortex_error *error) {
  struct stat status;
  char path[PATH_ROOM];
  const char *what;

  *state_out = (struct cx_state){.fd = -1, .settings = settings, .part = part};
  if (!put_path(settings, part, path))
    return cx_state_refuse(state_out, NULL, error, "the path is too long");
  state_out->fd = open_again(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (state_out->fd < 0)
    return cx_state_refuse(state_out, NULL, error, strerror(errno));
  what = fstat(state_out->fd, &status) == 0 ? folder_fault(&status, part) : strerror(errno);
  if (what != NULL) {
    cx_state_close(state_out);
    return cx_state_refuse(state_out, NULL, error, what);
  }
  state_out->owner = status.st_uid;
  state_out->group = status.st_gid;
  return CORTEX_OK;
}

void cx_state_close(struct cx_state *state) {
  if (state->fd >= 0)
    close(state->fd);
  state->fd = -1;
}

/* ---- files ---- */

static const char *file_fault(const struct cx_state *state, const struct stat *status) {
  if (!S_ISREG(status->st_mode))
    return "is not a regular file";
  if ((status->st_mode & S_IWOTH) != 0)
    return "is writable by everybody";
  if (status->st_uid != state->owner && status->st_gid != state->group &&
      !cx_file_is_trusted_owner(status->st_uid, false))
    return "is not of the folder's owner or group";
  return NULL;
}

enum cortex_reason cx_state_open_file(const struct cx_state *state, const char *name, int flags,
                                      int *fd_out, off_t *size_out, struct cortex_error *error) {
  struct stat status;
  const char *what;
  /* O_NONBLOCK: a FIFO in the file's place must not hold the login. */
  int fd = open_again(state->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

  *fd_out = -1;
  *size_out = 0;
  if (fd < 0 && errno == ENOENT)
    return CORTEX_OK;
  if (fd < 0)
    return cx_state_refuse(state, name, error,
                           errno == ELOOP ? "is a symbolic link" : strerror(errno));
  what = fstat(fd, &status) == 0 ? file_fault(state, &status) : strerror(errno);
  if (what != NULL) {
    close(fd);
    return cx_state_refuse(state, name, error, what);
  }
  *fd_out = fd;
  *size_out = status.st_size;
  return CORTEX_OK;
}

static enum cortex_reason read_all(const struct cx_state *state, const char *name, int fd,
                                   size_t size, struct cx_buf *content,
                                   struct cortex_error *error) {
  /* one byte at least: without bytes there would be no file, and an empty one is there */
  char *room = cx_buf_reserve(content, size > 0 ? size : 1);
  ssize_t len;

  if (room == NULL)
    return cx_error_memory(error);
  len = cx_file_pread(fd, room, size, 0);
  if (len < 0)
    return cx_state_refuse(state, name, error, strerror(errno));
  content->len = (size_t)len;
  room[len] = '\0';
  return CORTEX_OK;
}

enum cortex_reason cx_state_read(const struct cx_state *state, const char *name, size_t max,
                                 struct cx_buf *content, struct cortex_error *error) {
  enum cortex_reason reason;
  off_t size;
  int fd;

  cx_buf_init(content, max);
  reason = cx_state_open_file(state, name, O_RDONLY, &fd, &size, error);
  if (reason != CORTEX_OK || fd < 0)
    return reason;
  if (size < 0 || (size_t)size > max)
    reason = cx_state_refuse(state, name, error, "is too large");
  else
    reason = read_all(state, name, fd, (size_t)size, content, error);
  close(fd);
  if (reason != CORTEX_OK)
    cx_buf_clear(content);
  return reason;
}

/* ---- changes ---- */

/*
 * Whatever the umask and whoever makes it: PostgreSQL's and the programs' users
 * meet in the folder's group. Not being able to give it that is no fault yet.
 */
static bool share(const struct cx_state *state, int fd) {
  struct stat status;

  if (fstat(fd, &status) != 0)
    return false;
  if (status.st_gid != state->group)
    (void)!fchown(fd, (uid_t)-1, state->group);
  return fchmod(fd, parts[state->part].login_writes ? 0660 : 0640) == 0;
}

static bool fill(const struct cx_state *state, int fd, const void *bytes, size_t len,
                 enum cx_state_mode mode) {
  return share(state, fd) && cx_file_write(fd, bytes, len) &&
         (mode != CX_STATE_DURABLE || fsync(fd) == 0);
}

/* What a killed writer left, or a stranger's link, goes; so the file is surely a new one. */
static int open_new(const struct cx_state *state, const char *name) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  int fd = open_again(state->fd, name, flags);

  if (fd >= 0 || errno != EEXIST || unlinkat(state->fd, name, 0) != 0)
    return fd;
  return open_again(state->fd, name, flags);
}

enum cortex_reason cx_state_write(const struct cx_state *state, const char *name,
                                  const void *bytes, size_t len, enum cx_state_mode mode,
                                  struct cortex_error *error) {
  char beside[CX_STATE_NAME_MAX + sizeof "..new"];
  enum cortex_reason reason = CORTEX_OK;
  int fd;

  if (strlen(name) > CX_STATE_NAME_MAX)
    return cx_state_refuse(state, NULL, error, "a file's name is too long");
  snprintf(beside, sizeof beside, ".%s.new", name);
  fd = open_new(state, beside);
  if (fd < 0)
    return cx_state_refuse(state, beside, error, strerror(errno));
  if (!fill(state, fd, bytes, len, mode) || renameat(state->fd, beside, state->fd, name) != 0) {
    reason = cx_state_refuse(state, name, error, strerror(errno));
    (void)unlinkat(state->fd, beside, 0);
  } else if (mode == CX_STATE_DURABLE && fsync(state->fd) != 0) {
    reason = cx_state_refuse(state, NULL, error, strerror(errno));
  }
  close(fd);
  return reason;
}

enum cortex_reason cx_state_remove(const struct cx_state *state, const char *name,
                                   enum cx_state_mode mode, bool *existed_out,
                                   struct cortex_error *error) {
  *existed_out = unlinkat(state->fd, name, 0) == 0;
  if (!*existed_out && errno != ENOENT)
    return cx_state_refuse(state, name, error, strerror(errno));
  if (*existed_out && mode == CX_STATE_DURABLE && fsync(state->fd) != 0)
    return cx_state_refuse(state, NULL, error, strerror(errno));
  return CORTEX_OK;
}

/* The file stays for ever, so nobody can lock one that is no more there. */
static enum cortex_reason open_lock(const struct cx_state *state, int *fd_out,
                                    struct cortex_error *error) {
  enum cortex_reason reason;
  off_t size;
  int made;

  reason = cx_state_open_file(state, LOCK_NAME, O_RDWR, fd_out, &size, error);
  if (reason != CORTEX_OK || *fd_out >= 0)
    return reason;
  made = open_again(state->fd, LOCK_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (made >= 0) {
    (void)share(state, made);
    close(made);
  } else if (errno != EEXIST) {
    return cx_state_refuse(state, LOCK_NAME, error, strerror(errno));
  }
  reason = cx_state_open_file(state, LOCK_NAME, O_RDWR, fd_out, &size, error);
  if (reason == CORTEX_OK && *fd_out < 0)
    return cx_state_refuse(state, LOCK_NAME, error, "vanished");
  return reason;
}

/* Two names that have the same byte wait for one another in vain, and no more. FNV-1a. */
static uint32_t byte_of(const char *name) {
  uint32_t hash = 2166136261U;

  for (; *name != '\0'; name++)
    hash = (hash ^ (unsigned char)*name) * 16777619U;
  return hash;
}

static enum cortex_reason lock_part(const struct cx_state *state, const char *name,
                                    const struct cx_wait *wait, int *lock_out,
                                    struct cortex_error *error) {
  enum cortex_reason reason = open_lock(state, lock_out, error);

  if (reason != CORTEX_OK || (name != NULL ? cx_lock_take_byte(*lock_out, byte_of(name), wait)
                                           : cx_lock_take(*lock_out, wait)))
    return reason;
  reason = cx_state_refuse(state, LOCK_NAME, error,
                           errno == ETIMEDOUT ? "others held the lock too long" : strerror(errno));
  close(*lock_out);
  *lock_out = -1;
  return reason;
}

enum cortex_reason cx_state_lock(const struct cx_state *state, const struct cx_wait *wait,
                                 int *lock_out, struct cortex_error *error) {
  return lock_part(state, NULL, wait, lock_out, error);
}

enum cortex_reason cx_state_lock_name(const struct cx_state *state, const char *name,
                                      const struct cx_wait *wait, int *lock_out,
                                      struct cortex_error *error) {
  return lock_part(state, name, wait, lock_out, error);
}

enum cortex_reason cx_state_each(const struct cx_state *state, cx_state_visit visit, void *context,
                                 struct cortex_error *error) {
  int fd = open_again(state->fd, ".", O_RDONLY | O_DIRECTORY);
  DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
  enum cortex_reason reason = CORTEX_OK, damage = CORTEX_OK;
  struct dirent *entry = NULL;

  if (folder == NULL) {
    reason = cx_state_refuse(state, NULL, error, strerror(errno));
    if (fd >= 0)
      close(fd);
    return reason;
  }
  do {
    errno = 0;
    entry = readdir(folder);
    if (entry == NULL && errno != 0)
      reason = cx_state_refuse(state, NULL, error, strerror(errno));
    else if (entry != NULL && entry->d_name[0] != '.')
      reason = visit(state, entry->d_name, context, error);
    if (entry != NULL && reason == CORTEX_STATE_UNAVAILABLE) {
      damage = reason;
      reason = CORTEX_OK;
    }
  } while (entry != NULL && reason == CORTEX_OK);
  closedir(folder);
  return reason != CORTEX_OK ? reason : damage;
}
