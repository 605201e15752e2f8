/*
 * Characters and names: UTF-8, identifiers, type names, a growing text.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "text.h"

#include <string.h>

size_t cedar_utf8_next(const char *bytes, size_t len, uint32_t *scalar_out) {
  static const uint32_t lowest[5] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char lead;
  uint32_t scalar;
  size_t n, i;

  if (len == 0)
    return 0;
  lead = (unsigned char)bytes[0];
  n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (n == 0 || n > len)
    return 0;
  scalar = n == 1 ? lead : lead & (0xffU >> (n + 1));
  for (i = 1; i < n; i++) {
    if (((unsigned char)bytes[i] & 0xc0) != 0x80)
      return 0;
    scalar = (scalar << 6) | ((unsigned char)bytes[i] & 0x3f);
  }
  if (scalar < lowest[n] || scalar > 0x10ffff || (scalar >= 0xd800 && scalar <= 0xdfff))
    return 0;
  if (scalar_out != NULL)
    *scalar_out = scalar;
  return n;
}

bool cedar_utf8_is_valid(const char *bytes, size_t len) {
  while (len > 0) {
    uint64_t word;
    size_t n;

    if (len >= 8) {
      memcpy(&word, bytes, 8);
      if ((word & UINT64_C(0x8080808080808080)) == 0) {
        bytes += 8;
        len -= 8;
        continue;
      }
    }
    n = (unsigned char)*bytes < 0x80 ? 1 : cedar_utf8_next(bytes, len, NULL);

    if (n == 0)
      return false;
    bytes += n;
    len -= n;
  }
  return true;
}

size_t cedar_utf8_put(char *out, uint32_t scalar) {
  size_t n = scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
  size_t i;

  if (n == 1) {
    out[0] = (char)scalar;
    return 1;
  }
  for (i = n - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (scalar & 0x3f));
    scalar >>= 6;
  }
  out[0] = (char)((0xf00U >> n & 0xffU) | scalar);
  return n;
}

bool cedar_is_ident(struct cedar_text text) {
  size_t i;

  if (text.len == 0 || !cedar_is_ident_start(text.ptr[0]))
    return false;
  for (i = 1; i < text.len; i++)
    if (!cedar_is_ident_part(text.ptr[i]))
      return false;
  return true;
}

bool cedar_is_reserved(struct cedar_text text) {
  static const char words[][8] = {"true", "false", "if",   "then", "else",
                                  "in",   "is",    "like", "has",  "__cedar"};
  size_t i;

  /* None begins as the names of most types do. */
  if (text.len < 2 || text.len > 7 || (text.ptr[0] >= 'A' && text.ptr[0] <= 'Z'))
    return false;
  for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (cedar_text_is(text, words[i]))
      return true;
  return false;
}

bool cedar_is_name(struct cedar_text text) {
  size_t start = 0, i;

  for (i = 0; i <= text.len; i++) {
    struct cedar_text part = {text.ptr + start, i - start};

    if (i < text.len && text.ptr[i] != ':')
      continue;
    if (!cedar_is_ident(part) || cedar_is_reserved(part))
      return false;
    if (i == text.len)
      return true;
    if (i + 1 >= text.len || text.ptr[i + 1] != ':')
      return false;
    start = i + 2;
    i++;
  }
  return false;
}

bool cedar_is_action_type(struct cedar_text type) {
  static const char name[] = "Action";
  size_t n = sizeof(name) - 1;

  return type.len >= n && memcmp(type.ptr + type.len - n, name, n) == 0 &&
         (type.len == n || type.ptr[type.len - n - 1] == ':');
}

struct cedar_text cedar_text_of(const char *string) {
  struct cedar_text text = {string, strlen(string)};

  return text;
}

int cedar_text_compare(struct cedar_text a, struct cedar_text b) {
  size_t n = a.len < b.len ? a.len : b.len;
  int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

  if (order != 0)
    return order;
  return (a.len > b.len) - (a.len < b.len);
}

bool cedar_text_is(struct cedar_text a, const char *b) {
  return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0;
}

void cedar_buf_init(struct cedar_buf *buf, struct cedar_arena *arena) {
  memset(buf, 0, sizeof(*buf));
  buf->arena = arena;
}

void cedar_buf_put(struct cedar_buf *buf, const char *bytes, size_t len) {
  if (buf->failed || len == 0)
    return;
  if (buf->cap - buf->len <= len) {
    size_t cap = buf->cap * 2 + len + 64;
    char *grown = cedar_arena_get(buf->arena, cap);

    if (grown == NULL) {
      buf->failed = true;
      return;
    }
    if (buf->len > 0)
      memcpy(grown, buf->at, buf->len);
    buf->at = grown;
    buf->cap = cap;
  }
  memcpy(buf->at + buf->len, bytes, len);
  buf->len += len;
}

void cedar_buf_puts(struct cedar_buf *buf, const char *string) {
  cedar_buf_put(buf, string, strlen(string));
}

const char *cedar_buf_text(struct cedar_buf *buf) {
  cedar_buf_put(buf, "", 1);
  if (buf->failed)
    return NULL;
  buf->len--;
  return buf->at;
}

static bool buf_sink_put(void *ctx, const char *bytes, size_t len) {
  struct cedar_buf *buf = ctx;

  cedar_buf_put(buf, bytes, len);
  return !buf->failed;
}

struct cedar_sink cedar_buf_sink(struct cedar_buf *buf) {
  struct cedar_sink sink = {buf_sink_put, buf};

  return sink;
}
