/*
 * Text: UTF-8, control characters, durations, URLs.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void only_well_formed_utf8_is_accepted(void **state) {
  static const char *const good[] = {
      "", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
  static const char *const bad[] = {"\x80",
                                    "\xc0\xaf",
                                    "\xc1\xbf",
                                    "\xe0\x80\xaf",
                                    "\xed\xa0\x80",
                                    "\xf0\x80\x80\xaf",
                                    "\xf4\x90\x80\x80",
                                    "\xf5\x80\x80\x80",
                                    "\xe2\x82",
                                    "\xff"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_true(cx_text_is_utf8(good[i], strlen(good[i])));
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(cx_text_is_utf8(bad[i], strlen(bad[i])));
}

static void controls_of_all_three_ranges_are_found(void **state) {
  (void)state;
  assert_true(cx_text_has_control("a\nb", 3));
  assert_true(cx_text_has_control("a\0b", 3));
  assert_true(cx_text_has_control("\x7f", 1));
  assert_true(cx_text_has_control("\xc2\x85", 2));
  assert_false(cx_text_has_control("\xc2\xa0\xc3\x80 b", 6));
}

static void plain_bytes_are_those_that_json_takes_as_they_are(void **state) {
  (void)state;
  assert_int_equal(cx_text_plain_len("abc ~", 5), 5);
  assert_int_equal(cx_text_plain_len("abc", 2), 2);
  assert_int_equal(cx_text_plain_len("", 0), 0);
  assert_int_equal(cx_text_plain_len("a\"b", 3), 1);
  assert_int_equal(cx_text_plain_len("a\\b", 3), 1);
  assert_int_equal(cx_text_plain_len("ab\x1f", 3), 2);
  assert_int_equal(cx_text_plain_len("ab\x7f", 3), 2);
  assert_int_equal(cx_text_plain_len("ab\xc3\xa4", 4), 2);
}

static void durations_are_read_strictly(void **state) {
  static const char *const bad[] = {"",
                                    "-1",
                                    "+1",
                                    "1x",
                                    "1m1h",
                                    "1m1m",
                                    "h",
                                    "1 h",
                                    "1h ",
                                    "1.5h",
                                    "99999999999999999999",
                                    "9223372036854775807d"};
  int64_t seconds = 0;
  size_t i;

  (void)state;
  assert_true(cx_text_parse_duration("90", &seconds));
  assert_int_equal(seconds, 90);
  assert_true(cx_text_parse_duration("1d2h30m10s", &seconds));
  assert_int_equal(seconds, 86400 + 7200 + 1800 + 10);
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(cx_text_parse_duration(bad[i], &seconds));
}

static void only_https_or_loopback_urls_are_trusted(void **state) {
  static const char *const good[] = {"https://op.example.com",  "https://op.example.com:8443/a?b=c",
                                     "http://127.0.0.1:8080/x", "http://localhost",
                                     "http://[::1]:99/",        "https://[2001:db8::1]/"};
  static const char *const bad[] = {"http://op.example.com",
                                    "ftp://localhost",
                                    "https://",
                                    "https:///path",
                                    "https://user@host/",
                                    "http://127.0.0.1.evil/",
                                    "http://localhost@evil/",
                                    "https://a b/",
                                    "https://h/#frag",
                                    "HTTPS://h/",
                                    "https://h\n",
                                    "http://[::1",
                                    "http://[::1]x/"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_true(cx_text_is_trusted_url(good[i]));
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(cx_text_is_trusted_url(bad[i]));
}

static void counts_have_no_sign_and_a_ceiling(void **state) {
  int64_t count = 0;

  (void)state;
  assert_true(cx_text_parse_count("1000", 1000, &count));
  assert_int_equal(count, 1000);
  assert_false(cx_text_parse_count("1001", 1000, &count));
  assert_false(cx_text_parse_count("-1", 1000, &count));
  assert_false(cx_text_parse_count("", 1000, &count));
  assert_false(cx_text_parse_count("1 ", 1000, &count));
}

static void place_of_a_word_is_that_of_the_whole_word(void **state) {
  (void)state;
  assert_int_equal(cx_text_place("no, yes", "no"), 0);
  assert_int_equal(cx_text_place("no, yes", "yes"), 1);
  assert_int_equal(cx_text_place("yes", "yes"), 0);
  assert_int_equal(cx_text_place("no, yes", "ye"), -1);
  assert_int_equal(cx_text_place("no, yes", "yess"), -1);
  assert_int_equal(cx_text_place("no, yes", ""), -1);
  assert_int_equal(cx_text_place("no, yes", ", "), -1);
  assert_int_equal(cx_text_place("no, yes", "no, yes"), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_well_formed_utf8_is_accepted),
      cmocka_unit_test(controls_of_all_three_ranges_are_found),
      cmocka_unit_test(plain_bytes_are_those_that_json_takes_as_they_are),
      cmocka_unit_test(durations_are_read_strictly),
      cmocka_unit_test(only_https_or_loopback_urls_are_trusted),
      cmocka_unit_test(counts_have_no_sign_and_a_ceiling),
      cmocka_unit_test(place_of_a_word_is_that_of_the_whole_word),
  };

  return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
