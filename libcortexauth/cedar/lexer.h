/*
 * Bytes to tokens with line and column; policies and schemas share it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_LEXER_H
#define CEDAR_LEXER_H

#include "text.h"

enum cedar_token_kind {
  CEDAR_TOK_END,
  CEDAR_TOK_IDENT,
  CEDAR_TOK_NUMBER,
  CEDAR_TOK_STRING, /* text is what stands between the quotes, still escaped */
  CEDAR_TOK_SLOT,   /* text is the name with its `?` */
  CEDAR_TOK_PUNCT,  /* text is the sign */
  CEDAR_TOK_BAD     /* text is the offending byte or string, message says why */
};

struct cedar_token {
  enum cedar_token_kind kind;
  struct cedar_text text;
  uint32_t line;
  uint32_t column;
  const char *message; /* of BAD */
};

struct cedar_lexer {
  const char *start;
  const char *at;
  const char *end;
  const char *line_start;
  uint32_t line;
};

/* Prepares a lexer; the bytes must be valid UTF-8. */
void cedar_lexer_init(struct cedar_lexer *lexer, const char *bytes, size_t len);

/* The next token; after END or BAD the same again. */
struct cedar_token cedar_lexer_next(struct cedar_lexer *lexer);

/* Compares a token with a sign or identifier that begins like it. */
bool cedar_token_equal(const struct cedar_token *token, const char *text);

/* Whether a token is that sign or that identifier: most questions end at the first letter. */
static inline bool cedar_token_is(const struct cedar_token *token, const char *text) {
  return (token->kind == CEDAR_TOK_PUNCT || token->kind == CEDAR_TOK_IDENT) &&
         *token->text.ptr == *text && cedar_token_equal(token, text);
}

/*
 * Decodes a string token. A pattern's `*` becomes CEDAR_WILDCARD and `\*` a star; otherwise `\*`
 * is wrong.
 *   out  text_out: in the token's own bytes when nothing is escaped, else in the arena
 *   gives  CEDAR_OK, CEDAR_INVALID (message_out says why), CEDAR_NOMEM
 */
CEDAR_MUST_CHECK enum cedar_status cedar_string_decode(struct cedar_arena *arena,
                                                       struct cedar_text raw, bool pattern,
                                                       struct cedar_text *text_out,
                                                       const char **message_out);

#endif
