/*
 * The files of an audit trail: the current one and those that rotation kept.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "trail_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/audit.h>

#include "common/cli.h"

/* Twelve digits of a sequence number: the order of names is that of the chain. */
#define KEPT_END ".[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"

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

bool trail_files_find(const char *current, struct trail_files *files) {
  size_t i;

  memset(files, 0, sizeof *files);
  if (find_kept(current, &files->kept))
    files->names = calloc(files->kept.gl_pathc + 1, sizeof *files->names);
  if (files->names == NULL) {
    cli_complain("out of memory");
    globfree(&files->kept);
    return false;
  }
  for (i = 0; i < files->kept.gl_pathc; i++)
    files->names[i] = files->kept.gl_pathv[i];
  files->names[i] = current;
  files->count = i + 1;
  return true;
}

void trail_files_clear(struct trail_files *files) {
  free(files->names);
  globfree(&files->kept);
}
