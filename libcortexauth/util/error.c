/*
 * Filling the error object.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * A message is one line in a log: nothing in it may look like another line, or
 * be obeyed by a terminal. C1 controls are C2 80 to C2 9F.
 */
static void flatten(char *text) {
  for (; *text != '\0'; text++) {
    bool is_c1 = (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] >= 0x80 &&
                 (unsigned char)text[1] < 0xa0;

    if ((unsigned char)*text < 0x20 || *text == 0x7f || is_c1)
      *text = '?';
    if (is_c1)
      *++text = '?';
  }
}

__attribute__((format(printf, 4, 0))) static enum cortex_reason
fill(struct cortex_error *error, enum cortex_reason reason, struct cx_place place,
     const char *format, va_list arguments) {
  if (error == NULL || error->reason != CORTEX_OK)
    return reason;
  error->reason = reason;
  error->line = place.line;
  error->column = place.column;
  snprintf(error->source, sizeof error->source, "%s", place.source != NULL ? place.source : "");
  flatten(error->source);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  flatten(error->message);
  return reason;
}

enum cortex_reason cx_error_set(struct cortex_error *error, enum cortex_reason reason,
                                const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  fill(error, reason, (struct cx_place){NULL, 0, 0}, format, arguments);
  va_end(arguments);
  return reason;
}

enum cortex_reason cx_error_at(struct cortex_error *error, enum cortex_reason reason,
                               struct cx_place place, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  fill(error, reason, place, format, arguments);
  va_end(arguments);
  return reason;
}

enum cortex_reason cx_error_memory(struct cortex_error *error) {
  return cx_error_set(error, CORTEX_INTERNAL, "out of memory");
}

void cx_error_prefix(struct cortex_error *error, const char *format, ...) {
  char context[sizeof error->message];
  char message[sizeof error->message];
  va_list arguments;
  size_t used;

  if (error == NULL || error->reason == CORTEX_OK)
    return;
  va_start(arguments, format);
  vsnprintf(context, sizeof context, format, arguments);
  va_end(arguments);
  memcpy(message, error->message, sizeof message);
  used = strlen(context);
  if (used > sizeof error->message / 2)
    used = sizeof error->message / 2;
  snprintf(error->message, sizeof error->message, "%.*s: %.*s", (int)used, context,
           (int)(sizeof error->message - used - 3), message);
  flatten(error->message);
}

enum cortex_reason cx_error_recode(struct cortex_error *error, enum cortex_reason reason) {
  if (error != NULL && error->reason != CORTEX_OK)
    error->reason = reason;
  return reason;
}

void cortex_error_format(const struct cortex_error *error, char *text, size_t size) {
  char place[sizeof error->source + 32];

  if (error->source[0] == '\0')
    place[0] = '\0';
  else if (error->line == 0)
    snprintf(place, sizeof place, "%s: ", error->source);
  else if (error->column == 0)
    snprintf(place, sizeof place, "%s:%u: ", error->source, error->line);
  else
    snprintf(place, sizeof place, "%s:%u:%u: ", error->source, error->line, error->column);
  snprintf(text, size, "%s%s", place,
           error->message[0] != '\0' ? error->message : cortex_reason_sentence(error->reason));
}
