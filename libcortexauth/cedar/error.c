/*
 * Error objects: the first cause stays.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void error_fill(struct cedar_error *error,
                                                             enum cedar_status status,
                                                             struct cedar_place place,
                                                             const char *format, va_list args) {
  if (error == NULL || error->status != CEDAR_OK)
    return;
  error->status = status;
  error->line = place.line;
  error->column = place.column;
  snprintf(error->source, sizeof(error->source), "%s", place.source ? place.source : "");
  vsnprintf(error->message, sizeof(error->message), format, args);
}

enum cedar_status cedar_error_set(struct cedar_error *error, enum cedar_status status,
                                  struct cedar_place place, const char *format, ...) {
  va_list args;

  va_start(args, format);
  error_fill(error, status, place, format, args);
  va_end(args);
  return status;
}

enum cedar_status cedar_error_plain(struct cedar_error *error, enum cedar_status status,
                                    const char *format, ...) {
  struct cedar_place nowhere = {NULL, 0, 0};
  va_list args;

  va_start(args, format);
  error_fill(error, status, nowhere, format, args);
  va_end(args);
  return status;
}

struct cedar_place cedar_place_at(const struct cedar_source *source, size_t offset) {
  struct cedar_place place = {source->name, 1, 1};
  const char *at = source->bytes;
  const char *end = source->bytes + (offset < source->len ? offset : source->len);

  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    if (newline == NULL)
      break;
    place.line++;
    at = newline + 1;
  }
  place.column = (uint32_t)(end - at) + 1;
  return place;
}
