/*
 * The one error object: what went wrong, in words, and where.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_ERROR_H
#define CORTEXAUTH_ERROR_H

#include <stddef.h>

#include <cortexauth/reason.h>

/*
 * Caller's storage; start with CORTEX_ERROR_NONE. Every call that takes one
 * accepts NULL. The first cause stays: a later failure does not overwrite it,
 * outer layers only put context in front. No message holds a credential, key
 * or secret; claim values in messages are escaped and cut.
 */
struct cortex_error {
  enum cortex_reason reason; /* CORTEX_OK: nothing happened */
  unsigned line;             /* 1-based; 0 when the cause has no line */
  unsigned column;           /* 1-based; 0 when the cause has no column */
  char source[256];          /* file the cause is in; empty when none */
  char message[512];         /* one line, no newline, no full stop, UTF-8 */
};

#define CORTEX_ERROR_NONE                                                                          \
  {                                                                                                \
    CORTEX_OK, 0, 0, {0}, {                                                                        \
      0                                                                                            \
    }                                                                                              \
  }

/*
 * Writes "SOURCE:LINE:COLUMN: message" as far as those are known.
 *   out  text: always NUL-terminated when size > 0, cut when too small
 */
CORTEX_API void cortex_error_format(const struct cortex_error *error, char *text, size_t size);

#endif
