/*
 * JSON from strangers: one object, no duplicates, bounded depth; values in messages.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum cortex_reason parse(const char *text, size_t len) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  json_t *object;

  reason = cx_json_parse("text", text, len, &object, &error);
  assert_true((reason == CORTEX_OK) == (object != NULL));
  assert_int_equal(error.reason, reason);
  json_decref(object);
  return reason;
}

static void objects_are_read(void **state) {
  static const char *const texts[] = {"{}", " {\"a\":[1,2.5,true,null,\"x\"]}\n",
                                      "{\"a\":{\"a\":1}}", "{\"a\":\"\\u0000\"}"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
    assert_int_equal(parse(texts[i], strlen(texts[i])), CORTEX_OK);
}

static void what_is_not_one_object_is_refused(void **state) {
  static const struct {
    const char *text;
    enum cortex_reason reason;
  } cases[] = {
      {"", CORTEX_MALFORMED},
      {"[]", CORTEX_MALFORMED},
      {"1", CORTEX_MALFORMED},
      {"{", CORTEX_MALFORMED},
      {"{}{}", CORTEX_MALFORMED},
      {"{\"a\":1,\"a\":1}", CORTEX_MALFORMED},
      {"{\"a\":1,\"\\u0061\":1}", CORTEX_MALFORMED},
      {"{\"a\\u0000\":1}", CORTEX_MALFORMED},
      {"{\"a\":\"\\ud800\"}", CORTEX_MALFORMED},
      {"{\"a\":\"\xff\"}", CORTEX_BAD_ENCODING},
      {"{\"a\":\"\xed\xa0\x80\"}", CORTEX_BAD_ENCODING},
      {"{\"a\":1e999}", CORTEX_CLAIM_MISMATCH},
      {"{\"a\":99999999999999999999}", CORTEX_CLAIM_MISMATCH},
      {"{\"a\":01}", CORTEX_MALFORMED},
      {"{\"a\":NaN}", CORTEX_MALFORMED},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(parse(cases[i].text, strlen(cases[i].text)), cases[i].reason);
  assert_int_equal(parse("{}\0", 3), CORTEX_MALFORMED);
}

static enum cortex_reason parse_depth(size_t depth) {
  char text[8192] = "{\"a\":";
  size_t i, used = strlen(text);

  for (i = 1; i < depth; i++)
    text[used++] = '[';
  for (i = 1; i < depth; i++)
    text[used++] = ']';
  text[used++] = '}';
  return parse(text, used);
}

static void depth_is_bounded(void **state) {
  (void)state;
  assert_int_equal(parse_depth(1), CORTEX_MALFORMED); /* {"a":} */
  assert_int_equal(parse_depth(CX_JSON_DEPTH_MAX), CORTEX_OK);
  assert_int_equal(parse_depth(CX_JSON_DEPTH_MAX + 1), CORTEX_MALFORMED);
  assert_int_equal(parse_depth(4000), CORTEX_MALFORMED);
}

static void brackets_in_strings_are_not_depth(void **state) {
  static const char text[] = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\",\"b\":[]}";

  (void)state;
  assert_int_equal(parse(text, strlen(text)), CORTEX_OK);
}

static void text_is_compared_with_its_length(void **state) {
  json_t *value = json_stringn("ab\0c", 4);

  (void)state;
  assert_true(cx_json_is_text(value, "ab\0c", 4));
  assert_false(cx_json_is_text(value, "ab", 2));
  assert_false(cx_json_is_text(NULL, "", 0));
  assert_false(cx_json_is_plain(value));
  assert_true(cx_json_has_nul(value));
  json_decref(value);
}

static void a_nul_is_found_at_any_depth(void **state) {
  json_t *value = json_pack("{s[s{s[s%]}]}", "a", "x", "b", "y\0z", (size_t)3);
  json_t *clean = json_pack("{s[s{s[s]}]}", "a", "x", "b", "y");

  (void)state;
  assert_true(cx_json_has_nul(value));
  assert_false(cx_json_has_nul(clean));
  json_decref(value);
  json_decref(clean);
}

static void expect_shown(json_t *value, const char *expected) {
  assert_string_equal(cx_json_show(value).text, expected);
  json_decref(value);
}

static void values_are_shown_by_value_or_type(void **state) {
  (void)state;
  assert_string_equal(cx_json_show(NULL).text, "missing");
  expect_shown(json_string("x"), "\"x\"");
  expect_shown(json_integer(-7), "-7");
  expect_shown(json_real(1.5), "1.5");
  expect_shown(json_true(), "true");
  expect_shown(json_null(), "null");
  expect_shown(json_array(), "an array");
  expect_shown(json_object(), "an object");
}

static void quotes_are_short_and_on_one_line(void **state) {
  char bytes[300];
  struct cx_quote quote;

  (void)state;
  assert_string_equal(cx_quote("", 0).text, "\"\"");
  assert_string_equal(cx_quote("a\nb\0\x1b", 5).text, "\"a\\x0ab\\x00\\x1b\"");
  assert_string_equal(cx_quote("\xc3\xa9\xff\xc2\x85", 5).text, "\"\xc3\xa9\\xff\\xc2\\x85\"");
  memset(bytes, 'x', sizeof bytes);
  quote = cx_quote(bytes, sizeof bytes);
  assert_in_range(strlen(quote.text), 60, sizeof quote.text - 1);
  assert_string_equal(quote.text + strlen(quote.text) - 4, "\"...");
  assert_string_equal(cx_quote("\xe2\x82\xac\xe2\x82", 5).text, "\"\xe2\x82\xac\\xe2\\x82\"");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(objects_are_read),
      cmocka_unit_test(what_is_not_one_object_is_refused),
      cmocka_unit_test(depth_is_bounded),
      cmocka_unit_test(brackets_in_strings_are_not_depth),
      cmocka_unit_test(text_is_compared_with_its_length),
      cmocka_unit_test(a_nul_is_found_at_any_depth),
      cmocka_unit_test(values_are_shown_by_value_or_type),
      cmocka_unit_test(quotes_are_short_and_on_one_line),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
