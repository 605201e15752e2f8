/*
 * JSON text from strangers, bounded and without double meanings.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/json.h"

#include <stdio.h>
#include <string.h>

/* Counts brackets outside strings, so that the parser's recursion is bounded by us. */
static bool is_shallow(const char *bytes, size_t len) {
  size_t i, depth = 0;
  bool in_string = false;

  for (i = 0; i < len; i++) {
    char byte = bytes[i];

    if (in_string) {
      if (byte == '\\')
        i++;
      else if (byte == '"')
        in_string = false;
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '{' || byte == '[') {
      if (++depth > CX_JSON_DEPTH_MAX)
        return false;
    } else if ((byte == '}' || byte == ']') && depth > 0) {
      depth--;
    }
  }
  return true;
}

static enum cortex_reason refuse(const char *what, const json_error_t *cause,
                                 struct cortex_error *error) {
  static const struct {
    enum json_error_code code;
    enum cortex_reason reason;
    const char *text;
  } reasons[] = {
      {json_error_out_of_memory, CORTEX_INTERNAL, "out of memory"},
      {json_error_invalid_utf8, CORTEX_BAD_ENCODING, "is not UTF-8"},
      {json_error_numeric_overflow, CORTEX_CLAIM_MISMATCH, "has a number out of range"},
      {json_error_duplicate_key, CORTEX_MALFORMED, "has a member twice"},
  };
  size_t i;

  for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
    if (json_error_code(cause) == reasons[i].code)
      return cx_error_set(error, reasons[i].reason, "the %s %s", what, reasons[i].text);
  return cx_error_set(error, CORTEX_MALFORMED, "the %s is not JSON (at byte %d)", what,
                      cause->position);
}

enum cortex_reason cx_json_parse(const char *what, const char *bytes, size_t len,
                                 json_t **object_out, struct cortex_error *error) {
  json_error_t cause;
  json_t *value;

  *object_out = NULL;
  if (!is_shallow(bytes, len))
    return cx_error_set(error, CORTEX_MALFORMED, "the %s is nested deeper than %d levels", what,
                        CX_JSON_DEPTH_MAX);
  value = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
  if (value == NULL)
    return refuse(what, &cause, error);
  if (!json_is_object(value)) {
    json_decref(value);
    return cx_error_set(error, CORTEX_MALFORMED, "the %s is not a JSON object", what);
  }
  *object_out = value;
  return CORTEX_OK;
}

bool cx_json_is_text(const json_t *value, const char *text, size_t len) {
  return json_is_string(value) && json_string_length(value) == len &&
         memcmp(json_string_value(value), text, len) == 0;
}

bool cx_json_is_plain(const json_t *value) {
  return json_is_string(value) && json_string_length(value) > 0 &&
         memchr(json_string_value(value), '\0', json_string_length(value)) == NULL;
}

struct cx_quote cx_json_show(const json_t *value) {
  static const char *const types[] = {[JSON_OBJECT] = "an object",
                                      [JSON_ARRAY] = "an array",
                                      [JSON_TRUE] = "true",
                                      [JSON_FALSE] = "false",
                                      [JSON_NULL] = "null"};
  struct cx_quote quote = {"missing"};

  if (value == NULL)
    return quote;
  if (json_is_string(value))
    return cx_quote(json_string_value(value), json_string_length(value));
  if (json_is_integer(value))
    snprintf(quote.text, sizeof quote.text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
  else if (json_is_real(value))
    snprintf(quote.text, sizeof quote.text, "%.17g", json_real_value(value));
  else
    snprintf(quote.text, sizeof quote.text, "%s", types[json_typeof(value)]);
  return quote;
}

/* Member names hold none: jansson refuses them even where values may. */
bool cx_json_has_nul(const json_t *value) {
  const char *name;
  json_t *inner;
  size_t i;

  if (json_is_string(value))
    return memchr(json_string_value(value), '\0', json_string_length(value)) != NULL;
  json_array_foreach(value, i, inner) if (cx_json_has_nul(inner)) return true;
  json_object_foreach((json_t *)value, name, inner) if (cx_json_has_nul(inner)) return true;
  return false;
}
