/*
 * Laying policies out anew: the tokens and comments of the source, other blanks between them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "lexer.h"
#include "store.h"

#define WIDTH 96U
#define STEP 2U

struct format {
  struct cedar_sink sink;
  bool ok;
  struct cedar_lexer lexer;
  struct cedar_token token; /* the next one to be put */
  const char *gap;          /* what stands between it and the one before */
  struct cedar_token prev;
  bool prev_joins; /* nothing may stand behind the last token: unary minus */
  bool prev_names; /* it is a word behind "@" or ".", whatever word */
  bool fresh;      /* at the start of a line */
  uint32_t indent;
};

/* How a condition's body is laid out. */
struct shape {
  uint32_t width;
  bool broken;        /* holds a comment or a line break */
  const char *divide; /* the operator to break lines at, or NULL */
};

static void put_bytes(struct format *f, const char *bytes, size_t len) {
  f->ok = f->ok && (len == 0 || f->sink.put(f->sink.ctx, bytes, len));
}

static void line_end(struct format *f) {
  if (!f->fresh)
    put_bytes(f, "\n", 1);
  f->fresh = true;
}

static void line_begin(struct format *f) {
  uint32_t i;

  for (i = 0; f->fresh && i < f->indent; i++)
    put_bytes(f, " ", 1);
  f->fresh = false;
}

/* A token with its quotes. */
static struct cedar_text whole(const struct cedar_token *token) {
  struct cedar_text text = token->text;

  if (token->kind == CEDAR_TOK_STRING) {
    text.ptr--;
    text.len += 2;
  }
  return text;
}

static void advance(struct format *f) {
  f->gap = f->lexer.at;
  f->token = cedar_lexer_next(&f->lexer);
}

typedef char word[7]; /* lists of them end with an empty one */

static bool is_one_of(const struct cedar_token *token, enum cedar_token_kind kind,
                      const word *words) {
  for (; token->kind == kind && (*words)[0] != '\0'; words++)
    if (cedar_token_equal(token, *words))
      return true;
  return false;
}

static bool is_keyword(const struct format *f) {
  static const word words[] = {"if", "then", "else",   "in",     "like",
                               "is", "has",  "permit", "forbid", ""};

  return !f->prev_names && is_one_of(&f->prev, CEDAR_TOK_IDENT, words);
}

/* Whether what was put last ends an operand, so that a minus is a binary one. */
static bool ends_operand(const struct format *f) {
  static const word closing[] = {")", "]", "}", ""};

  if (f->prev.kind == CEDAR_TOK_PUNCT)
    return is_one_of(&f->prev, CEDAR_TOK_PUNCT, closing);
  return f->prev.kind != CEDAR_TOK_END && !is_keyword(f);
}

static bool wants_space(const struct format *f) {
  static const word before[] = {")", "]", ",", ";", ".", "::", ":", ""};
  static const word behind[] = {"(", "[", ".", "::", "!", "@", ""};

  if (f->prev.kind == CEDAR_TOK_END || f->prev_joins ||
      is_one_of(&f->token, CEDAR_TOK_PUNCT, before) || is_one_of(&f->prev, CEDAR_TOK_PUNCT, behind))
    return false;
  if (cedar_token_is(&f->token, "(") || cedar_token_is(&f->token, "["))
    return !ends_operand(f);
  return !(cedar_token_is(&f->token, "}") && cedar_token_is(&f->prev, "{"));
}

static void step(struct format *f) {
  bool names = cedar_token_is(&f->prev, "@") || cedar_token_is(&f->prev, ".");
  bool joins = cedar_token_is(&f->token, "-") && !ends_operand(f);

  f->prev = f->token;
  f->prev_names = names;
  f->prev_joins = joins;
  advance(f);
}

/* The next comment in a gap; false when there is none. Lines is how many ends lie before it. */
static bool comment_next(const char **at, const char *end, struct cedar_text *comment,
                         uint32_t *lines) {
  const char *from;

  for (*lines = 0; *at < end && **at != '/'; (*at)++)
    *lines += **at == '\n';
  if (*at >= end)
    return false;
  for (from = *at; *at < end && **at != '\n' && **at != '\r'; (*at)++)
    ;
  comment->ptr = from;
  comment->len = (size_t)(*at - from);
  while (comment->len > 2 && memchr(" \t\v\f", comment->ptr[comment->len - 1], 4) != NULL)
    comment->len--;
  return true;
}

/*
 * Puts the comments in front of the next token: one that stands behind something stays there,
 * others get lines of their own. An empty line between them is kept.
 *   in   apart: an empty line goes before everything that does not stand behind the last token
 */
static void put_comments(struct format *f, bool apart) {
  const char *at = f->gap, *end = whole(&f->token).ptr;
  struct cedar_text comment;
  uint32_t lines, count = 0;

  while (comment_next(&at, end, &comment, &lines)) {
    if (lines == 0 && count == 0 && f->prev.kind != CEDAR_TOK_END) {
      put_bytes(f, "  ", f->fresh ? 0 : 2);
    } else {
      line_end(f);
      if (f->prev.kind != CEDAR_TOK_END || count > 0)
        put_bytes(f, "\n", apart || lines > 1 ? 1 : 0);
      apart = false;
    }
    line_begin(f);
    put_bytes(f, comment.ptr, comment.len);
    line_end(f);
    count++;
  }
  if (f->token.kind == CEDAR_TOK_END)
    return;
  if (apart && f->prev.kind != CEDAR_TOK_END) {
    line_end(f);
    put_bytes(f, "\n", 1);
  } else if (count > 0 && lines > 1) {
    put_bytes(f, "\n", 1);
  }
}

static void put(struct format *f) {
  struct cedar_text text = whole(&f->token);

  put_comments(f, false);
  if (!f->fresh && wants_space(f))
    put_bytes(f, " ", 1);
  line_begin(f);
  put_bytes(f, text.ptr, text.len);
  step(f);
}

/* 1 for an opening bracket, -1 for a closing one. */
static int turn(const struct cedar_token *token) {
  static const word opening[] = {"(", "[", "{", ""}, closing[] = {")", "]", "}", ""};

  return is_one_of(token, CEDAR_TOK_PUNCT, opening)   ? 1
         : is_one_of(token, CEDAR_TOK_PUNCT, closing) ? -1
                                                      : 0;
}

static bool has_comment(const struct format *f) {
  const char *at = f->gap;
  struct cedar_text comment;
  uint32_t lines;

  return comment_next(&at, whole(&f->token).ptr, &comment, &lines);
}

/* Looks ahead from an opening bracket to the one that closes it. */
static struct shape measure(const struct format *from) {
  struct format f = *from;
  struct shape shape = {0, false, NULL};
  int depth = 0;
  bool choice = false;

  do {
    struct cedar_text text = whole(&f.token);

    depth += turn(&f.token);
    shape.width += (uint32_t)text.len + wants_space(&f);
    shape.broken |= has_comment(&f) || memchr(text.ptr, '\n', text.len) != NULL;
    if (depth == 1 && !choice && cedar_token_is(&f.token, "||"))
      shape.divide = "||";
    if (depth == 1 && !choice && shape.divide == NULL && cedar_token_is(&f.token, "&&"))
      shape.divide = "&&";
    choice |= depth == 1 && cedar_token_is(&f.token, "if");
    step(&f);
  } while (depth > 0 && f.token.kind != CEDAR_TOK_END);
  return shape;
}

/* From an opening bracket to the one that closes it; divide NULL: on one line. */
static void put_group(struct format *f, const char *divide, bool broken) {
  int depth = 0;
  bool ends;

  do {
    depth += turn(&f->token);
    ends = depth == 0;
    if (ends && broken) {
      /* A comment before the bracket belongs to what stands inside. */
      put_comments(f, false);
      f->gap = whole(&f->token).ptr;
      line_end(f);
      f->indent -= STEP;
    }
    if (depth == 1 && broken && divide != NULL && cedar_token_is(&f->token, divide)) {
      put(f);
      if (!has_comment(f))
        line_end(f);
      continue;
    }
    put(f);
    if (depth == 1 && broken && turn(&f->prev) > 0) {
      f->indent += STEP;
      if (!has_comment(f))
        line_end(f);
    }
  } while (!ends && f->token.kind != CEDAR_TOK_END);
}

static void put_head(struct format *f) {
  struct format ahead;
  struct shape shape;
  bool plain = true;

  put(f); /* permit or forbid */
  shape = measure(f);
  ahead = *f;
  for (step(&ahead); ahead.token.kind != CEDAR_TOK_END && !cedar_token_is(&ahead.token, ")");
       step(&ahead))
    plain = plain && (ahead.token.kind == CEDAR_TOK_IDENT || cedar_token_is(&ahead.token, ","));
  put_group(f, ",", !plain || shape.broken);
}

static void put_condition(struct format *f) {
  struct shape shape;
  bool broken;

  if (!has_comment(f))
    line_end(f);
  put(f); /* when or unless */
  shape = measure(f);
  broken = shape.broken || shape.width > WIDTH;
  put_group(f, shape.divide, broken);
}

static void put_policy(struct format *f) {
  put_comments(f, true);
  f->gap = whole(&f->token).ptr;
  while (cedar_token_is(&f->token, "@")) {
    put(f);
    put(f);
    if (cedar_token_is(&f->token, "(")) {
      put(f);
      put(f);
      put(f);
    }
    if (!has_comment(f))
      line_end(f);
  }
  put_head(f);
  while (f->token.kind != CEDAR_TOK_END && !cedar_token_is(&f->token, ";"))
    put_condition(f);
  put(f);
}

enum cedar_status cedar_policies_format(const struct cedar_source *source,
                                        const struct cedar_sink *sink, struct cedar_error *error) {
  struct cedar_store *store = NULL;
  struct format f = {.sink = *sink, .ok = true, .fresh = true};
  enum cedar_status status = cedar_store_new(NULL, &store);

  /* What parses has brackets that close, so the layout need not look. */
  if (status == CEDAR_OK)
    status = cedar_store_add_policies(store, source, CEDAR_ID_POSITION, error);
  cedar_store_free(&store);
  if (status != CEDAR_OK)
    return status;
  cedar_lexer_init(&f.lexer, source->bytes, source->len);
  advance(&f);
  while (f.token.kind != CEDAR_TOK_END)
    put_policy(&f);
  put_comments(&f, true);
  line_end(&f);
  return f.ok ? CEDAR_OK : CEDAR_LIMIT;
}
