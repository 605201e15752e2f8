/*
 * Looking claims up, and rules that need settings no case file can give.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parsed.h"

#define NOW 1700000000

static void expect_text(const cx_json *claims, const char *name, const char *expected) {
  const cx_json *value = cx_claims_get(claims, name);

  if (expected == NULL)
    assert_null(value);
  else
    assert_string_equal(cx_json_text(value), expected);
}

static void a_name_is_literal_first_and_a_path_second(void **state) {
  const cx_json *claims = parsed("{\"a\":{\"b\":\"path\",\"c\":{\"d\":\"deep\"},\"\":\"empty\"},"
                                 "\"x.y\":\"literal\",\"x\":{\"y\":\"path\",\"z\":\"z\"},"
                                 "\"https://a.example/g\":\"url\",\"s\":\"text\",\"l\":[\"e\"]}");

  (void)state;
  expect_text(claims, "a.b", "path");
  expect_text(claims, "a.c.d", "deep");
  expect_text(claims, "x.y", "literal");
  expect_text(claims, "x.z", "z");
  expect_text(claims, "https://a.example/g", "url");
  expect_text(claims, "a.", "empty");
  expect_text(claims, "a.b.c", NULL);
  expect_text(claims, "s.text", NULL);
  expect_text(claims, "l.0", NULL);
  expect_text(claims, ".a", NULL);
  expect_text(claims, "", NULL);
  expect_text(claims, ".", NULL);
  expect_text(claims, "nothing", NULL);
  cx_json_release(claims);
}

static void a_long_name_is_no_trouble(void **state) {
  const cx_json *claims = parsed("{\"a\":{\"b\":\"c\"}}");
  char name[5000];

  (void)state;
  memset(name, 'a', sizeof name);
  name[sizeof name - 1] = '\0';
  expect_text(claims, name, NULL);
  name[300] = '.';
  expect_text(claims, name, NULL);
  cx_json_release(claims);
}

static void times_are_numbers_within_ten_thousand_years(void **state) {
  const cx_json *claims =
      parsed("{\"i\":1700000000,\"r\":1700000000.9,\"n\":-5,\"s\":\"1\",\"t\":true,"
             "\"h\":1e300,\"m\":1700000000000}");
  int64_t seconds;

  (void)state;
  assert_true(cx_claims_get_time(claims, "i", &seconds));
  assert_int_equal(seconds, 1700000000);
  assert_true(cx_claims_get_time(claims, "r", &seconds));
  assert_int_equal(seconds, 1700000000);
  assert_true(cx_claims_get_time(claims, "n", &seconds));
  assert_int_equal(seconds, -5);
  assert_false(cx_claims_get_time(claims, "s", &seconds));
  assert_false(cx_claims_get_time(claims, "t", &seconds));
  assert_false(cx_claims_get_time(claims, "h", &seconds));
  assert_false(cx_claims_get_time(claims, "m", &seconds));
  assert_false(cx_claims_get_time(claims, "none", &seconds));
  assert_int_equal(seconds, 0);
  cx_json_release(claims);
}

/* The settings' reader demands an audience; should one be missing all the same, nothing opens. */
static void without_an_audience_nothing_is_accepted(void **state) {
  struct cx_oidc_settings settings = {.clock_skew = 60};
  struct cx_token token = {.claims = parsed("{\"sub\":\"a\",\"aud\":\"\",\"iat\":1700000000,"
                                            "\"exp\":1700000009}")};

  (void)state;
  assert_int_equal(cx_claims_check(&token, &settings, NOW, NULL), CORTEX_AUDIENCE_MISMATCH);
  cx_json_release(token.claims);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_is_literal_first_and_a_path_second),
      cmocka_unit_test(a_long_name_is_no_trouble),
      cmocka_unit_test(times_are_numbers_within_ten_thousand_years),
      cmocka_unit_test(without_an_audience_nothing_is_accepted),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
