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

/* Bytes of the UTF-8 character at the start of a text, as jansson judges it; 0: none. */
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

/* A copy with U+FFFD for every byte that is not UTF-8; NULL without memory. */
static char *repair(const char *text, size_t len, size_t *len_out) {
  char *copy = malloc(len * strlen(REPLACEMENT) + 1);
  size_t at = 0;

  *len_out = 0;
  while (copy != NULL && at < len) {
    size_t size = utf8_len(text + at, len - at);

    memcpy(copy + *len_out, size == 0 ? REPLACEMENT : text + at,
           size == 0 ? strlen(REPLACEMENT) : size);
    *len_out += size == 0 ? strlen(REPLACEMENT) : size;
    at += size == 0 ? 1 : size;
  }
  return copy;
}

json_t *out_bytes(const char *bytes, size_t len) {
  json_t *string = json_stringn(bytes, len);
  char *repaired;

  if (string != NULL)
    return string;
  repaired = repair(bytes, len, &len);
  if (repaired != NULL)
    string = json_stringn(repaired, len);
  free(repaired);
  return string;
}

json_t *out_text(const char *text) {
  return out_bytes(text, strlen(text));
}

static bool is_plain(const char *bytes, size_t len) {
  size_t i;

  for (i = 0; i < len; i++)
    if (bytes[i] < 0x20 || bytes[i] > 0x7e || bytes[i] == '"' || bytes[i] == '\\')
      return false;
  return true;
}

/* Most names are plain: they need no copy. */
void out_put_text(FILE *stream, const char *bytes, size_t len) {
  json_t *string;

  if (is_plain(bytes, len)) {
    fputc('"', stream);
    fwrite(bytes, 1, len, stream);
    fputc('"', stream);
    return;
  }
  string = out_bytes(bytes, len);
  if (string == NULL || json_dumpf(string, stream, JSON_ENCODE_ANY) != 0)
    fputs("\"\xef\xbf\xbd\"", stream);
  json_decref(string);
}

bool out_line(json_t *value) {
  bool done = value != NULL && json_dumpf(value, stdout, JSON_COMPACT) == 0 &&
              putchar('\n') != EOF && fflush(stdout) == 0;

  if (!done)
    cli_complain("standard output: %s", value == NULL ? "out of memory" : strerror(errno));
  json_decref(value);
  return done;
}
