/*
 * Array literals: what is put comes out as one element, whatever it holds.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/pg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_literal(const char *text, const char *literal) {
  struct pg_array array = {0};

  pg_array_put(&array, text);
  assert_string_equal(pg_array_end(&array), literal);
  pg_array_clear(&array);
}

static void nothing_is_an_empty_array(void **state) {
  struct pg_array array = {0};

  (void)state;
  assert_string_equal(pg_array_end(&array), "{}");
  pg_array_clear(&array);
}

static void every_text_is_quoted(void **state) {
  (void)state;
  assert_literal("alice", "{\"alice\"}");
  assert_literal("", "{\"\"}");
  assert_literal("NULL", "{\"NULL\"}");
  assert_literal("a,b}{", "{\"a,b}{\"}");
  assert_literal("a\"b", "{\"a\\\"b\"}");
  assert_literal("a\\b", "{\"a\\\\b\"}");
  assert_literal("\\\"", "{\"\\\\\\\"\"}");
}

static void numbers_stand_bare(void **state) {
  struct pg_array array = {0};

  (void)state;
  pg_array_put_number(&array, 0);
  pg_array_put_number(&array, 10);
  pg_array_put_number(&array, UINT32_MAX);
  assert_string_equal(pg_array_end(&array), "{0,10,4294967295}");
  pg_array_clear(&array);
}

static void long_array_grows(void **state) {
  struct pg_array array = {0};
  const char *cursor;
  uint32_t i, found, count = 0;

  (void)state;
  for (i = 0; i < 100000; i++)
    pg_array_put_number(&array, i);
  cursor = pg_array_end(&array);
  while (pg_array_next(&cursor, &found))
    assert_int_equal(found, count++);
  assert_int_equal(count, 100000);
  pg_array_clear(&array);
}

static void integers_are_oids_of_the_same_bits(void **state) {
  const char *cursor = "{16384,-1,-2147483648,2147483647}";
  const uint32_t wanted[] = {16384, UINT32_MAX, 2147483648u, 2147483647u};
  uint32_t number;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    assert_true(pg_array_next(&cursor, &number));
    assert_int_equal(number, wanted[i]);
  }
  assert_false(pg_array_next(&cursor, &number));
}

static void server_s_array_is_read_back(void **state) {
  const char *const empty[] = {"", "{}", "x"};
  uint32_t number;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof empty / sizeof empty[0]; i++) {
    const char *cursor = empty[i];

    assert_false(pg_array_next(&cursor, &number));
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_an_empty_array),   cmocka_unit_test(every_text_is_quoted),
      cmocka_unit_test(numbers_stand_bare),          cmocka_unit_test(long_array_grows),
      cmocka_unit_test(integers_are_oids_of_the_same_bits),
      cmocka_unit_test(server_s_array_is_read_back),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
