/*
 * Fuzzes the reader of JSON beside another one: both accept the same texts and find the same in them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written, and read again by the other. */
static void compare(const cx_json *ours, const json_t *theirs) {
  struct cx_buf text;
  json_t *again;

  cx_buf_init(&text, SIZE_MAX / 2);
  cx_json_put(&text, ours);
  again = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
  if (again == NULL || !json_equal(again, theirs))
    abort();
  json_decref(again);
  cx_buf_clear(&text);
}

static bool is_deep(const json_t *value, int depth) {
  const char *name;
  json_t *inner;
  size_t i;

  if (depth > CX_JSON_DEPTH_MAX)
    return json_is_array(value) || json_is_object(value);
  json_array_foreach(value, i, inner) {
    if (is_deep(inner, depth + 1))
      return true;
  }
  json_object_foreach((json_t *)value, name, inner) {
    if (is_deep(inner, depth + 1))
      return true;
  }
  return false;
}

/* The other one passes over a NUL behind a number. */
static bool has_nul(const uint8_t *data, size_t size) {
  return size > 0 && memchr(data, '\0', size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  json_t *theirs =
      json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
  const cx_json *ours;
  enum cortex_reason reason = cx_json_parse("text", (const char *)data, size, &ours, NULL);

  bool is_fine = json_is_object(theirs) && !is_deep(theirs, 1) && !has_nul(data, size);

  if (reason == CORTEX_INTERNAL || (reason == CORTEX_OK) != is_fine)
    abort();
  if (ours != NULL)
    compare(ours, theirs);
  json_decref(theirs);
  cx_json_release(ours);
  return 0;
}
