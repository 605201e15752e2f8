/*
 * Discovery documents as data: each file of cases/discovery holds one and what must come of it.
 * SPDX-License-Identifier: PostgreSQL
 *
 *   rule      the rule shown, one sentence
 *   issuer    who was asked ("https://id.example.com")
 *   text      the document; or a list of its parts, each a text or [TEXT, times]
 *   hex       its bytes, in place of text
 *   jwks_uri  what must be read, or
 *   why       a part of the message with which it must be refused
 */
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/discovery.h"

#define DOCUMENT_MAX (1 << 20)
#define SECONDS_MAX 0.05

static char document[DOCUMENT_MAX];

static void make_path(char *path, size_t size, const char *name) {
  const char *folder = getenv("cases");

  snprintf(path, size, "%s/discovery/%s", folder != NULL ? folder : "", name);
}

static size_t put(size_t at, const json_t *text, json_int_t times) {
  size_t len = json_string_length(text);

  for (; times > 0; times--, at += len) {
    assert_true(len <= sizeof document - at);
    memcpy(document + at, json_string_value(text), len);
  }
  return at;
}

static size_t put_parts(const json_t *parts) {
  const json_t *part;
  size_t at = 0, i;

  if (json_is_string(parts))
    return put(0, parts, 1);
  json_array_foreach(parts, i, part)
    at = json_is_string(part) ? put(at, part, 1)
                              : put(at, json_array_get(part, 0),
                                    json_integer_value(json_array_get(part, 1)));
  return at;
}

static size_t put_hex(const char *hex) {
  size_t at = 0;
  unsigned byte;

  for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
    document[at++] = (char)byte;
  return at;
}

static double seconds(void) {
  struct timespec time;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void check(const char *file, const json_t *one) {
  const json_t *named = json_object_get(one, "issuer"), *hex = json_object_get(one, "hex");
  const char *issuer = named != NULL ? json_string_value(named) : "https://id.example.com";
  const char *wanted = json_string_value(json_object_get(one, "jwks_uri"));
  const char *part = json_string_value(json_object_get(one, "why")), *at;
  char *url = discovery_url(issuer), *uri = NULL, why[256] = "";
  size_t len = hex != NULL ? put_hex(json_string_value(hex))
                           : put_parts(json_object_get(one, "text"));
  double before = seconds();

  assert_true((wanted == NULL) != (part == NULL));
  if (discovery_read(issuer, url, document, len, &uri, why, sizeof why) != (wanted != NULL))
    fail_msg("%s: %s", file, uri != NULL ? "was read" : why);
  if (seconds() - before > SECONDS_MAX)
    fail_msg("%s: took %.3f s", file, seconds() - before);
  if (wanted != NULL)
    assert_string_equal(uri, wanted);
  else if (strstr(why, part) == NULL)
    fail_msg("%s: \"%s\" does not say \"%s\"", file, why, part);
  for (at = why; *at != '\0'; at++)
    assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
  free(uri);
  free(url);
}

static void run_case(void **state) {
  const char *name = *state;
  char path[4096];
  json_error_t cause;
  json_t *one;

  make_path(path, sizeof path, name);
  one = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
  if (one == NULL)
    fail_msg("%s:%d: %s", name, cause.line, cause.text);
  assert_non_null(json_object_get(one, "rule"));
  check(name, one);
  json_decref(one);
}

static int is_case(const struct dirent *entry) {
  const char *end = strrchr(entry->d_name, '.');

  return end != NULL && strcmp(end, ".json") == 0;
}

int main(void) {
  struct CMUnitTest *tests;
  struct dirent **entries;
  char path[4096];
  int count, i, failed;

  make_path(path, sizeof path, "");
  count = scandir(path, &entries, is_case, alphasort);
  tests = count > 0 ? calloc((size_t)count, sizeof *tests) : NULL;
  if (tests == NULL) {
    printf("Bail out! no cases in %s\n", path);
    return 99;
  }
  for (i = 0; i < count; i++)
    tests[i] = (struct CMUnitTest){entries[i]->d_name, run_case, NULL, NULL, entries[i]->d_name};
  failed = _cmocka_run_group_tests("discovery", tests, (size_t)count, NULL, NULL);
  for (i = 0; i < count; i++)
    free(entries[i]);
  free(entries);
  free(tests);
  return failed;
}
