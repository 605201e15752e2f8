/*
 * Results as JSON: one object, one line.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Bytes of the longest start of the text, up to one character, that jansson takes as UTF-8. */
static size_t utf8_len(const char *text, size_t len) {
  size_t size;

  for (size = 1; size <= 4 && size <= len; size++) {
    json_t *probe = json_stringn(text, size);

    json_decref(probe);
    if (probe != NULL)
      return size;
  }
  return 0;
}

static json_t *repaired(const char *text, size_t len) {
  char *copy = malloc(len * strlen(REPLACEMENT) + 1);
  size_t at = 0, end = 0;
  json_t *string;

  if (copy == NULL)
    return NULL;
  while (at < len) {
    size_t size = utf8_len(text + at, len - at);

    if (size == 0) {
      memcpy(copy + end, REPLACEMENT, strlen(REPLACEMENT));
      end += strlen(REPLACEMENT);
      at++;
    } else {
      memcpy(copy + end, text + at, size);
      end += size;
      at += size;
    }
  }
  string = json_stringn(copy, end);
  free(copy);
  return string;
}

json_t *out_text(const char *text) {
  json_t *string = json_string(text);

  return string != NULL ? string : repaired(text, strlen(text));
}

bool out_line(json_t *value) {
  bool done = value != NULL && json_dumpf(value, stdout, JSON_COMPACT) == 0 &&
              putchar('\n') != EOF && fflush(stdout) == 0;

  if (!done)
    cli_complain("standard output: %s", value == NULL ? "out of memory" : strerror(errno));
  json_decref(value);
  return done;
}
