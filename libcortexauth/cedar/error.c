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

void cedar_places_init(struct cedar_places *places, const struct cedar_source *source) {
  places->source = source;
  places->offset = 0;
  places->line = 1;
  places->column = 1;
}

static void places_back(struct cedar_places *places, size_t end) {
  const char *bytes = places->source->bytes;
  size_t at = places->offset, line_start = end;

  places->offset = end;
  if (places->column > at - end) {
    places->column -= (uint32_t)(at - end);
    return;
  }
  while (at > end)
    places->line -= bytes[--at] == '\n';
  while (line_start > 0 && bytes[line_start - 1] != '\n')
    line_start--;
  places->column = (uint32_t)(end - line_start) + 1;
}

struct cedar_place cedar_places_at(struct cedar_places *places, size_t offset) {
  const char *bytes = places->source->bytes;
  size_t end = offset < places->source->len ? offset : places->source->len;
  struct cedar_place place = {places->source->name, 0, 0};

  if (end < places->offset)
    places_back(places, end);
  while (places->offset < end) {
    const char *newline = memchr(bytes + places->offset, '\n', end - places->offset);

    if (newline == NULL) {
      places->column += (uint32_t)(end - places->offset);
      break;
    }
    places->line++;
    places->column = 1;
    places->offset = (size_t)(newline - bytes) + 1;
  }
  places->offset = end;
  place.line = places->line;
  place.column = places->column;
  return place;
}

struct cedar_place cedar_place_at(const struct cedar_source *source, size_t offset) {
  struct cedar_places places;

  cedar_places_init(&places, source);
  return cedar_places_at(&places, offset);
}
