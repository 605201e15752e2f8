/*
 * Files that were rotated away: which one an empty file continues.
 * SPDX-License-Identifier: PostgreSQL
 *
 * logrotate renames without our lock. A writer that is inside the old file then
 * still holds that file's lock; so the first writer of the new file takes it
 * too, before it reads the old head. Writers that come later see the other inode.
 */
#include "audit/rotated.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 4096 /* of the folder, however full it is */
#define REACH (2 * CX_CHAIN_LINE_MAX)

struct search {
  struct cx_trail *trail;
  const char *base; /* of the audit file, without folder */
  size_t folder_len;
  uint64_t best;
};

/* A number or a date behind the name, as verify looks for; "audit-staging" is none of "audit". */
static bool is_rotated_name(const char *name, const char *base) {
  size_t len = strlen(base);
  const char *end = name + len;

  return strncmp(name, base, len) == 0 && (*end == '.' || *end == '-') && end[1] >= '0' &&
         end[1] <= '9' && end[strspn(end, ".-0123456789")] == '\0';
}

static bool read_head(int fd, struct cx_chain_head *head_out, off_t *torn_out) {
  struct stat status;
  off_t end;

  if (fstat(fd, &status) != 0 || !cx_sink_find_head(fd, status.st_size, REACH, head_out, &end))
    return false;
  *torn_out = status.st_size - end;
  return true;
}

/* Keeps the file open when it goes further than the best so far. */
static void consider(struct search *search, const char *name) {
  char path[4096];
  struct cx_chain_head head;
  const char *what;
  off_t torn;
  int fd;

  if (strlen(name) >= sizeof search->trail->old_name ||
      snprintf(path, sizeof path, "%.*s%s", (int)search->folder_len, search->trail->path, name) >=
          (int)sizeof path)
    return;
  fd = cx_sink_open(path, CX_SINK_PLAIN, &what);
  if (fd < 0)
    return;
  if (!read_head(fd, &head, &torn) || head.seq <= search->best) {
    close(fd);
    return;
  }
  search->best = head.seq;
  if (search->trail->old_fd >= 0)
    close(search->trail->old_fd);
  search->trail->old_fd = fd;
  memcpy(search->trail->old_name, name, strlen(name) + 1);
}

static void look(struct search *search) {
  char folder[4096];
  struct dirent *entry;
  unsigned seen = 0;
  DIR *names;

  if (search->folder_len >= sizeof folder)
    return;
  memcpy(folder, search->trail->path, search->folder_len);
  folder[search->folder_len] = '\0';
  names = opendir(search->folder_len > 0 ? folder : ".");
  if (names == NULL)
    return;
  while (seen++ < NAMES_MAX && (entry = readdir(names)) != NULL)
    if (is_rotated_name(entry->d_name, search->base))
      consider(search, entry->d_name);
  closedir(names);
}

enum cortex_reason cx_rotated_continue(struct cx_trail *trail, const struct cx_wait *wait,
                                       struct cortex_error *error) {
  const char *slash = strrchr(trail->path, '/');
  struct search search = {.trail = trail, .base = slash != NULL ? slash + 1 : trail->path};
  uint64_t before;
  off_t torn = 0;

  search.folder_len = (size_t)(search.base - trail->path);
  look(&search);
  if (trail->old_fd < 0)
    return CORTEX_OK;
  /*
   * Its last writer may have been inside when it was renamed: read again under
   * its lock. And whoever held that lock may have begun a file in between that
   * was renamed as well: look again until nothing goes further.
   */
  do {
    if (!cx_lock_take(trail->old_fd, wait) || !read_head(trail->old_fd, &trail->head, &torn))
      return cx_error_at(error, CORTEX_AUDIT_UNAVAILABLE, (struct cx_place){trail->path, 0, 0},
                         "the audit file cannot continue %s: %s", trail->old_name,
                         errno == ETIMEDOUT ? "other writers held it too long"
                                            : "it cannot be locked or read");
    before = search.best = trail->head.seq;
    look(&search);
  } while (search.best != before);
  trail->torn += torn;
  return CORTEX_OK;
}
