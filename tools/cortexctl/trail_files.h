/*
 * The files of an audit trail: the current one and those that rotation kept.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_TRAIL_FILES_H
#define CORTEXCTL_TRAIL_FILES_H

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>

struct trail_files {
  const char **names; /* oldest first; the last is the current one, present or not */
  size_t count;
  glob_t kept;
};

/* Release with trail_files_clear. false, after a complaint, without memory. */
bool trail_files_find(const char *current, struct trail_files *files);
void trail_files_clear(struct trail_files *files);

/* For reading; a FIFO is not waited for. NULL with errno, EINVAL: it is not a regular file. */
FILE *trail_files_open(const char *name);

#endif
