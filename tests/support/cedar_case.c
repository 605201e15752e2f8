/*
 * Cases of the Cedar library: reading them, running a folder of them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar_case.h"

static char *file_read(const char *path, size_t *len_out) {
  FILE *file = fopen(path, "rb");
  char *bytes;
  long len;

  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  len = ftell(file);
  assert_true(len >= 0);
  rewind(file);
  bytes = malloc((size_t)len + 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, (size_t)len, file), len);
  bytes[len] = '\0';
  fclose(file);
  *len_out = (size_t)len;
  return bytes;
}

void cedar_case_load(const char *path, struct cedar_case *case_out) {
  size_t len;
  char *at, *end, *line, *next;

  memset(case_out, 0, sizeof(*case_out));
  case_out->bytes = file_read(path, &len);
  end = case_out->bytes + len;
  assert_memory_equal(case_out->bytes, "--- ", 4);
  for (at = case_out->bytes; at < end; at = next) {
    struct cedar_source *part = &case_out->parts[case_out->count++];

    assert_true(case_out->count <= CASE_PARTS);
    line = memchr(at, '\n', (size_t)(end - at));
    assert_non_null(line);
    *line = '\0';
    part->name = at + 4;
    part->bytes = line + 1;
    next = strstr(line + 1, "\n--- ");
    part->len = next == NULL ? (size_t)(end - part->bytes) : (size_t)(next - part->bytes);
    next = next == NULL ? end : next + 1;
  }
}

void cedar_case_clear(struct cedar_case *c) {
  free(c->bytes);
  c->bytes = NULL;
}

const struct cedar_source *cedar_case_part(const struct cedar_case *c, const char *name) {
  size_t i;

  for (i = 0; i < c->count; i++)
    if (strcmp(c->parts[i].name, name) == 0)
      return &c->parts[i];
  return NULL;
}

enum cedar_status cedar_case_schema(const struct cedar_case *c, const struct cedar_source *fallback,
                                    const struct cedar_allocator *allocator,
                                    struct cedar_schema **schema_out, struct cedar_error *error) {
  const struct cedar_source *text = cedar_case_part(c, "schema");
  const struct cedar_source *json = cedar_case_part(c, "schema-json");

  if (json != NULL)
    return cedar_schema_parse_json(json, allocator, schema_out, error);
  return cedar_schema_parse(text != NULL ? text : fallback, allocator, schema_out, error);
}

static int is_case(const struct dirent *entry) {
  size_t len = strlen(entry->d_name);

  return len > 5 && strcmp(entry->d_name + len - 5, ".case") == 0;
}

/* The cases of a folder as tests, with room for more behind them; NULL when there are none. */
static struct CMUnitTest *cases_find(const char *folder, CMUnitTestFunction run, size_t more,
                                     size_t *count_out) {
  struct dirent **entries = NULL;
  struct CMUnitTest *tests;
  char path[1024], *state;
  int i, count;

  snprintf(path, sizeof(path), "%s/%s", getenv("cases"), folder);
  count = scandir(path, &entries, is_case, alphasort);
  tests = count > 0 ? calloc((size_t)count + more, sizeof(*tests)) : NULL;
  for (i = 0; i < count; i++) {
    size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;

    state = malloc(size);
    if (state == NULL || tests == NULL)
      exit(1);
    snprintf(state, size, "%s/%s", path, entries[i]->d_name);
    tests[i] = (struct CMUnitTest){strrchr(state, '/') + 1, run, NULL, NULL, state};
    free(entries[i]);
  }
  free(entries);
  *count_out = count > 0 ? (size_t)count : 0;
  return tests;
}

int cedar_cases_run(const char *folder, CMUnitTestFunction run, const struct CMUnitTest *more,
                    size_t more_count) {
  size_t i, count;
  struct CMUnitTest *tests = cases_find(folder, run, more_count, &count);
  int failed;

  if (tests == NULL) {
    fprintf(stderr, "no cases in %s\n", folder);
    return 1;
  }
  if (more_count > 0)
    memcpy(tests + count, more, more_count * sizeof(*more));
  failed = _cmocka_run_group_tests(folder, tests, count + more_count, NULL, NULL);
  for (i = 0; i < count; i++)
    free(tests[i].initial_state);
  free(tests);
  return failed;
}

static void *failing_alloc(void *ctx, size_t size) {
  struct cedar_failing *failing = ctx;

  if (++failing->calls == failing->fail_at)
    return NULL;
  failing->live++;
  return malloc(size);
}

static void failing_free(void *ctx, void *ptr, size_t size) {
  struct cedar_failing *failing = ctx;

  (void)size;
  if (ptr != NULL)
    failing->live--;
  free(ptr);
}

struct cedar_allocator cedar_failing_allocator(struct cedar_failing *failing) {
  struct cedar_allocator allocator = {failing_alloc, failing_free, failing};

  return allocator;
}
