/*
 * JSON text from strangers (RFC 8259), bounded and without double meanings.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Cedar's reader, with what a credential asks of it more. No JSON library: in the server such a
 * one costs each login its loading, and its names may be the server's own (json_object is).
 */
#ifndef CX_UTIL_JSON_H
#define CX_UTIL_JSON_H

#include "cedar/json.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/quote.h"

/* Deeper nesting is refused. */
#define CX_JSON_DEPTH_MAX 32

/*
 * A value, read only. Its children are a list: cx_json_items() or cx_json_members(), then ->next.
 * A member's ->key and a string have a NUL behind them that their length does not count.
 */
typedef struct cedar_json cx_json;

/*
 * Parses one JSON object. Duplicate members are refused (two readers could
 * pick different ones), and NUL in their names; strings may hold NUL, so compare with lengths.
 *
 *   in   what: names the text in messages, such as "header"
 *   out  object_out: owns all that is below it; cx_json_release() it; NULL on failure
 *   gives  CORTEX_OK, CORTEX_BAD_ENCODING (not UTF-8), CORTEX_MALFORMED (not
 *          one object, duplicates, too deep), CORTEX_CLAIM_MISMATCH (a number
 *          out of range), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_json_parse(const char *what, const char *bytes, size_t len,
                                                  const cx_json **object_out,
                                                  struct cortex_error *error);

/* One owner more of what cx_json_parse() gave; never of a value below it. */
const cx_json *cx_json_hold(const cx_json *object);

/* One owner less; the last one frees. Accepts NULL. */
void cx_json_release(const cx_json *object);

/* What a value is; NULL is nothing of all that. */
static inline bool cx_json_is(const cx_json *value, enum cedar_json_kind kind) {
  return value != NULL && value->kind == kind;
}

static inline bool cx_json_is_string(const cx_json *value) {
  return cx_json_is(value, CEDAR_JSON_STRING);
}

static inline bool cx_json_is_array(const cx_json *value) {
  return cx_json_is(value, CEDAR_JSON_ARRAY);
}

static inline bool cx_json_is_object(const cx_json *value) {
  return cx_json_is(value, CEDAR_JSON_OBJECT);
}

static inline bool cx_json_is_integer(const cx_json *value) {
  return cx_json_is(value, CEDAR_JSON_LONG);
}

static inline bool cx_json_is_number(const cx_json *value) {
  return cx_json_is_integer(value) || cx_json_is(value, CEDAR_JSON_NUMBER);
}

static inline bool cx_json_is_boolean(const cx_json *value) {
  return cx_json_is(value, CEDAR_JSON_BOOL);
}

static inline bool cx_json_is_true(const cx_json *value) {
  return cx_json_is_boolean(value) && value->u.b;
}

static inline bool cx_json_is_false(const cx_json *value) {
  return cx_json_is_boolean(value) && !value->u.b;
}

static inline bool cx_json_is_null(const cx_json *value) {
  return cx_json_is(value, CEDAR_JSON_NULL);
}

/* The first element of an array, the first member of an object; NULL: none, or another kind. */
static inline const cx_json *cx_json_items(const cx_json *array) {
  return cx_json_is_array(array) ? array->u.child : NULL;
}

static inline const cx_json *cx_json_members(const cx_json *object) {
  return cx_json_is_object(object) ? object->u.child : NULL;
}

/* How many elements an array has; 0 for another kind. */
static inline size_t cx_json_count(const cx_json *array) {
  return cx_json_is_array(array) ? array->count : 0;
}

/* A string's bytes; NULL, and 0, for another kind. */
static inline const char *cx_json_text(const cx_json *value) {
  return cx_json_is_string(value) ? value->u.string.ptr : NULL;
}

static inline size_t cx_json_text_len(const cx_json *value) {
  return cx_json_is_string(value) ? value->u.string.len : 0;
}

/* A whole number; 0 for another kind. */
static inline int64_t cx_json_integer(const cx_json *value) {
  return cx_json_is_integer(value) ? value->u.i : 0;
}

/* A number of any form, rounded; 0 for another kind. */
double cx_json_number(const cx_json *value);

/* A member of an object; NULL when there is none or it is no object. */
const cx_json *cx_json_get(const cx_json *object, const char *name);
const cx_json *cx_json_get_n(const cx_json *object, const char *name, size_t len);

/* True for a string value of exactly these bytes. */
bool cx_json_is_text(const cx_json *value, const char *text, size_t len);

/* True for a string value that is not empty and holds no NUL. */
bool cx_json_is_plain(const cx_json *value);

/* True when a string anywhere below holds a NUL. */
bool cx_json_has_nul(const cx_json *value);

/* The text of a scalar that is no string: "true", "null", 17, 1.5; "" for everything else. */
struct cx_json_word {
  char text[32];
};
struct cx_json_word cx_json_word(const cx_json *value);

/* A value for a message: strings and numbers as they are, the rest by its type. */
struct cx_quote cx_json_show(const cx_json *value);

/* ---- printing ---- */

/* A string with its quotes, every byte above 126 escaped; what is not UTF-8 becomes U+FFFD. */
void cx_json_put_text(struct cx_buf *buf, const char *text, size_t len);

/* A value in as few bytes as it takes, ASCII only. */
void cx_json_put(struct cx_buf *buf, const cx_json *value);

/*
 * An object or an array in the making, whose brackets the caller writes: a comma where one is due,
 * a member's name, whole members. A text that is NULL is left out.
 */
void cx_json_put_comma(struct cx_buf *buf);
void cx_json_put_name(struct cx_buf *buf, const char *name);
void cx_json_member_text(struct cx_buf *buf, const char *name, const char *text);
void cx_json_member_number(struct cx_buf *buf, const char *name, int64_t number);
void cx_json_member_bool(struct cx_buf *buf, const char *name, bool value);

#endif
