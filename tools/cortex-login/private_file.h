/*
 * Files that hold secrets: read by their owner alone, replaced in one step.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_PRIVATE_FILE_H
#define CORTEX_LOGIN_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* The path is that of the folder, for messages. Each complains when it gives false. */

/* True when an open file is a regular one, the caller's, and nobody else may touch it. */
bool private_file_check(int fd, const char *path, const char *name);

/* Reads it whole; nothing when it is not there. */
bool private_file_read(int folder, const char *path, const char *name, size_t max,
                       struct text *content);

/* A new file, 0600, takes its place: a reader sees the old or the new one, whole. */
bool private_file_write(int folder, const char *path, const char *name, const char *bytes,
                        size_t len);

#endif
