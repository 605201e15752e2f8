/*
 * A buffer that grows up to a ceiling stated when it is made.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* Most texts fit, and a record needs few more steps. */
#define FIRST_CAPACITY 256

void cx_buf_init(struct cx_buf *buf, size_t ceiling) {
  *buf = (struct cx_buf){.ceiling = ceiling};
}

void cx_buf_clear(struct cx_buf *buf) {
  if (buf->bytes != NULL)
    explicit_bzero(buf->bytes, buf->capacity);
  free(buf->bytes);
  cx_buf_init(buf, buf->ceiling);
}

/* Not realloc: a moved buffer would leave a copy of a secret behind. */
static bool grow(struct cx_buf *buf, size_t capacity) {
  char *bytes = malloc(capacity);

  if (bytes == NULL)
    return false;
  if (buf->bytes != NULL) {
    memcpy(bytes, buf->bytes, buf->len);
    explicit_bzero(buf->bytes, buf->capacity);
    free(buf->bytes);
  }
  bytes[buf->len] = '\0';
  buf->bytes = bytes;
  buf->capacity = capacity;
  return true;
}

char *cx_buf_reserve(struct cx_buf *buf, size_t len) {
  size_t need;
  size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;

  if (buf->failed || len > buf->ceiling || buf->len > buf->ceiling - len) {
    buf->failed = true;
    return NULL;
  }
  need = buf->len + len + 1;
  if (need <= buf->capacity)
    return buf->bytes + buf->len;
  while (capacity < need)
    capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
  if (!grow(buf, capacity)) {
    buf->failed = true;
    return NULL;
  }
  return buf->bytes + buf->len;
}

void cx_buf_put(struct cx_buf *buf, const void *bytes, size_t len) {
  char *room = cx_buf_reserve(buf, len);

  if (room == NULL)
    return;
  if (len > 0)
    memcpy(room, bytes, len);
  room[len] = '\0';
  buf->len += len;
}

void cx_buf_put_text(struct cx_buf *buf, const char *text) {
  cx_buf_put(buf, text, strlen(text));
}

/* Where the room that is left holds it, one pass is enough. */
void cx_buf_printf(struct cx_buf *buf, const char *format, ...) {
  size_t left = buf->capacity - buf->len;
  va_list arguments;
  char *room;
  int len;

  va_start(arguments, format);
  len = vsnprintf(left > 0 ? buf->bytes + buf->len : NULL, left, format, arguments);
  va_end(arguments);
  room = len < 0 ? NULL : cx_buf_reserve(buf, (size_t)len);
  if (room == NULL) {
    if (left > 0)
      buf->bytes[buf->len] = '\0';
    buf->failed = true;
    return;
  }
  if ((size_t)len >= left) {
    va_start(arguments, format);
    vsnprintf(room, (size_t)len + 1, format, arguments);
    va_end(arguments);
  }
  buf->len += (size_t)len;
}

static void put_json_control(struct cx_buf *buf, unsigned code) {
  static const char letters[] = "btn?fr"; /* 0x08 to 0x0d; 0x0b has none */

  if (code >= 0x08 && code <= 0x0d && code != 0x0b)
    cx_buf_printf(buf, "\\%c", letters[code - 0x08]);
  else
    cx_buf_printf(buf, "\\u%04x", code);
}

/* One character that does not stand for itself; gives its bytes. */
static size_t put_json_special(struct cx_buf *buf, const char *text, size_t len) {
  size_t n = cx_text_utf8_len(text, len);

  if (n == 0) {
    cx_buf_put(buf, "\xef\xbf\xbd", 3);
    return 1;
  }
  if (cx_text_has_control(text, n)) { /* C1: C2 80 to C2 9F */
    put_json_control(buf, (unsigned char)text[n - 1]);
    return n;
  }
  if (cx_text_is_separator(text, n)) {
    put_json_control(buf, 0x2000u | ((unsigned char)text[n - 1] & 0x3fu));
    return n;
  }
  if (*text == '"' || *text == '\\')
    cx_buf_put(buf, "\\", 1);
  cx_buf_put(buf, text, n);
  return n;
}

void cx_buf_put_json(struct cx_buf *buf, const char *text, size_t len) {
  size_t i = 0, n;

  cx_buf_put(buf, "\"", 1);
  while (i < len) {
    n = cx_text_plain_len(text + i, len - i);
    cx_buf_put(buf, text + i, n);
    i += n;
    if (i < len)
      i += put_json_special(buf, text + i, len - i);
  }
  cx_buf_put(buf, "\"", 1);
}

char *cx_buf_take(struct cx_buf *buf) {
  char *bytes = NULL;

  if (!buf->failed && cx_buf_reserve(buf, 0) != NULL) {
    bytes = buf->bytes;
    buf->bytes = NULL;
  }
  cx_buf_clear(buf);
  return bytes;
}
