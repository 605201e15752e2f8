/*
 * JSON as the library's parts take it, for tests.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TEST_PARSED_H
#define TEST_PARSED_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"

/* Parses an object; NULL when it cannot be. Release with cx_json_release. */
static inline const cx_json *parsed(const char *text) {
  const cx_json *object = NULL;

  return cx_json_parse("test", text, strlen(text), &object, NULL) == CORTEX_OK ? object : NULL;
}

/* The same of a value of the tests' own JSON library. */
static inline const cx_json *parsed_of(const json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT);
  const cx_json *object = text != NULL ? parsed(text) : NULL;

  free(text);
  return object;
}

/* The child at a place, of an array or an object; NULL past the last. */
static inline const cx_json *child_at(const cx_json *value, size_t place) {
  const cx_json *child = cx_json_is_array(value) ? cx_json_items(value) : cx_json_members(value);

  for (; child != NULL && place > 0; place--)
    child = child->next;
  return child;
}

#endif
