/*
 * Bytes to tokens with line and column.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lexer.h"

#include <string.h>

#include "ast.h"

void cedar_lexer_init(struct cedar_lexer *lexer, const char *bytes, size_t len) {
  lexer->start = bytes;
  lexer->at = bytes;
  lexer->end = bytes + len;
  lexer->line_start = bytes;
  lexer->line = 1;
}

static void line_next(struct cedar_lexer *lexer) {
  lexer->line++;
  lexer->line_start = lexer->at;
}

/* Unicode White_Space past ASCII; gives the bytes it takes, 0 for anything else. */
static size_t wide_blank(const char *at, size_t len) {
  uint32_t scalar = 0;
  size_t n = cedar_utf8_next(at, len, &scalar);

  if (scalar == 0x85 || scalar == 0xa0 || scalar == 0x1680 ||
      (scalar >= 0x2000 && scalar <= 0x200a) || scalar == 0x2028 || scalar == 0x2029 ||
      scalar == 0x202f || scalar == 0x205f || scalar == 0x3000)
    return n;
  return 0;
}

/* Blanks and `//` comments, which end at a line feed or a carriage return. */
static void blanks_skip(struct cedar_lexer *lexer) {
  while (lexer->at < lexer->end) {
    char c = *lexer->at;

    if (c == '\n') {
      lexer->at++;
      line_next(lexer);
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
      lexer->at++;
    } else if (c == '/' && lexer->end - lexer->at > 1 && lexer->at[1] == '/') {
      while (lexer->at < lexer->end && *lexer->at != '\n' && *lexer->at != '\r')
        lexer->at++;
    } else {
      size_t n =
          (unsigned char)c < 0x80 ? 0 : wide_blank(lexer->at, (size_t)(lexer->end - lexer->at));

      if (n == 0)
        return;
      lexer->at += n;
    }
  }
}

static const char *ident_end(const struct cedar_lexer *lexer, const char *at) {
  while (at < lexer->end && cedar_is_ident_part(*at))
    at++;
  return at;
}

/* at stands on the opening quote; line breaks may stand inside. */
static void string_token(struct cedar_lexer *lexer, struct cedar_token *token) {
  const char *at = lexer->at + 1;

  lexer->at = at;
  while (at < lexer->end && *at != '"') {
    if (*at == '\\' && lexer->end - at > 1 && at[1] != '\n')
      at++;
    if (*at++ == '\n') {
      lexer->line++;
      lexer->line_start = at;
    }
  }
  if (at >= lexer->end) {
    token->kind = CEDAR_TOK_BAD;
    token->message = "string is not closed";
    return;
  }
  token->kind = CEDAR_TOK_STRING;
  token->text.ptr = lexer->at;
  token->text.len = (size_t)(at - lexer->at);
  lexer->at = at + 1;
}

static size_t punct_len(const char *at, size_t len) {
  static const char doubles[][3] = {"::", "==", "!=", "<=", ">=", "&&", "||"};
  size_t i;

  if (len > 1)
    for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
      if (at[0] == doubles[i][0] && at[1] == doubles[i][1])
        return 2;
  return *at != '\0' && strchr("(){}[],;:.@<>!+-*?=%/&|", *at) != NULL ? 1 : 0;
}

static const char *why_bad(const struct cedar_lexer *lexer) {
  return lexer->at == lexer->start &&
                 cedar_utf8_is_marked(lexer->at, (size_t)(lexer->end - lexer->at))
             ? CEDAR_MARK_FOUND
             : "unexpected character";
}

struct cedar_token cedar_lexer_next(struct cedar_lexer *lexer) {
  struct cedar_token token = {.kind = CEDAR_TOK_END};
  const char *end;

  blanks_skip(lexer);
  token.line = lexer->line;
  token.column = (uint32_t)(lexer->at - lexer->line_start) + 1;
  token.text.ptr = lexer->at;
  if (lexer->at == lexer->end)
    return token;
  end = lexer->at + 1;
  if (*lexer->at == '"') {
    string_token(lexer, &token);
    return token;
  }
  if (cedar_is_ident_start(*lexer->at)) {
    token.kind = CEDAR_TOK_IDENT;
    end = ident_end(lexer, end);
  } else if (*lexer->at >= '0' && *lexer->at <= '9') {
    token.kind = CEDAR_TOK_NUMBER;
    while (end < lexer->end && *end >= '0' && *end <= '9')
      end++;
  } else if (*lexer->at == '?' && end < lexer->end && cedar_is_ident_start(*end)) {
    token.kind = CEDAR_TOK_SLOT;
    end = ident_end(lexer, end);
  } else {
    size_t n = punct_len(lexer->at, (size_t)(lexer->end - lexer->at));

    token.kind = n > 0 ? CEDAR_TOK_PUNCT : CEDAR_TOK_BAD;
    token.message = n > 0 ? NULL : why_bad(lexer);
    if (n == 0)
      n = cedar_utf8_next(lexer->at, (size_t)(lexer->end - lexer->at), NULL);
    end = lexer->at + (n > 0 ? n : 1);
  }
  token.text.len = (size_t)(end - lexer->at);
  if (token.kind != CEDAR_TOK_BAD)
    lexer->at = end;
  return token;
}

bool cedar_token_equal(const struct cedar_token *token, const char *text) {
  size_t i;

  for (i = 0; i < token->text.len; i++)
    if (text[i] != token->text.ptr[i])
      return false;
  return text[i] == '\0';
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \xHH, at most 7F; gives the bytes used behind the x, 0 when it is wrong. */
static size_t hex_escape(const char *at, const char *end, uint32_t *scalar) {
  if (end - at < 2 || hex_digit(at[0]) < 0 || hex_digit(at[0]) > 7 || hex_digit(at[1]) < 0)
    return 0;
  *scalar = (uint32_t)(hex_digit(at[0]) * 16 + hex_digit(at[1]));
  return 2;
}

/* \u{1 to 6 hex digits}, a scalar value; gives the bytes used behind the u. */
static size_t unicode_escape(const char *at, const char *end, uint32_t *scalar) {
  const char *digit = at + 1;
  uint32_t value = 0;

  if (at == end || *at != '{')
    return 0;
  while (digit < end && digit - at <= 6 && hex_digit(*digit) >= 0)
    value = value * 16 + (uint32_t)hex_digit(*digit++);
  if (digit == at + 1 || digit == end || *digit != '}' || value > 0x10ffff ||
      (value >= 0xd800 && value <= 0xdfff))
    return 0;
  *scalar = value;
  return (size_t)(digit + 1 - at);
}

/* One escape, at stands behind the backslash; gives the bytes used, 0 when it is wrong. */
static size_t escape_read(const char *at, const char *end, bool pattern, uint32_t *scalar) {
  static const char from[] = "nrt\\0'\"", to[] = "\n\r\t\\\0'\"";
  const char *found;
  size_t used;

  if (at == end)
    return 0;
  if (*at == 'x' || *at == 'u') {
    used = *at == 'x' ? hex_escape(at + 1, end, scalar) : unicode_escape(at + 1, end, scalar);
    return used == 0 ? 0 : used + 1;
  }
  if (pattern && *at == '*') {
    *scalar = '*';
    return 1;
  }
  found = memchr(from, *at, sizeof(from) - 1);
  if (found == NULL)
    return 0;
  *scalar = (unsigned char)to[found - from];
  return 1;
}

enum cedar_status cedar_string_decode(struct cedar_arena *arena, struct cedar_text raw,
                                      bool pattern, struct cedar_text *text_out,
                                      const char **message_out) {
  const char *at = raw.ptr, *end = raw.ptr + raw.len;
  char *copy, *to;

  *message_out = NULL;
  *text_out = raw;
  if (memchr(raw.ptr, '\\', raw.len) == NULL && (!pattern || memchr(raw.ptr, '*', raw.len) == NULL))
    return CEDAR_OK;
  copy = cedar_arena_get(arena, raw.len + 1);
  if (copy == NULL)
    return CEDAR_NOMEM;
  to = copy;
  while (at < end) {
    uint32_t scalar = 0;
    size_t used;

    if (*at != '\\') {
      *to++ = pattern && *at == '*' ? CEDAR_WILDCARD : *at;
      at++;
      continue;
    }
    used = escape_read(at + 1, end, pattern, &scalar);
    if (used == 0) {
      *message_out = "invalid escape in a string";
      return CEDAR_INVALID;
    }
    to += cedar_utf8_put(to, scalar);
    at += used + 1;
  }
  text_out->ptr = copy;
  text_out->len = (size_t)(to - copy);
  return CEDAR_OK;
}
