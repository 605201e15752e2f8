/*
 * The strict INI reader: bytes to sections and pairs, nothing of their meaning.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_INI_H
#define CX_UTIL_INI_H

#include <stddef.h>

#include "util/error.h"

#define CX_INI_LINE_MAX 4096

/*
 * A section's head: [name] or [name "label"]; label is NULL without one. A
 * value comes with its quotes still in place (a list needs them); cx_ini_unquote
 * and cx_ini_split take them off. Strings live during the call only.
 */
struct cx_ini_handler {
  enum cortex_reason (*section)(void *context, unsigned line, const char *name, const char *label,
                                struct cortex_error *error);
  enum cortex_reason (*pair)(void *context, unsigned line, const char *key, const char *value,
                             struct cortex_error *error);
  void *context;
};

/*
 * Reads the whole text and calls the handler in order; stops at the first
 * refusal. Line rules as in cortex.conf(5): only "=", a comment begins a line
 * with ";" or "#" or follows a blank as ";" outside quotes, no continuation,
 * no NUL byte, lines of at most 4096 bytes, LF or CRLF, UTF-8.
 *
 *   in   name: the file, for messages
 *   gives  CORTEX_OK, CORTEX_CONFIG_INVALID with name and line, or the handler's
 */
CORTEX_MUSTCHECK enum cortex_reason cx_ini_parse(const char *name, const char *bytes, size_t len,
                                                 const struct cx_ini_handler *handler,
                                                 struct cortex_error *error);

/*
 * Takes quotes and their escapes off one value, in place. A value is either
 * quoted whole or holds no quote.
 */
CORTEX_MUSTCHECK enum cortex_reason cx_ini_unquote(char *value, struct cortex_error *error);

/*
 * Takes the next item off a comma-separated list, without blanks around it and
 * without quotes; *cursor moves on and is NULL after the last.
 *
 *   out  item_out: inside the value's storage; never empty
 */
CORTEX_MUSTCHECK enum cortex_reason cx_ini_split(char **cursor, char **item_out,
                                                 struct cortex_error *error);

#endif
