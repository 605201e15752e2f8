/*
 * Policy text to nodes: recursive descent, one token ahead.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_PARSER_H
#define CEDAR_PARSER_H

#include "build.h"
#include "lexer.h"

struct cedar_parser {
  struct cedar_build b;
  struct cedar_lexer lexer;
  struct cedar_token token; /* the one to look at */
  unsigned int depth;       /* open parentheses, brackets, ifs */
};

/* What a path of names turned out to be. */
struct cedar_path {
  struct cedar_text name; /* normalized: no blanks */
  bool single;            /* no `::` in it */
  bool entity;            /* followed by ::"id" */
  struct cedar_text id;
  uint32_t line;
  uint32_t column;
};

void cedar_parser_init(struct cedar_parser *p, struct cedar_store *store,
                       const struct cedar_source *source, struct cedar_error *error);
void cedar_parser_clear(struct cedar_parser *p);

/* Each gives false (or CEDAR_NONE) after a failure, which p->b then holds. */
static inline bool cedar_parser_ok(const struct cedar_parser *p) {
  return p->b.status == CEDAR_OK;
}
void cedar_parser_next(struct cedar_parser *p);
static inline bool cedar_parser_at(const struct cedar_parser *p, const char *text) {
  return cedar_token_is(&p->token, text);
}
bool cedar_parser_take(struct cedar_parser *p, const char *text);   /* moves on when it is there */
bool cedar_parser_expect(struct cedar_parser *p, const char *text); /* fails when it is not */

/* "expected X, found Y" at the current token; gives CEDAR_NONE. */
uint32_t cedar_parser_expected(struct cedar_parser *p, const char *what);

/* A string token, decoded. */
bool cedar_parser_string(struct cedar_parser *p, bool pattern, struct cedar_text *out);

/* IDENT (:: IDENT)* [:: STRING] */
bool cedar_parser_path(struct cedar_parser *p, struct cedar_path *out);

/* The entity of a path that is one, as a uid. */
uint32_t cedar_parser_uid(struct cedar_parser *p, const struct cedar_path *path);

/* Expr; gives the node. */
uint32_t cedar_parse_expr(struct cedar_parser *p);

/* Reads Type::"id" and nothing else; the texts live in the arena or the source. */
CEDAR_MUST_CHECK bool cedar_uid_parse(struct cedar_arena *arena, struct cedar_text text,
                                      struct cedar_uid_text *uid_out);

#endif
