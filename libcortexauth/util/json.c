/*
 * JSON text from strangers (RFC 8259), bounded and without double meanings.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "util/json.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/limits.h"
#include "cedar/text.h"

/* A value takes 64 bytes and stands for at least two, "1,", but for what is open: "[[[". */
#define ROOM_OF(len) (40 * (len) + 2 * 64 * CEDAR_MAX_DEPTH)

/* The usual text has a member in 30 bytes: what holds it in one piece. */
#define USUAL_ROOM(len) (4 * (len) + 512)

struct document {
  cx_json root; /* first: its address is the document's */
  size_t owners;
  struct cedar_arena arena;
};

/* ---- numbers ---- */

/* Whatever the program's locale writes between whole and fraction. */
static double read_real(struct cedar_text text) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
  double real = strtod(text.ptr, NULL);

  uselocale(before);
  freelocale(plain);
  return real;
}

double cx_json_number(const cx_json *value) {
  if (cx_json_is(value, CEDAR_JSON_NUMBER))
    return read_real(value->u.string);
  return (double)cx_json_integer(value);
}

/* False: out of range. A whole number that Cedar does not read as one is either "-0" or too large. */
static bool settle_number(cx_json *number) {
  struct cedar_text text = number->u.string;

  if (strcspn(text.ptr, ".eE") < text.len)
    return isfinite(read_real(text));
  number->kind = CEDAR_JSON_LONG;
  number->u.i = 0;
  return cedar_text_is(text, "-0");
}

/* ---- reading ---- */

static enum cortex_reason refuse_depth(const char *what, struct cortex_error *error) {
  return cx_error_set(error, CORTEX_MALFORMED, "the %s is nested deeper than %d levels", what,
                      CX_JSON_DEPTH_MAX);
}

static void end_text(struct cedar_text text) {
  ((char *)text.ptr)[text.len] = '\0';
}

/*
 * Once all is read, what stood behind a name, a string or a number is needed no more (a quote, a
 * comma, a bracket; behind a decoded string there is room): a NUL takes its place. The text is
 * this document's own copy.
 */
static enum cortex_reason settle(const char *what, cx_json *value, int depth,
                                 struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_OK;
  cx_json *child;

  if (value->kind == CEDAR_JSON_STRING || value->kind == CEDAR_JSON_NUMBER)
    end_text(value->u.string);
  if (value->kind == CEDAR_JSON_NUMBER && !settle_number(value))
    return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "the %s has a number out of range", what);
  if (value->kind != CEDAR_JSON_ARRAY && value->kind != CEDAR_JSON_OBJECT)
    return CORTEX_OK;
  if (depth > CX_JSON_DEPTH_MAX)
    return refuse_depth(what, error);
  for (child = value->u.child; child != NULL && reason == CORTEX_OK; child = child->next) {
    if (value->kind == CEDAR_JSON_OBJECT) {
      end_text(child->key);
      if (memchr(child->key.ptr, '\0', child->key.len) != NULL)
        return cx_error_set(error, CORTEX_MALFORMED, "the %s has a member whose name holds a NUL",
                            what);
    }
    reason = settle(what, child, depth + 1, error);
  }
  return reason;
}

/* The reader's words may hold a name out of the text: they are quoted like one. */
static enum cortex_reason refuse(const char *what, const char *bytes, size_t len,
                                 const struct cedar_error *why, struct cortex_error *error) {
  if (why->status == CEDAR_NOMEM)
    return cx_error_memory(error);
  if (!cedar_utf8_is_valid(bytes, len))
    return cx_error_set(error, CORTEX_BAD_ENCODING, "the %s is not UTF-8", what);
  if (why->status == CEDAR_LIMIT)
    return refuse_depth(what, error);
  return cx_error_set(error, CORTEX_MALFORMED,
                      "the %s is not JSON that is accepted: %s (line %u, column %u)", what,
                      cx_quote(why->message, strlen(why->message)).text, why->line, why->column);
}

static enum cortex_reason read_document(const char *what, const char *bytes, size_t len,
                                        struct document *document, struct cortex_error *error) {
  struct cedar_source source = {what, cedar_arena_dup(&document->arena, bytes, len), len};
  struct cedar_error why = {0};
  struct cedar_json *root;

  if (source.bytes == NULL)
    return cx_error_memory(error);
  if (cedar_json_parse(&document->arena, &source, &root, &why) != CEDAR_OK)
    return refuse(what, bytes, len, &why, error);
  document->root = *root;
  if (root->kind != CEDAR_JSON_OBJECT)
    return cx_error_set(error, CORTEX_MALFORMED, "the %s is not a JSON object", what);
  return settle(what, &document->root, 1, error);
}

enum cortex_reason cx_json_parse(const char *what, const char *bytes, size_t len,
                                 const cx_json **object_out, struct cortex_error *error) {
  const struct cedar_allocator heap = cedar_allocator_get(NULL);
  struct document *document;
  enum cortex_reason reason;

  *object_out = NULL;
  if (len > CEDAR_MAX_SOURCE)
    return cx_error_set(error, CORTEX_MALFORMED, "the %s is too large", what);
  document = calloc(1, sizeof *document);
  if (document == NULL)
    return cx_error_memory(error);
  cedar_arena_init(&document->arena, &heap, ROOM_OF(len));
  document->arena.block = USUAL_ROOM(len);
  document->owners = 1;
  reason = read_document(what, bytes, len, document, error);
  if (reason == CORTEX_OK)
    *object_out = &document->root;
  else
    cx_json_release(&document->root);
  return reason;
}

const cx_json *cx_json_hold(const cx_json *object) {
  if (object != NULL)
    ((struct document *)object)->owners++;
  return object;
}

void cx_json_release(const cx_json *object) {
  struct document *document = (struct document *)object;

  if (document == NULL || --document->owners > 0)
    return;
  cedar_arena_clear(&document->arena);
  free(document);
}

/* ---- looking ---- */

const cx_json *cx_json_get_n(const cx_json *object, const char *name, size_t len) {
  const cx_json *member = cx_json_members(object);

  while (member != NULL && (member->key.len != len || memcmp(member->key.ptr, name, len) != 0))
    member = member->next;
  return member;
}

const cx_json *cx_json_get(const cx_json *object, const char *name) {
  return cx_json_get_n(object, name, strlen(name));
}

bool cx_json_is_text(const cx_json *value, const char *text, size_t len) {
  return cx_json_is_string(value) && value->u.string.len == len &&
         memcmp(value->u.string.ptr, text, len) == 0;
}

static bool holds_nul(const cx_json *string) {
  return memchr(string->u.string.ptr, '\0', string->u.string.len) != NULL;
}

bool cx_json_is_plain(const cx_json *value) {
  return cx_json_is_string(value) && value->u.string.len > 0 && !holds_nul(value);
}

bool cx_json_has_nul(const cx_json *value) {
  const cx_json *child = cx_json_is_array(value) ? cx_json_items(value) : cx_json_members(value);

  if (cx_json_is_string(value))
    return holds_nul(value);
  while (child != NULL && !cx_json_has_nul(child))
    child = child->next;
  return child != NULL;
}

/* ---- words ---- */

/*
 * No more digits than tell it from every other double, so that 1.1 stays 1.1; with a point, so that
 * it stays a real.
 */
static void print_real(double real, struct cx_json_word *word) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
  int digits = DBL_DIG;

  do
    snprintf(word->text, sizeof word->text, "%.*g", digits, real);
  while (digits++ < DBL_DECIMAL_DIG && strtod(word->text, NULL) != real);
  if (strpbrk(word->text, ".e") == NULL)
    snprintf(word->text, sizeof word->text, "%.1f", real);
  uselocale(before);
  freelocale(plain);
}

struct cx_json_word cx_json_word(const cx_json *value) {
  struct cx_json_word word = {""};

  if (cx_json_is_integer(value))
    snprintf(word.text, sizeof word.text, "%" PRId64, value->u.i);
  else if (cx_json_is_number(value))
    print_real(cx_json_number(value), &word);
  else if (cx_json_is_boolean(value))
    snprintf(word.text, sizeof word.text, "%s", value->u.b ? "true" : "false");
  else if (cx_json_is_null(value))
    snprintf(word.text, sizeof word.text, "null");
  return word;
}

struct cx_quote cx_json_show(const cx_json *value) {
  struct cx_quote quote = {"missing"};

  if (cx_json_is_string(value))
    return cx_quote(value->u.string.ptr, value->u.string.len);
  if (value != NULL)
    snprintf(quote.text, sizeof quote.text, "%s",
             cx_json_is_array(value)    ? "an array"
             : cx_json_is_object(value) ? "an object"
                                        : cx_json_word(value).text);
  return quote;
}
