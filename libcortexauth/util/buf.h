/*
 * A buffer that grows up to a ceiling stated when it is made.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_BUF_H
#define CX_UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * After a failure (no memory, ceiling reached) the buffer stays failed and
 * further puts do nothing, so a caller checks once, at the end.
 */
struct cx_buf {
  char *bytes; /* NUL-terminated when not NULL; NUL is not counted in len */
  size_t len;
  size_t capacity;
  size_t ceiling;
  bool failed;
};

void cx_buf_init(struct cx_buf *buf, size_t ceiling);

/* Wipes, frees and leaves an empty buffer of the same ceiling. */
void cx_buf_clear(struct cx_buf *buf);

void cx_buf_put(struct cx_buf *buf, const void *bytes, size_t len);
void cx_buf_put_text(struct cx_buf *buf, const char *text);
void cx_buf_printf(struct cx_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A JSON string with its quotes (RFC 8259 7), with DEL and C1 controls escaped
 * too, which a terminal obeys; bytes that are not UTF-8 become U+FFFD.
 */
void cx_buf_put_json(struct cx_buf *buf, const char *text, size_t len);

/* Makes room for len more bytes and gives their place, or NULL. The caller adds to len. */
char *cx_buf_reserve(struct cx_buf *buf, size_t len);

/* Hands the bytes over (release with free), or NULL when failed; the buffer is empty then. */
char *cx_buf_take(struct cx_buf *buf);

#endif
