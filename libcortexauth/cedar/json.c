/*
 * JSON (RFC 8259) as Cedar reads it: positions kept, integers exact, duplicate keys refused.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "text.h"

#define FEW_KEYS 8

struct reader {
  struct cedar_arena *arena;
  const struct cedar_source *source;
  const char *at;
  const char *end;
  unsigned int depth;
  struct cedar_error *error;
};

static enum cedar_status fail(struct reader *r, const char *at, const char *what) {
  return cedar_error_set(r->error, CEDAR_INVALID,
                         cedar_place_at(r->source, (size_t)(at - r->source->bytes)), "%s", what);
}

static enum cedar_status no_memory(struct reader *r) {
  return cedar_error_plain(r->error, CEDAR_NOMEM, "out of memory while reading %s",
                           r->source->name);
}

static void blanks_skip(struct reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
    r->at++;
}

static int hex_value(const char *at, const char *end) {
  int value = 0, i;

  if (end - at < 4)
    return -1;
  for (i = 0; i < 4; i++) {
    char c = at[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;

    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* \uXXXX, or a pair of them for a scalar past U+FFFF; at stands on the first digit. */
static enum cedar_status unicode_escape(struct reader *r, char **out) {
  int high = hex_value(r->at, r->end), low;
  uint32_t scalar;

  if (high < 0)
    return fail(r, r->at, "\\u needs four hex digits");
  scalar = (uint32_t)high;
  r->at += 4;
  if (scalar >= 0xd800 && scalar <= 0xdfff) {
    low = r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u' ? hex_value(r->at + 2, r->end)
                                                                     : -1;
    if (scalar >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
      return fail(r, r->at - 6, "lone surrogate in a string");
    scalar = 0x10000 + ((scalar - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    r->at += 6;
  }
  *out += cedar_utf8_put(*out, scalar);
  return CEDAR_OK;
}

static enum cedar_status escape_read(struct reader *r, char **out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *found;

  if (r->at == r->end)
    return fail(r, r->at, "string is not closed");
  if (*r->at == 'u') {
    r->at++;
    return unicode_escape(r, out);
  }
  found = *r->at == '\0' ? NULL : strchr(from, *r->at);
  if (found == NULL)
    return fail(r, r->at - 1, "unknown escape in a string");
  *(*out)++ = to[found - from];
  r->at++;
  return CEDAR_OK;
}

/* Copies a string's rest, decoded; an escape is never shorter than what it stands for. */
static enum cedar_status string_decode(struct reader *r, const char *start, const char *close,
                                       struct cedar_text *out) {
  char *copy = cedar_arena_get(r->arena, (size_t)(close - start) + 1), *to;
  enum cedar_status status;

  if (copy == NULL)
    return no_memory(r);
  to = copy;
  r->at = start;
  while (r->at < close) {
    if (*r->at != '\\') {
      *to++ = *r->at++;
      continue;
    }
    r->at++;
    status = escape_read(r, &to);
    if (status != CEDAR_OK)
      return status;
  }
  out->ptr = copy;
  out->len = (size_t)(to - copy);
  return CEDAR_OK;
}

/* at stands behind the opening quote. */
static enum cedar_status string_read(struct reader *r, struct cedar_text *out) {
  const char *start = r->at, *close;
  enum cedar_status status;
  bool escaped = false;

  while (r->at < r->end && *r->at != '"') {
    size_t n =
        (unsigned char)*r->at < 0x80 ? 1 : cedar_utf8_next(r->at, (size_t)(r->end - r->at), NULL);

    if ((unsigned char)*r->at < 0x20)
      return fail(r, r->at, "control character in a string");
    if (n == 0)
      return fail(r, r->at, "string is not valid UTF-8");
    if (*r->at == '\\') {
      escaped = true;
      if (r->end - r->at < 2)
        break;
      if ((unsigned char)r->at[1] < 0x80)
        n = 2;
    }
    r->at += n;
  }
  if (r->at >= r->end)
    return fail(r, start - 1, "string is not closed");
  close = r->at;
  out->ptr = start;
  out->len = (size_t)(close - start);
  if (escaped) {
    status = string_decode(r, start, close, out);
    if (status != CEDAR_OK)
      return status;
  }
  r->at = close + 1;
  return CEDAR_OK;
}

static size_t digits_skip(struct reader *r) {
  const char *start = r->at;

  while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
    r->at++;
  return (size_t)(r->at - start);
}

/* Anything but a 64-bit integer stays a text: its meaning would depend on rounding. */
static enum cedar_status number_read(struct reader *r, struct cedar_json *json) {
  const char *start = r->at, *digit;
  int64_t value = 0, sign = 1;
  size_t whole;
  bool exact = true;

  if (*r->at == '-') {
    sign = -1;
    r->at++;
  }
  digit = r->at;
  whole = digits_skip(r);
  if (whole == 0 || (whole > 1 && *digit == '0'))
    return fail(r, start, "not a JSON number");
  for (; digit < r->at; digit++)
    exact = exact && !__builtin_mul_overflow(value, 10, &value) &&
            !__builtin_add_overflow(value, sign * (*digit - '0'), &value);
  if (r->at < r->end && *r->at == '.') {
    r->at++;
    exact = false;
    if (digits_skip(r) == 0)
      return fail(r, start, "not a JSON number");
  }
  if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
    r->at++;
    exact = false;
    if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
      r->at++;
    if (digits_skip(r) == 0)
      return fail(r, start, "not a JSON number");
  }
  if (exact && !(sign < 0 && value == 0)) {
    json->kind = CEDAR_JSON_LONG;
    json->u.i = value;
  } else {
    json->kind = CEDAR_JSON_NUMBER;
    json->u.string = (struct cedar_text){start, (size_t)(r->at - start)};
  }
  return CEDAR_OK;
}

static enum cedar_status word_read(struct reader *r, struct cedar_json *json) {
  static const struct {
    char word[6];
    enum cedar_json_kind kind;
    bool b;
  } words[] = {{"true", CEDAR_JSON_BOOL, true},
               {"false", CEDAR_JSON_BOOL, false},
               {"null", CEDAR_JSON_NULL, false}};
  size_t i, n;

  if (r->at == r->source->bytes && cedar_utf8_is_marked(r->at, (size_t)(r->end - r->at)))
    return fail(r, r->at, CEDAR_MARK_FOUND);
  for (i = 0; i < 3; i++) {
    n = strlen(words[i].word);
    if ((size_t)(r->end - r->at) >= n && memcmp(r->at, words[i].word, n) == 0) {
      json->kind = words[i].kind;
      json->u.b = words[i].b;
      r->at += n;
      return CEDAR_OK;
    }
  }
  return fail(r, r->at,
              r->at == r->end ? "the text ends where a value is expected"
                              : "a JSON value is expected");
}

static int member_compare(const void *a, const void *b) {
  const struct cedar_json *left = *(const struct cedar_json *const *)a;
  const struct cedar_json *right = *(const struct cedar_json *const *)b;
  int order = cedar_text_compare(left->key, right->key);

  if (order != 0)
    return order;
  return (left->key_offset > right->key_offset) - (left->key_offset < right->key_offset);
}

static enum cedar_status duplicate(struct reader *r, const struct cedar_json *member) {
  return cedar_error_set(r->error, CEDAR_INVALID, cedar_place_at(r->source, member->key_offset),
                         "duplicate key \"%.*s\"",
                         (int)(member->key.len < 100 ? member->key.len : 100), member->key.ptr);
}

/* Duplicate keys mean that two readers may see two documents. */
static enum cedar_status keys_check(struct reader *r, const struct cedar_json *object) {
  const struct cedar_json *member, *other, **sorted;
  uint32_t i = 0;

  if (object->count <= FEW_KEYS) {
    for (member = object->u.child; member != NULL; member = member->next)
      for (other = object->u.child; other != member; other = other->next)
        if (cedar_text_compare(member->key, other->key) == 0)
          return duplicate(r, member);
    return CEDAR_OK;
  }
  sorted = cedar_arena_get_array(r->arena, object->count, sizeof(const void *));
  if (sorted == NULL)
    return no_memory(r);
  for (member = object->u.child; member != NULL; member = member->next)
    sorted[i++] = member;
  qsort(sorted, object->count, sizeof(const void *), member_compare);
  for (i = 1; i < object->count; i++)
    if (cedar_text_compare(sorted[i - 1]->key, sorted[i]->key) == 0)
      return duplicate(r, sorted[i]);
  return CEDAR_OK;
}

static enum cedar_status value_read(struct reader *r, struct cedar_json *json);

/* "key" : at stands on the first quote. */
static enum cedar_status key_read(struct reader *r, struct cedar_json *member) {
  enum cedar_status status;

  if (r->at == r->end || *r->at != '"')
    return fail(r, r->at, "a member's name in quotes is expected");
  member->key_offset = (uint32_t)(r->at - r->source->bytes);
  r->at++;
  status = string_read(r, &member->key);
  if (status != CEDAR_OK)
    return status;
  blanks_skip(r);
  if (r->at == r->end || *r->at != ':')
    return fail(r, r->at, "':' is expected");
  r->at++;
  return CEDAR_OK;
}

/* Elements or members up to the closing bracket; at stands behind the opening one. */
static enum cedar_status children_read(struct reader *r, struct cedar_json *json, char close) {
  struct cedar_json **last = &json->u.child, *child;
  enum cedar_status status;

  *last = NULL;
  blanks_skip(r);
  if (r->at < r->end && *r->at == close) {
    r->at++;
    return CEDAR_OK;
  }
  for (;;) {
    child = cedar_arena_get_array(r->arena, 1, sizeof(*child));
    if (child == NULL)
      return no_memory(r);
    blanks_skip(r);
    if (close == '}') {
      status = key_read(r, child);
      if (status != CEDAR_OK)
        return status;
    }
    status = value_read(r, child);
    if (status != CEDAR_OK)
      return status;
    *last = child;
    last = &child->next;
    json->count++;
    blanks_skip(r);
    if (r->at < r->end && *r->at == close)
      break;
    if (r->at == r->end || *r->at != ',')
      return fail(r, r->at, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
    r->at++;
  }
  r->at++;
  return close == '}' ? keys_check(r, json) : CEDAR_OK;
}

static enum cedar_status nested_read(struct reader *r, struct cedar_json *json, char close) {
  enum cedar_status status;

  if (r->depth == CEDAR_MAX_DEPTH)
    return cedar_error_set(r->error, CEDAR_LIMIT,
                           cedar_place_at(r->source, (size_t)(r->at - r->source->bytes)),
                           "nested deeper than %d", CEDAR_MAX_DEPTH);
  json->kind = close == '}' ? CEDAR_JSON_OBJECT : CEDAR_JSON_ARRAY;
  r->at++;
  r->depth++;
  status = children_read(r, json, close);
  r->depth--;
  return status;
}

static enum cedar_status value_read(struct reader *r, struct cedar_json *json) {
  blanks_skip(r);
  json->offset = (uint32_t)(r->at - r->source->bytes);
  if (r->at == r->end)
    return word_read(r, json);
  if (*r->at == '{' || *r->at == '[')
    return nested_read(r, json, *r->at == '{' ? '}' : ']');
  if (*r->at == '"') {
    json->kind = CEDAR_JSON_STRING;
    r->at++;
    return string_read(r, &json->u.string);
  }
  if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))
    return number_read(r, json);
  return word_read(r, json);
}

enum cedar_status cedar_json_parse(struct cedar_arena *arena, const struct cedar_source *source,
                                   struct cedar_json **json_out, struct cedar_error *error) {
  struct reader r = {arena, source, source->bytes, source->bytes + source->len, 0, error};
  struct cedar_json *json;
  enum cedar_status status;

  *json_out = NULL;
  if (source->len > CEDAR_MAX_SOURCE)
    return cedar_error_plain(error, CEDAR_LIMIT, "%s is larger than %u bytes", source->name,
                             CEDAR_MAX_SOURCE);
  json = cedar_arena_get_array(arena, 1, sizeof(*json));
  if (json == NULL)
    return no_memory(&r);
  status = value_read(&r, json);
  if (status != CEDAR_OK)
    return status;
  blanks_skip(&r);
  if (r.at != r.end)
    return fail(&r, r.at, "something follows the JSON value");
  *json_out = json;
  return CEDAR_OK;
}

const struct cedar_json *cedar_json_member(const struct cedar_json *json, const char *key) {
  const struct cedar_json *member;

  if (json->kind != CEDAR_JSON_OBJECT)
    return NULL;
  for (member = json->u.child; member != NULL; member = member->next)
    if (cedar_text_is(member->key, key))
      return member;
  return NULL;
}

const char *cedar_json_kind_name(const struct cedar_json *json) {
  static const char names[][36] = {
      "null",     "a boolean", "an integer", "a number that is no 64-bit integer",
      "a string", "an array",  "an object"};

  return names[json->kind];
}

enum cedar_status cedar_json_error(struct cedar_error *error, const struct cedar_source *source,
                                   const struct cedar_json *json, const char *format, ...) {
  char message[sizeof(error->message)];
  va_list args;

  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  return cedar_error_set(error, CEDAR_INVALID, cedar_place_at(source, json->offset), "%s", message);
}
