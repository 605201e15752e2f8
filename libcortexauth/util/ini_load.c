/*
 * The INI reader for programs: a trusted file to sections and unquoted pairs.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/file.h>
#include <cortexauth/ini.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/ini.h"

#define FILE_MAX (1024 * 1024)

struct load {
  const char *path;
  const struct cortex_ini_handler *handler;
};

static enum cortex_reason refuse_at(const struct load *load, unsigned line,
                                    enum cortex_reason reason, const char *message,
                                    struct cortex_error *error) {
  struct cx_place place = {load->path, line, 0};

  return reason == CORTEX_OK ? CORTEX_OK : cx_error_at(error, reason, place, "%s", message);
}

static enum cortex_reason on_section(void *context, unsigned line, const char *name,
                                     const char *label, struct cortex_error *error) {
  const struct load *load = context;
  char message[sizeof error->message] = "the section is refused";

  return refuse_at(
      load, line,
      load->handler->section(load->handler->context, line, name, label, message, sizeof message),
      message, error);
}

static enum cortex_reason on_pair(void *context, unsigned line, const char *key, const char *value,
                                  struct cortex_error *error) {
  const struct load *load = context;
  struct cortex_error cause = CORTEX_ERROR_NONE;
  char message[sizeof error->message] = "the key is refused";
  char text[CX_INI_LINE_MAX + 1];
  enum cortex_reason reason;

  snprintf(text, sizeof text, "%s", value);
  reason = cx_ini_unquote(text, &cause);
  if (reason != CORTEX_OK)
    return cx_error_at(error, reason, (struct cx_place){load->path, line, 0}, "%s: %.400s", key,
                       cause.message);
  return refuse_at(
      load, line,
      load->handler->pair(load->handler->context, line, key, text, message, sizeof message),
      message, error);
}

enum cortex_reason cortex_ini_load(const char *path, const struct cortex_ini_handler *handler,
                                   struct cortex_error *error) {
  struct load load = {path, handler};
  struct cx_ini_handler own = {on_section, on_pair, &load};
  char *bytes = NULL;
  size_t len = 0;
  enum cortex_reason reason = cortex_file_load(path, FILE_MAX, &bytes, &len, error);

  if (reason == CORTEX_OK)
    reason = cx_ini_parse(path, bytes, len, &own, error);
  free(bytes);
  return reason;
}
