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

#include "parsed.h"

static enum cortex_reason parse(const char *text, size_t len) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  const cx_json *object;

  reason = cx_json_parse("text", text, len, &object, &error);
  assert_true((reason == CORTEX_OK) == (object != NULL));
  assert_int_equal(error.reason, reason);
  cx_json_release(object);
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
  assert_int_equal(parse("{\"a\":1\0}", 8), CORTEX_MALFORMED);
  assert_int_equal(parse("{\"a\":\0001}", 8), CORTEX_MALFORMED);
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
  const cx_json *object = parsed("{\"a\":\"ab\\u0000c\",\"b\":\"\",\"c\":1}"), *value;

  (void)state;
  value = cx_json_get(object, "a");
  assert_true(cx_json_is_text(value, "ab\0c", 4));
  assert_false(cx_json_is_text(value, "ab", 2));
  assert_false(cx_json_is_text(NULL, "", 0));
  assert_false(cx_json_is_text(cx_json_get(object, "c"), "1", 1));
  assert_false(cx_json_is_plain(value));
  assert_false(cx_json_is_plain(cx_json_get(object, "b")));
  assert_true(cx_json_has_nul(value));
  cx_json_release(object);
}

static void a_nul_is_found_at_any_depth(void **state) {
  const cx_json *value = parsed("{\"a\":[\"x\",{\"b\":[\"y\\u0000z\"]}]}");
  const cx_json *clean = parsed("{\"a\":[\"x\",{\"b\":[\"y\"]}]}");

  (void)state;
  assert_true(cx_json_has_nul(value));
  assert_false(cx_json_has_nul(clean));
  cx_json_release(value);
  cx_json_release(clean);
}

/* Names, strings and numbers, with and without escapes, at the end of a list and before its end. */
static void what_is_read_ends_with_a_nul(void **state) {
  const cx_json *object =
      parsed("{\"one\":\"first\",\"tw\\u006f\":[\"s\\ne\",1.25,17],\"three\":{\"a\":\"b\"}}");
  const cx_json *two = child_at(object, 1);

  (void)state;
  assert_string_equal(cx_json_text(cx_json_get(object, "one")), "first");
  assert_true(two != NULL && strcmp(two->key.ptr, "two") == 0);
  assert_ptr_equal(two, cx_json_get(object, "two"));
  assert_string_equal(cx_json_text(child_at(two, 0)), "s\ne");
  assert_true(cx_json_number(child_at(two, 1)) == 1.25);
  assert_int_equal(cx_json_integer(child_at(two, 2)), 17);
  assert_int_equal(cx_json_count(cx_json_get(object, "two")), 3);
  assert_string_equal(cx_json_text(cx_json_get(cx_json_get(object, "three"), "a")), "b");
  cx_json_release(object);
}

static void what_is_of_another_kind_is_nothing(void **state) {
  const cx_json *object = parsed("{\"s\":\"x\",\"n\":1.5,\"a\":[1],\"o\":{\"x\":1}}");
  const cx_json *s = cx_json_get(object, "s"), *a = cx_json_get(object, "a");

  (void)state;
  assert_null(cx_json_get(a, "x"));
  assert_null(cx_json_get(NULL, "x"));
  assert_null(cx_json_get(object, "S"));
  assert_null(cx_json_get_n(object, "so", 2));
  assert_non_null(cx_json_get_n(object, "so", 1));
  assert_null(cx_json_items(cx_json_get(object, "o")));
  assert_null(cx_json_members(a));
  assert_int_equal(cx_json_count(cx_json_get(object, "o")), 0);
  assert_null(cx_json_text(a));
  assert_int_equal(cx_json_text_len(a), 0);
  assert_int_equal(cx_json_integer(s), 0);
  assert_int_equal(cx_json_integer(cx_json_get(object, "n")), 0);
  assert_true(cx_json_number(s) == 0);
  assert_false(cx_json_is_true(s));
  assert_false(cx_json_is_false(NULL));
  cx_json_release(object);
}

static void the_last_owner_frees(void **state) {
  const cx_json *object = parsed("{\"a\":1}");

  (void)state;
  assert_ptr_equal(cx_json_hold(object), object);
  cx_json_release(object);
  assert_int_equal(cx_json_integer(cx_json_get(object, "a")), 1);
  cx_json_release(object);
  cx_json_release(NULL);
  assert_null(cx_json_hold(NULL));
}

static void values_are_shown_by_value_or_type(void **state) {
  static const struct {
    const char *name;
    const char *shown;
    const char *word;
  } cases[] = {{"none", "missing", ""},
               {"s", "\"x\"", ""},
               {"i", "-7", "-7"},
               {"r", "1.5", "1.5"},
               {"d", "1.1", "1.1"},
               {"m", "0.30000000000000004", "0.30000000000000004"},
               {"e", "1e+20", "1e+20"},
               {"w", "20.0", "20.0"},
               {"t", "true", "true"},
               {"f", "false", "false"},
               {"z", "null", "null"},
               {"a", "an array", ""},
               {"o", "an object", ""},
               {"l", "-9223372036854775808", "-9223372036854775808"},
               {"p", "-2.2250738585072014e-308", "-2.2250738585072014e-308"}};
  const cx_json *object =
      parsed("{\"s\":\"x\",\"i\":-7,\"r\":1.50,\"d\":1.1,\"m\":0.30000000000000004,\"e\":1E20,"
             "\"w\":2e1,\"t\":true,\"f\":false,\"z\":"
             "null,\"a\":[],"
             "\"o\":{},\"l\":-9223372036854775808,\"p\":-2.2250738585072014e-308}");
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_string_equal(cx_json_show(cx_json_get(object, cases[i].name)).text, cases[i].shown);
    assert_string_equal(cx_json_word(cx_json_get(object, cases[i].name)).text, cases[i].word);
  }
  cx_json_release(object);
}

/* A library of others reads what was written, and finds what stood in the text. */
static void what_is_written_means_what_was_read(void **state) {
  static const char *const texts[] = {
      "{}",
      "{\"a\":[],\"b\":{},\"c\":[[],[{}]],\"\":\"\"}",
      "{ \"t\" : true , \"f\" : false , \"n\" : null , \"i\" : [ 0 , -1 , 9223372036854775807 ] }",
      "{\"r\":[1.5,-0.25,1e300,1e-300,0.1,2E+2]}",
      "{\"quote\\\"d\":\"\\\" \\\\ \\/ \\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}",
      "{\"z\xc3\xbcrich\":\"\xe2\x82\xac \xf0\x9f\x94\x91 \\ud83d\\udd11 \\u20ac\\uffff\xc2\x80\"}",
  };
  const cx_json *object;
  json_t *before, *after;
  struct cx_buf text;
  size_t i, k;

  (void)state;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    object = parsed(texts[i]);
    assert_non_null(object);
    cx_buf_init(&text, 4096);
    cx_json_put(&text, object);
    for (k = 0; k < text.len; k++)
      assert_in_range(text.bytes[k], 0x20, 0x7e);
    before = json_loads(texts[i], 0, NULL);
    after = json_loads(text.bytes, 0, NULL);
    assert_true(before != NULL && json_equal(before, after));
    json_decref(before);
    json_decref(after);
    cx_buf_clear(&text);
    cx_json_release(object);
  }
}

static void what_is_no_utf8_is_written_as_such(void **state) {
  struct cx_buf text;

  (void)state;
  cx_buf_init(&text, 100);
  cx_json_put_text(&text, "a\xff\xc3(", 4);
  assert_string_equal(text.bytes, "\"a\\ufffd\\ufffd(\"");
  cx_buf_clear(&text);
}

static void objects_are_written_member_by_member(void **state) {
  struct cx_buf text;

  (void)state;
  cx_buf_init(&text, 100);
  cx_buf_put_text(&text, "{");
  cx_json_member_text(&text, "a", NULL);
  cx_json_member_text(&text, "b", "{");
  cx_json_member_number(&text, "c", -5);
  cx_json_put_name(&text, "d");
  cx_buf_put_text(&text, "[");
  cx_json_put_comma(&text);
  cx_json_put_text(&text, "x", 1);
  cx_json_put_comma(&text);
  cx_json_put_text(&text, "y", 1);
  cx_buf_put_text(&text, "]");
  cx_json_member_bool(&text, "e", true);
  cx_buf_put_text(&text, "}");
  assert_string_equal(text.bytes, "{\"b\":\"{\",\"c\":-5,\"d\":[\"x\",\"y\"],\"e\":true}");
  cx_buf_clear(&text);
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
      cmocka_unit_test(what_is_read_ends_with_a_nul),
      cmocka_unit_test(what_is_of_another_kind_is_nothing),
      cmocka_unit_test(the_last_owner_frees),
      cmocka_unit_test(values_are_shown_by_value_or_type),
      cmocka_unit_test(what_is_written_means_what_was_read),
      cmocka_unit_test(what_is_no_utf8_is_written_as_such),
      cmocka_unit_test(objects_are_written_member_by_member),
      cmocka_unit_test(quotes_are_short_and_on_one_line),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
