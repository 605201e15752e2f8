/*
 * JSON as Cedar reads it: whole tree, positions kept, 64-bit integers exact, no duplicate keys.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_JSON_H
#define CEDAR_JSON_H

#include "arena.h"
#include "error.h"

enum cedar_json_kind {
  CEDAR_JSON_NULL,
  CEDAR_JSON_BOOL,
  CEDAR_JSON_LONG,
  CEDAR_JSON_NUMBER, /* a number that is no 64-bit integer: fraction, exponent, -0, too big */
  CEDAR_JSON_STRING,
  CEDAR_JSON_ARRAY,
  CEDAR_JSON_OBJECT
};

/* A value; members and elements are a list through next, in text order. */
struct cedar_json {
  enum cedar_json_kind kind;
  uint32_t offset; /* of its first byte in the source */
  uint32_t count;  /* of children */
  uint32_t key_offset;
  struct cedar_text key; /* of a member */
  union {
    bool b;
    int64_t i;
    struct cedar_text string; /* decoded; may hold NUL bytes; of a CEDAR_JSON_NUMBER, its text */
    struct cedar_json *child;
  } u;
  struct cedar_json *next;
};

/*
 * Reads one JSON text. The tree lives in the arena (strings without escapes in the source).
 * gives CEDAR_OK, CEDAR_INVALID, CEDAR_LIMIT, CEDAR_NOMEM
 */
CEDAR_MUST_CHECK enum cedar_status cedar_json_parse(struct cedar_arena *arena,
                                                    const struct cedar_source *source,
                                                    struct cedar_json **json_out,
                                                    struct cedar_error *error);

/* A member of an object by name, NULL when absent or when json is no object. */
const struct cedar_json *cedar_json_member(const struct cedar_json *json, const char *key);

/* "an object", "a string", ...: for messages. */
const char *cedar_json_kind_name(const struct cedar_json *json);

/* Sets an error at a JSON value. */
__attribute__((format(printf, 4, 5))) enum cedar_status
cedar_json_error(struct cedar_error *error, const struct cedar_source *source,
                 const struct cedar_json *json, const char *format, ...);

#endif
