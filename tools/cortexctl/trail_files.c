/*
 * The files of an audit trail: the current one and those that rotation kept.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "trail_files.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cortexauth/audit.h>

#include "common/cli.h"

/* What audit rotate puts behind the name, a sequence, or logrotate(8): a number or a date. */
#define KEPT_END "[.-][0-9]*"
#define KEPT_CHARACTERS ".-0123456789"
#define LINE_ROOM (32768 + 2) /* the longest record, its newline and a NUL */

struct kept_file {
  const char *name;
  json_int_t first; /* the sequence of its first record; 0: there is none, or it cannot be read */
};

static bool find_kept(const char *current, glob_t *kept) {
  char pattern[CORTEX_AUDIT_PATH_MAX * 2 + sizeof KEPT_END + 2];
  size_t end = 0;

  for (; *current != '\0' && end < CORTEX_AUDIT_PATH_MAX * 2 - 1; current++) {
    if (strchr("\\*?[", *current) != NULL)
      pattern[end++] = '\\';
    pattern[end++] = *current;
  }
  snprintf(pattern + end, sizeof pattern - end, KEPT_END);
  return glob(pattern, 0, NULL, kept) != GLOB_NOSPACE;
}

FILE *trail_files_open(const char *name) {
  int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status;

  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    return fdopen(fd, "r");
  if (fd >= 0) {
    close(fd);
    errno = EINVAL;
  }
  return NULL;
}

static json_int_t first_sequence(const char *name) {
  FILE *file = trail_files_open(name);
  char line[LINE_ROOM];
  json_int_t first = 0;

  while (file != NULL && first == 0 && fgets(line, sizeof line, file) != NULL) {
    json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    first = json_integer_value(json_object_get(record, "seq"));
    json_decref(record);
  }
  if (file != NULL)
    fclose(file);
  return first;
}

static int compare(const void *left, const void *right) {
  const struct kept_file *a = left, *b = right;

  return a->first < b->first ? -1 : a->first > b->first;
}

/* Those that have such a name, so no compressed ones, in the order of the chain. */
static size_t order_kept(const glob_t *kept, size_t name_len, struct kept_file *files_out) {
  size_t i, count = 0;

  for (i = 0; i < kept->gl_pathc; i++) {
    const char *name = kept->gl_pathv[i], *end = name + name_len;

    if (end[strspn(end, KEPT_CHARACTERS)] == '\0')
      files_out[count++] = (struct kept_file){name, first_sequence(name)};
  }
  qsort(files_out, count, sizeof *files_out, compare);
  return count;
}

bool trail_files_find(const char *current, struct trail_files *files) {
  struct kept_file *kept = NULL;
  size_t i;

  memset(files, 0, sizeof *files);
  if (find_kept(current, &files->kept)) {
    kept = calloc(files->kept.gl_pathc + 1, sizeof *kept);
    files->names = calloc(files->kept.gl_pathc + 1, sizeof *files->names);
  }
  if (kept == NULL || files->names == NULL) {
    cli_complain("out of memory");
    free(kept);
    trail_files_clear(files);
    return false;
  }
  files->count = order_kept(&files->kept, strlen(current), kept);
  for (i = 0; i < files->count; i++)
    files->names[i] = kept[i].name;
  files->names[files->count++] = current;
  free(kept);
  return true;
}

void trail_files_clear(struct trail_files *files) {
  free(files->names);
  files->names = NULL;
  globfree(&files->kept);
}
