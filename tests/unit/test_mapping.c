/*
 * From the name a credential carries to the username.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "identity/identity.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The naming rules of one section, through the reader that makes them. */
static struct cortex_settings *load(const char *lines) {
  struct cortex_settings *settings;
  char config[1024];

  snprintf(config, sizeof config, "[oidc \"m\"]\nissuer = https://i.example\naudience = a\n%s",
           lines);
  assert_int_equal(cortex_settings_parse("test", config, strlen(config), &settings, NULL),
                   CORTEX_OK);
  return settings;
}

static void expect_name(const char *lines, const char *raw, const char *expected) {
  struct cortex_settings *settings = load(lines);
  char *username;

  assert_int_equal(cx_identity_map(&settings->issuers[0].oidc.naming, raw, strlen(raw), &username,
                                   NULL),
                   CORTEX_OK);
  assert_string_equal(username, expected);
  free(username);
  cortex_settings_free(&settings);
}

static void expect_refusal(const char *lines, const char *raw, size_t len,
                           enum cortex_reason reason) {
  struct cortex_settings *settings = load(lines);
  struct cortex_error error = CORTEX_ERROR_NONE;
  char *username = NULL;

  assert_int_equal(cx_identity_map(&settings->issuers[0].oidc.naming, raw, len, &username, &error),
                   reason);
  assert_null(username);
  assert_int_equal(error.reason, reason);
  cortex_settings_free(&settings);
}

static void without_rules_a_name_stays_as_it_is(void **state) {
  (void)state;
  expect_name("", "Alice@Example.com", "Alice@Example.com");
  expect_name("", "repo:o/r:ref:x", "repo:o/r:ref:x");
  expect_name("", " a ", " a ");
  expect_name("", "\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80");
}

static void names_that_cannot_be_one_are_refused(void **state) {
  static const char *const names[] = {"", "a\n", "\x7f", "a\xc2\x85", "\xff", "a\xc0\xaf",
                                      "\xed\xa0\x80", "\x1b[0m"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    expect_refusal("", names[i], strlen(names[i]), CORTEX_BAD_USERNAME);
  expect_refusal("", "alice\0root", 10, CORTEX_BAD_USERNAME);
  expect_refusal("username_map = /.*/x/\n", "alice\0root", 10, CORTEX_BAD_USERNAME);
}

static void a_map_rewrites_what_it_matches_whole(void **state) {
  (void)state;
  expect_name("username_map = /(.*)@example.com/\\1/\n", "bob@example.com", "bob");
  expect_name("username_map = /(a)(b)(c)(d)(e)(f)(g)(h)(i)/\\9\\8\\7\\6\\5\\4\\3\\2\\1/\n",
              "abcdefghi", "ihgfedcba");
  expect_name("username_map = /(x)|(y)/[\\1\\2]/\n", "y", "[y]");
  expect_name("username_map = /a|ab/long/\n", "ab", "long");
  expect_name("username_map = /x/a\\\\b\\/c/\n", "x", "a\\b/c");
}

static void a_value_that_fits_no_map_is_refused(void **state) {
  static const char map[] = "username_map = /[a-z]+@example.com/u/\n";

  (void)state;
  expect_refusal(map, "bob@example.com.evil", 20, CORTEX_MISSING_USERNAME);
  expect_refusal(map, "1bob@example.com", 16, CORTEX_MISSING_USERNAME);
  expect_refusal(map, "BOB@example.com", 15, CORTEX_MISSING_USERNAME);
  expect_refusal("username_map = /a|b/u/\n", "ab", 2, CORTEX_MISSING_USERNAME);
  expect_refusal("username_map = /^a$|b/u/\n", "ax", 2, CORTEX_MISSING_USERNAME);
}

static void only_255_bytes_are_matched(void **state) {
  char value[256];

  (void)state;
  memset(value, 'n', sizeof value);
  expect_refusal("username_map = /n*/u/\n", value, 256, CORTEX_BAD_USERNAME);
  value[255] = '\0';
  expect_name("username_map = /n*/u/\n", value, "u");
}

static void a_map_must_leave_a_name(void **state) {
  (void)state;
  expect_refusal("username_map = /(.*)@x/\\1/\n", "@x", 2, CORTEX_BAD_USERNAME);
}

/* "." is one byte in every locale, and half of a character is no name. */
static void patterns_mean_the_same_in_every_locale(void **state) {
  static const char *const locales[] = {"C", "C.UTF-8", "en_US.UTF-8"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof locales / sizeof locales[0]; i++) {
    if (setlocale(LC_ALL, locales[i]) == NULL)
      continue;
    expect_refusal("username_map = /(.).*/\\1/\n", "\xc3\xa9x", 3, CORTEX_BAD_USERNAME);
    expect_refusal("username_map = /[[:alpha:]]+/u/\n", "\xc3\xa9", 2, CORTEX_MISSING_USERNAME);
    expect_refusal("username_map = /[a-z]+/u/\n", "aBc", 3, CORTEX_MISSING_USERNAME);
    expect_name("username_map = /(..)x/\\1/\n", "\xc3\xa9x", "\xc3\xa9");
  }
  setlocale(LC_ALL, "C");
}

static void case_is_folded_last_and_for_ascii_only(void **state) {
  (void)state;
  expect_name("username_case = lower\n", "ALICE", "alice");
  expect_name("username_case = lower\n", "\xc3\x80LICE", "\xc3\x80lice");
  expect_name("username_case = lower\nusername_map = /([A-Z]+)@X/U.\\1/\n", "BOB@X", "u.bob");
  expect_refusal("username_case = lower\nusername_map = /([a-z]+)@x/\\1/\n", "BOB@X", 5,
                 CORTEX_MISSING_USERNAME);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_rules_a_name_stays_as_it_is),
      cmocka_unit_test(names_that_cannot_be_one_are_refused),
      cmocka_unit_test(a_map_rewrites_what_it_matches_whole),
      cmocka_unit_test(a_value_that_fits_no_map_is_refused),
      cmocka_unit_test(only_255_bytes_are_matched),
      cmocka_unit_test(a_map_must_leave_a_name),
      cmocka_unit_test(patterns_mean_the_same_in_every_locale),
      cmocka_unit_test(case_is_folded_last_and_for_ascii_only),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
