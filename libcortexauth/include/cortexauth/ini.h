/*
 * Reading a file in the format of cortex.conf(5), for programs with keys of their own.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_INI_H
#define CORTEXAUTH_INI_H

#include <cortexauth/error.h>

/*
 * What a reader does with sections and keys, in the order of the file. Strings
 * live during the call only. A handler that refuses gives another reason than
 * CORTEX_OK, and writes what is wrong, one line without the place, into message.
 */
struct cortex_ini_handler {
  /* [name] or [name "label"]; label is NULL without one. */
  enum cortex_reason (*section)(void *context, unsigned line, const char *name, const char *label,
                                char *message, size_t size);
  /* key = value; the quotes around a value are taken off. */
  enum cortex_reason (*pair)(void *context, unsigned line, const char *key, const char *value,
                             char *message, size_t size);
  void *context;
};

/*
 * Reads a file through the strict open (cortex_file_load), at most 1 MiB, and
 * hands its sections and keys to the handler; stops at the first refusal. Line
 * rules are those of cortex.conf(5). What sections and keys there may be, and
 * how often, is the handler's to say.
 *
 *   gives  CORTEX_OK, CORTEX_CONFIG_INVALID with file and line, CORTEX_INTERNAL,
 *          or the handler's reason
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_ini_load(const char *path, const struct cortex_ini_handler *handler,
                struct cortex_error *error);

#endif
