/*
 * The policy folder: its *.cedar files in the order in which they are read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 4352

static int is_policy_file(const struct dirent *entry) {
  size_t len = strlen(entry->d_name);

  return entry->d_name[0] != '.' && len > 6 && strcmp(entry->d_name + len - 6, ".cedar") == 0;
}

/* Not alphasort: it compares by locale, and the order of policies must not depend on one. */
static int by_bytes(const struct dirent **left, const struct dirent **right) {
  return strcmp((*left)->d_name, (*right)->d_name);
}

enum cortex_reason cx_folder_visit(const char *folder, cx_folder_visit_fn *visit, void *context,
                                   struct cortex_error *error) {
  struct cx_place place = {folder, 0, 0};
  enum cortex_reason reason = CORTEX_OK;
  struct dirent **entries = NULL;
  int i, len, count = scandir(folder, &entries, is_policy_file, by_bytes);
  char path[PATH_ROOM];

  if (count < 0)
    return cx_error_at(error, CORTEX_POLICY_UNAVAILABLE, place,
                       "the policy folder cannot be read: %s", strerror(errno));
  if (count == 0)
    reason = cx_error_at(error, CORTEX_POLICY_UNAVAILABLE, place,
                         "the policy folder holds no *.cedar file");
  for (i = 0; i < count; i++) {
    len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    if (reason == CORTEX_OK)
      reason = len < 0 || (size_t)len >= sizeof path
                   ? cx_error_set(error, CORTEX_POLICY_UNAVAILABLE, "a path is too long")
                   : visit(context, path);
    free(entries[i]);
  }
  free(entries);
  return reason;
}
