/*
 * Reading the module's arguments by one option table.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "args.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SERVICE_MAX 255

/* A service is printed in logs and records: no control characters, bounded. */
static bool take_service(struct cx_args *args, const char *value) {
  size_t len = strlen(value);
  size_t i;

  for (i = 0; i < len; i++)
    if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
      return false;
  args->service = value;
  return len > 0 && len <= SERVICE_MAX;
}

/* In PostgreSQL a relative path would begin in the data folder, which the server may write. */
static bool take_config(struct cx_args *args, const char *value) {
  args->config = value;
  return value[0] == '/' && strlen(value) < PATH_MAX;
}

static bool take_debug(struct cx_args *args, const char *value) {
  args->debug = true;
  return value == NULL;
}

static const struct option {
  const char *name;
  const char *form;
  bool has_value;
  bool (*take)(struct cx_args *args, const char *value);
} options[] = {
    {"service", "service=NAME", true, take_service},
    {"config", "config=/PATH", true, take_config},
    {"debug", "debug", false, take_debug},
};

enum { OPTIONS = sizeof options / sizeof options[0] };

static size_t find(const char *argument, size_t len) {
  size_t i;

  for (i = 0; i < OPTIONS; i++)
    if (strlen(options[i].name) == len && memcmp(options[i].name, argument, len) == 0)
      break;
  return i;
}

static bool refuse(struct cortex_error *error, const char *argument, const char *problem) {
  error->reason = CORTEX_CONFIG_INVALID;
  snprintf(error->message, sizeof error->message, "argument \"%.100s\" in pam.d: %s", argument,
           problem);
  return false;
}

static bool take(const char *argument, struct cx_args *args, bool *is_seen,
                 struct cortex_error *error) {
  size_t len = strcspn(argument, "=");
  const char *value = argument[len] == '=' ? argument + len + 1 : NULL;
  size_t i = find(argument, len);
  char problem[64];

  if (i == OPTIONS)
    return refuse(error, argument, "there is no such option");
  if (is_seen[i])
    return refuse(error, argument, "given twice");
  is_seen[i] = true;
  snprintf(problem, sizeof problem, "must be written as %s", options[i].form);
  if (options[i].has_value != (value != NULL) || !options[i].take(args, value))
    return refuse(error, argument, problem);
  return true;
}

bool cx_args_parse(int argc, const char **argv, struct cx_args *args_out,
                   struct cortex_error *error) {
  bool is_seen[OPTIONS] = {false};
  int i;

  *args_out = (struct cx_args){NULL, CX_ARGS_CONFIG, false};
  for (i = 0; i < argc; i++)
    if (!take(argv[i], args_out, is_seen, error))
      return false;
  if (args_out->service == NULL)
    return refuse(error, "service=NAME", "is missing");
  return true;
}
