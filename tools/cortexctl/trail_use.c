/*
 * When roles were used last, as the audit trail says.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "trail_use.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "trail_files.h"

static int compare(const void *key, const void *item) {
  return strcmp(key, ((const struct trail_use *)item)->role);
}

static void keep(char *time, const char *text, bool earliest) {
  int order = strncmp(text, time, TRAIL_TIME_LEN);

  if (strlen(text) > TRAIL_TIME_LEN && (time[0] == '\0' || (earliest ? order < 0 : order > 0)))
    memcpy(time, text, TRAIL_TIME_LEN);
}

/* A line that is no record is for audit verify to find. */
static void take_line(const char *line, size_t len, struct trail_use *uses, size_t count,
                      char *from) {
  const char *time, *event, *decision = "", *role = "";
  json_t *record = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
  struct trail_use *use;

  if (json_unpack(record, "{s:s, s:s, s?s, s?s}", "time", &time, "event", &event, "decision",
                  &decision, "role", &role) == 0) {
    keep(from, time, true);
    use = strcmp(event, "login") == 0 && strcmp(decision, "allow") == 0
              ? bsearch(role, uses, count, sizeof *uses, compare)
              : NULL;
    if (use != NULL)
      keep(use->last, time, false);
  }
  json_decref(record);
}

static bool read_file(const char *path, struct trail_use *uses, size_t count, char *from) {
  FILE *file = trail_files_open(path);
  char *line = NULL;
  size_t room = 0;
  ssize_t len;
  bool fine;

  if (file == NULL) {
    if (errno == ENOENT)
      return true;
    cli_complain("%s: %s", path, errno == EINVAL ? "is not a regular file" : strerror(errno));
    return false;
  }
  while ((len = getline(&line, &room, file)) > 0)
    take_line(line, (size_t)len, uses, count, from);
  fine = !ferror(file);
  if (!fine)
    cli_complain("%s: %s", path, strerror(errno));
  free(line);
  fclose(file);
  return fine;
}

bool trail_use_read(const char *current, struct trail_use *uses, size_t count,
                    char from[TRAIL_TIME_LEN + 1]) {
  struct trail_files files;
  bool fine;
  size_t i;

  memset(from, 0, TRAIL_TIME_LEN + 1);
  fine = trail_files_find(current, &files);
  for (i = 0; fine && i < files.count; i++)
    fine = read_file(files.names[i], uses, count, from);
  if (fine || files.names != NULL)
    trail_files_clear(&files);
  return fine;
}
