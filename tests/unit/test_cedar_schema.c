/*
 * Schemas: the cases of tests/cases/cedar-schema, limits, and every allocation failing in turn.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar_case.h"

/* "ok", or where and what. */
static void case_answer(const struct cedar_case *c, char *out, size_t size) {
  struct cedar_error error = {0};
  struct cedar_schema *schema;

  if (cedar_case_schema(c, NULL, NULL, &schema, &error) == CEDAR_OK) {
    snprintf(out, size, "ok");
    cedar_schema_free(&schema);
    return;
  }
  assert_null(schema);
  snprintf(out, size, "%u:%u: %s", error.line, error.column, error.message);
}

/* No memory at any point is an error, and nothing is left behind. */
static void allocations_sweep(const struct cedar_case *c) {
  struct cedar_failing failing = {0, 0, 0};
  struct cedar_allocator allocator = cedar_failing_allocator(&failing);
  struct cedar_schema *schema;
  struct cedar_error error;
  enum cedar_status status;

  do {
    failing.calls = 0;
    failing.fail_at++;
    memset(&error, 0, sizeof(error));
    status = cedar_case_schema(c, NULL, &allocator, &schema, &error);
    assert_true(failing.calls < failing.fail_at || status == CEDAR_NOMEM);
    cedar_schema_free(&schema);
    assert_int_equal(failing.live, 0);
  } while (failing.calls >= failing.fail_at);
}

static void case_is_answered_as_expected(void **state) {
  const struct cedar_source *expected;
  struct cedar_case c;
  char answer[512], wanted[512];

  cedar_case_load(*state, &c);
  expected = cedar_case_part(&c, "expect");
  assert_non_null(expected);
  case_answer(&c, answer, sizeof(answer));
  snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(expected->bytes, "\n"), expected->bytes);
  assert_string_equal(answer, wanted);
  allocations_sweep(&c);
  cedar_case_clear(&c);
}

/* count times a text, written behind what is there. */
static void repeat(char *out, const char *text, int count) {
  char *at = out + strlen(out);
  size_t len = strlen(text);

  for (; count > 0; count--, at += len)
    memcpy(at, text, len + 1);
}

static enum cedar_status parse(const char *text, bool json) {
  struct cedar_source source = {"schema", text, strlen(text)};
  struct cedar_error error = {0};
  struct cedar_schema *schema;
  enum cedar_status status = json ? cedar_schema_parse_json(&source, NULL, &schema, &error)
                                  : cedar_schema_parse(&source, NULL, &schema, &error);

  assert_true(status == CEDAR_OK || error.message[0] != '\0');
  cedar_schema_free(&schema);
  return status;
}

static enum cedar_status parse_nested(int depth, const char *head, const char *open,
                                      const char *core, const char *close, const char *tail) {
  char *text = calloc(strlen(head) + strlen(core) + strlen(tail) + 1 +
                          (strlen(open) + strlen(close)) * (size_t)depth,
                      1);
  enum cedar_status status;

  assert_non_null(text);
  repeat(text, head, 1);
  repeat(text, open, depth);
  repeat(text, core, 1);
  repeat(text, close, depth);
  repeat(text, tail, 1);
  status = parse(text, text[0] == '{');
  free(text);
  return status;
}

static void deep_types_reach_a_limit(void **state) {
  (void)state;
  assert_int_equal(parse_nested(198, "type T = ", "Set<", "Long", ">", ";"), CEDAR_OK);
  assert_int_equal(parse_nested(199, "type T = ", "Set<", "Long", ">", ";"), CEDAR_LIMIT);
  assert_int_equal(parse_nested(100000, "type T = ", "Set<", "Long", ">", ";"), CEDAR_LIMIT);
  assert_int_equal(parse_nested(100000, "type T = ", "{a:", "Long", "}", ";"), CEDAR_LIMIT);
  assert_int_equal(parse_nested(100000, "{\"\":{\"entityTypes\":{\"A\":{\"tags\":",
                                "{\"type\":\"Set\",\"element\":", "{\"type\":\"Long\"}", "}",
                                "}},\"actions\":{}}}"),
                   CEDAR_LIMIT);
}

/* A chain of common types is as deep as the types written out. */
static void deep_chains_of_common_types_reach_a_limit(void **state) {
  static char text[200000];
  int links, i;

  (void)state;
  for (links = 150; links <= 5000; links += 4850) {
    size_t used = (size_t)snprintf(text, sizeof(text), "type T0 = Long;\n");

    for (i = 1; i <= links; i++)
      used +=
          (size_t)snprintf(text + used, sizeof(text) - used, "type T%d = Set<T%d>;\n", i, i - 1);
    assert_int_equal(parse(text, false), CEDAR_LIMIT);
  }
  for (links = 90, i = 1, text[0] = '\0'; i <= links; i++)
    snprintf(text + strlen(text), 64, "type T%d = Set<T%d>;\n", i, i - 1);
  snprintf(text + strlen(text), 64, "type T0 = Long;\n");
  assert_int_equal(parse(text, false), CEDAR_OK);
}

static void bytes_that_are_no_text_are_refused(void **state) {
  static const char *const texts[] = {"\xff", "entity A\xc3;", "entity \"\xed\xa0\x80\";",
                                      "// \xc0\xaf"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    assert_int_equal(parse(texts[i], false), CEDAR_INVALID);
}

static void a_nul_byte_is_refused(void **state) {
  struct cedar_source source = {"schema", "entity A;\0entity B;", 19};
  struct cedar_error error = {0};
  struct cedar_schema *schema;

  (void)state;
  assert_int_equal(cedar_schema_parse(&source, NULL, &schema, &error), CEDAR_INVALID);
  assert_int_equal(error.column, 10);
}

static void many_declarations_are_read(void **state) {
  char *text = calloc(1, 2000000);
  size_t used = 0;
  int i;

  (void)state;
  assert_non_null(text);
  for (i = 0; i < 20000; i++)
    used += (size_t)snprintf(text + used, 2000000 - used, "entity E%d in [E%d] {a: E%d};\n", i,
                             i / 2, (i * 7) % 20000);
  assert_int_equal(parse(text, false), CEDAR_OK);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(deep_types_reach_a_limit),
      cmocka_unit_test(deep_chains_of_common_types_reach_a_limit),
      cmocka_unit_test(bytes_that_are_no_text_are_refused),
      cmocka_unit_test(a_nul_byte_is_refused),
      cmocka_unit_test(many_declarations_are_read),
  };

  return cedar_cases_run("cedar-schema", case_is_answered_as_expected, tests,
                         sizeof(tests) / sizeof(tests[0]));
}
