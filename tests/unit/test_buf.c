/*
 * Buffers: ceiling, sticky failure, JSON strings.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_ceiling_is_never_passed_and_failure_stays(void **state) {
  struct cx_buf buf;

  (void)state;
  cx_buf_init(&buf, 10);
  cx_buf_put_text(&buf, "0123456789");
  assert_false(buf.failed);
  cx_buf_put_text(&buf, "x");
  assert_true(buf.failed);
  assert_int_equal(buf.len, 10);
  cx_buf_put(&buf, "", 0);
  assert_true(buf.failed);
  assert_null(cx_buf_take(&buf));
}

static void an_absurd_length_does_not_overflow(void **state) {
  struct cx_buf buf;

  (void)state;
  cx_buf_init(&buf, 100);
  cx_buf_put_text(&buf, "abc");
  assert_null(cx_buf_reserve(&buf, SIZE_MAX));
  assert_null(cx_buf_reserve(&buf, 1));
  cx_buf_clear(&buf);
}

static void an_empty_buffer_gives_an_empty_text(void **state) {
  struct cx_buf buf;
  char *text;

  (void)state;
  cx_buf_init(&buf, 100);
  text = cx_buf_take(&buf);
  assert_string_equal(text, "");
  free(text);
}

static void json_strings_escape_what_could_end_a_line_or_string(void **state) {
  static const char raw[] =
      "a\"b\\c\n\t\x01\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xc3\xa9\xff\xed\xa0\x80";
  struct cx_buf buf;

  (void)state;
  cx_buf_init(&buf, 1000);
  cx_buf_put_json(&buf, raw, strlen(raw));
  cx_buf_put_json(&buf, "x\0y", 3);
  assert_string_equal(
      buf.bytes,
      "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\\u009b\\u2028\\u2029\xe2\x80\xaa\xc3\xa9\xef\xbf\xbd"
      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\"x\\u0000y\"");
  cx_buf_clear(&buf);
}

static void formatted_text_counts_against_the_ceiling(void **state) {
  struct cx_buf buf;

  (void)state;
  cx_buf_init(&buf, 5);
  cx_buf_printf(&buf, "%d", 12345);
  assert_string_equal(buf.bytes, "12345");
  cx_buf_printf(&buf, "%d", 6);
  assert_true(buf.failed);
  cx_buf_clear(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_ceiling_is_never_passed_and_failure_stays),
      cmocka_unit_test(an_absurd_length_does_not_overflow),
      cmocka_unit_test(an_empty_buffer_gives_an_empty_text),
      cmocka_unit_test(json_strings_escape_what_could_end_a_line_or_string),
      cmocka_unit_test(formatted_text_counts_against_the_ceiling),
  };

  return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
