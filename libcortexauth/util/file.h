/*
 * The one strict way to open a file that is trusted.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_FILE_H
#define CX_UTIL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/error.h"

/* What a trusted file must be. */
struct cx_file_rules {
  enum cortex_reason reason; /* what a refusal means for the login */
  size_t max;                /* bytes */
  bool cortex_owned;         /* user cortex may own it (cache and state) */
};

/*
 * Reads a file whole: links are followed, the target must be a regular file,
 * owned by root, the caller or (where the rules say so) cortex, and writable
 * neither by others nor by a group, unless the caller's user owns it. The
 * check is made on the open descriptor, so it cannot be raced.
 *
 *   out  content: made by this call; cx_buf_clear it on success
 *   out  written_out: the file's mtime in seconds since 1970; may be NULL
 *   gives  CORTEX_OK, CORTEX_INTERNAL, or rules->reason with the path in the error
 */
CORTEX_MUSTCHECK enum cortex_reason cx_file_read(const char *path,
                                                 const struct cx_file_rules *rules,
                                                 struct cx_buf *content, int64_t *written_out,
                                                 struct cortex_error *error);

/* Whether files of this user are trusted: root's, the caller's, and where asked those of cortex. */
bool cx_file_is_trusted_owner(uid_t owner, bool cortex_owned);

/* A trusted file that stays open, for one that is not read whole. */
struct cx_file {
  int fd; /* the caller's to close; -1 on failure */
  size_t size;
  int64_t written; /* mtime, seconds since 1970 */
};

/* The same checks; gives CORTEX_OK or rules->reason. */
CORTEX_MUSTCHECK enum cortex_reason cx_file_open(const char *path,
                                                 const struct cx_file_rules *rules,
                                                 struct cx_file *file_out,
                                                 struct cortex_error *error);

/* Reads len bytes at an offset unless the file ends before; -1 with errno on failure. */
ssize_t cx_file_pread(int fd, void *bytes, size_t len, off_t offset);

/* Writes all len bytes at the file's position; false with errno on failure. */
bool cx_file_write(int fd, const void *bytes, size_t len);

#endif
