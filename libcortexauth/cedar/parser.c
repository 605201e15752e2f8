/*
 * The parser's tools: tokens, names, strings, and what it says when they do not fit.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "parser.h"

#include <string.h>

/* True when the whole text is UTF-8; else the first byte that is not gets its place. */
/* Bytes from `at` on that are plain ASCII, in words of eight: nearly all of a usual policy. */
static size_t ascii_run(const struct cedar_source *source, size_t at) {
  size_t start = at;
  uint64_t word;

  for (; source->len - at >= sizeof(word); at += sizeof(word)) {
    memcpy(&word, source->bytes + at, sizeof(word));
    if ((word & UINT64_C(0x8080808080808080)) != 0)
      break;
  }
  return at - start;
}

static bool check_utf8(struct cedar_parser *p, const struct cedar_source *source) {
  struct cedar_place place;
  size_t at = ascii_run(source, 0), len;

  for (; at < source->len; at += len) {
    len = cedar_utf8_next(source->bytes + at, source->len - at, NULL);
    if (len == 0)
      break;
  }
  if (at == source->len)
    return true;
  place = cedar_place_at(source, at);
  cedar_build_fail(&p->b, CEDAR_INVALID, place.line, place.column, "not valid UTF-8");
  return false;
}

void cedar_parser_init(struct cedar_parser *p, struct cedar_store *store,
                       const struct cedar_source *source, struct cedar_error *error) {
  memset(p, 0, sizeof(*p));
  cedar_build_init(&p->b, store, source, error);
  p->b.place_line = 1;
  p->b.place_column = 1;
  if (source->len > CEDAR_MAX_SOURCE) {
    cedar_build_fail(&p->b, CEDAR_LIMIT, 0, 0, "larger than %u bytes", CEDAR_MAX_SOURCE);
    return;
  }
  if (!check_utf8(p, source))
    return;
  cedar_lexer_init(&p->lexer, source->bytes, source->len);
  cedar_parser_next(p);
}

void cedar_parser_clear(struct cedar_parser *p) {
  cedar_build_clear(&p->b);
}

void cedar_parser_next(struct cedar_parser *p) {
  p->token = cedar_lexer_next(&p->lexer);
  if (p->token.kind == CEDAR_TOK_BAD)
    cedar_build_fail(&p->b, CEDAR_INVALID, p->token.line, p->token.column, "%s", p->token.message);
}

bool cedar_parser_take(struct cedar_parser *p, const char *text) {
  if (!cedar_parser_ok(p) || !cedar_parser_at(p, text))
    return false;
  cedar_parser_next(p);
  return true;
}

bool cedar_parser_expect(struct cedar_parser *p, const char *text) {
  if (cedar_parser_take(p, text))
    return cedar_parser_ok(p);
  if (cedar_parser_ok(p))
    cedar_build_fail(&p->b, CEDAR_INVALID, p->token.line, p->token.column,
                     p->token.kind == CEDAR_TOK_END ? "expected `%s`, found the end of the text%.*s"
                                                    : "expected `%s`, found `%.*s`",
                     text, (int)(p->token.text.len < 60 ? p->token.text.len : 60),
                     p->token.text.ptr);
  return false;
}

uint32_t cedar_parser_expected(struct cedar_parser *p, const char *what) {
  return cedar_build_fail(
      &p->b, CEDAR_INVALID, p->token.line, p->token.column,
      p->token.kind == CEDAR_TOK_END ? "expected %s, found the end of the text%.*s"
                                     : "expected %s, found `%.*s`",
      what, (int)(p->token.text.len < 60 ? p->token.text.len : 60), p->token.text.ptr);
}

bool cedar_parser_string(struct cedar_parser *p, bool pattern, struct cedar_text *out) {
  const char *message = NULL;
  enum cedar_status status;

  if (!cedar_parser_ok(p))
    return false;
  if (p->token.kind != CEDAR_TOK_STRING) {
    cedar_parser_expected(p, "a text in quotes");
    return false;
  }
  status = cedar_string_decode(&p->b.arena, p->token.text, pattern, out, &message);
  if (status == CEDAR_NOMEM)
    cedar_build_status(&p->b, status);
  else if (status != CEDAR_OK)
    cedar_build_fail(&p->b, status, p->token.line, p->token.column, "%s", message);
  cedar_parser_next(p);
  return cedar_parser_ok(p);
}

/* Joins a name that is written with blanks or comments inside. */
static bool name_join(struct cedar_parser *p, struct cedar_text part, struct cedar_text *name) {
  char *joined;

  if (part.ptr == name->ptr + name->len + 2) {
    name->len += part.len + 2;
    return true;
  }
  joined = cedar_arena_get(&p->b.arena, name->len + part.len + 2);
  if (joined == NULL) {
    cedar_build_status(&p->b, CEDAR_NOMEM);
    return false;
  }
  memcpy(joined, name->ptr, name->len);
  memcpy(joined + name->len, "::", 2);
  memcpy(joined + name->len + 2, part.ptr, part.len);
  name->ptr = joined;
  name->len += part.len + 2;
  return true;
}

bool cedar_parser_path(struct cedar_parser *p, struct cedar_path *out) {
  memset(out, 0, sizeof(*out));
  out->single = true;
  out->line = p->token.line;
  out->column = p->token.column;
  for (;;) {
    if (p->token.kind == CEDAR_TOK_STRING && out->name.ptr != NULL) {
      out->entity = true;
      return cedar_parser_string(p, false, &out->id);
    }
    if (p->token.kind != CEDAR_TOK_IDENT || cedar_is_reserved(p->token.text)) {
      cedar_parser_expected(p, "a name");
      return false;
    }
    if (out->name.ptr == NULL) {
      out->name = p->token.text;
    } else {
      out->single = false;
      if (!name_join(p, p->token.text, &out->name))
        return false;
    }
    cedar_parser_next(p);
    if (!cedar_parser_take(p, "::"))
      return cedar_parser_ok(p);
  }
}

uint32_t cedar_parser_uid(struct cedar_parser *p, const struct cedar_path *path) {
  uint32_t type = cedar_build_sym(&p->b, path->name);

  return cedar_build_uid(&p->b, type, path->id);
}

bool cedar_uid_parse(struct cedar_arena *arena, struct cedar_text text,
                     struct cedar_uid_text *uid_out) {
  const char *quote = text.len == 0 ? NULL : memchr(text.ptr, '"', text.len), *message;
  struct cedar_text raw;
  size_t i;

  memset(uid_out, 0, sizeof(*uid_out));
  if (quote == NULL || quote - text.ptr < 3 || quote[-1] != ':' || quote[-2] != ':' ||
      text.ptr[text.len - 1] != '"' || quote == text.ptr + text.len - 1)
    return false;
  uid_out->type.ptr = text.ptr;
  uid_out->type.len = (size_t)(quote - text.ptr) - 2;
  raw.ptr = quote + 1;
  raw.len = (size_t)(text.ptr + text.len - 1 - raw.ptr);
  for (i = 0; i < raw.len; i++) {
    if (raw.ptr[i] == '"')
      return false;
    if (raw.ptr[i] == '\\' && ++i == raw.len)
      return false;
  }
  return cedar_is_name(uid_out->type) &&
         cedar_string_decode(arena, raw, false, &uid_out->id, &message) == CEDAR_OK;
}
