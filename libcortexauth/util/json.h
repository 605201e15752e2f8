/*
 * JSON text from strangers, bounded and without double meanings.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_JSON_H
#define CX_UTIL_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "util/error.h"
#include "util/quote.h"

/* Deeper nesting is refused before the parser sees it. */
#define CX_JSON_DEPTH_MAX 32

/*
 * Parses one JSON object. Duplicate members are refused (two readers could
 * pick different ones); strings may hold NUL, so compare with lengths.
 *
 *   in   what: names the text in messages, such as "header"
 *   out  object_out: release with json_decref; NULL on failure
 *   gives  CORTEX_OK, CORTEX_BAD_ENCODING (not UTF-8), CORTEX_MALFORMED (not
 *          one object, duplicates, too deep), CORTEX_CLAIM_MISMATCH (a number
 *          out of range), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_json_parse(const char *what, const char *bytes, size_t len,
                                                  json_t **object_out, struct cortex_error *error);

/* True for a string value of exactly these bytes. */
bool cx_json_is_text(const json_t *value, const char *text, size_t len);

/* True for a string value that is not empty and holds no NUL. */
bool cx_json_is_plain(const json_t *value);

/* A value for a message: strings and numbers as they are, the rest by its type. */
struct cx_quote cx_json_show(const json_t *value);

/* True when a string anywhere below holds a NUL; at most CX_JSON_DEPTH_MAX deep. */
bool cx_json_has_nul(const json_t *value);

#endif
