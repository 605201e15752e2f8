/*
 * Characters and names: UTF-8, identifiers, type names, a growing text.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_TEXT_H
#define CEDAR_TEXT_H

#include "arena.h"

/*
 * Length of the UTF-8 sequence at bytes (1 to 4), 0 when it is not valid (overlong, surrogate,
 * past U+10FFFF, cut off). The scalar goes to scalar_out unless that is NULL.
 */
size_t cedar_utf8_next(const char *bytes, size_t len, uint32_t *scalar_out);
bool cedar_utf8_is_valid(const char *bytes, size_t len);

/* Writes a scalar as UTF-8, gives its length (1 to 4). */
size_t cedar_utf8_put(char *out, uint32_t scalar);

/* What some editors write in front of UTF-8, where nobody sees it; no reader here goes past it. */
#define CEDAR_MARK_FOUND "begins with a byte order mark: save it as UTF-8 without one"
static inline bool cedar_utf8_is_marked(const char *bytes, size_t len) {
  return len >= 3 && bytes[0] == '\xef' && bytes[1] == '\xbb' && bytes[2] == '\xbf';
}

static inline bool cedar_is_ident_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool cedar_is_ident_part(char c) {
  return cedar_is_ident_start(c) || (c >= '0' && c <= '9');
}

/* An identifier, reserved words included. */
bool cedar_is_ident(struct cedar_text text);

/* A word that may be no bare attribute name. */
bool cedar_is_reserved(struct cedar_text text);

/* A normalized name: identifiers joined by `::`, none reserved, no `__cedar`. */
bool cedar_is_name(struct cedar_text text);

/* An action's type: `Action`, in any namespace. */
bool cedar_is_action_type(struct cedar_text type);

struct cedar_text cedar_text_of(const char *string);

/* Orders texts by bytes, then length. */
int cedar_text_compare(struct cedar_text a, struct cedar_text b);
bool cedar_text_is(struct cedar_text a, const char *b);

/* A text that grows inside an arena; failed stays set once memory or the ceiling ended. */
struct cedar_buf {
  struct cedar_arena *arena;
  char *at;
  size_t len;
  size_t cap;
  bool failed;
};

void cedar_buf_init(struct cedar_buf *buf, struct cedar_arena *arena);
void cedar_buf_put(struct cedar_buf *buf, const char *bytes, size_t len);
void cedar_buf_puts(struct cedar_buf *buf, const char *string);

/* The text so far with a NUL behind it; NULL when the buffer failed. */
CEDAR_MUST_CHECK const char *cedar_buf_text(struct cedar_buf *buf);

/* A sink that writes to the buffer. */
struct cedar_sink cedar_buf_sink(struct cedar_buf *buf);

#endif
