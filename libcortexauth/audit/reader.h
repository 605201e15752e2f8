/*
 * Lines of an audit file, in memory of fixed size.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_READER_H
#define CX_AUDIT_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit/chain.h"
#include "util/error.h"

struct cx_line {
  const char *bytes; /* without the newline, valid until the next call */
  size_t len;        /* at most CX_CHAIN_LINE_MAX */
  uint64_t number;   /* 1-based */
  bool whole;        /* false: longer than any record, only its end is in bytes */
  bool ended;        /* false: the file ends here without a newline */
  uint64_t total;    /* bytes of the line, its newline included */
};

struct cx_reader {
  const char *path; /* borrowed */
  int fd;
  off_t left; /* bytes that are still to be read */
  char *room;
  size_t start, end; /* what is in room */
  uint64_t number;
};

/*
 * Opens a regular file for reading and fixes how far it is read: to where it
 * ends when no writer is inside.
 *   out  reader_out: close with cx_reader_close, also after a failure
 *   gives  CORTEX_OK, CORTEX_AUDIT_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_reader_open(const char *path, struct cx_reader *reader_out,
                                                   struct cortex_error *error);
void cx_reader_close(struct cx_reader *reader);

/*
 * The next line.
 *   gives  CORTEX_OK; with line_out->total 0 at the end; CORTEX_AUDIT_UNAVAILABLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_reader_next(struct cx_reader *reader,
                                                   struct cx_line *line_out,
                                                   struct cortex_error *error);

#endif
