/*
 * The compact form: parts, header, payload; nothing is read past the end.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* {"alg":"RS256","kid":"k1","typ":"at+jwt"} . {"iss":"i"} . foo */
#define HEADER "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiYXQrand0In0"
#define PAYLOAD "eyJpc3MiOiJpIn0"

static enum cortex_reason parse(const char *text) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_token token;
  char *bytes = malloc(strlen(text) + 1);
  enum cortex_reason reason;

  memcpy(bytes, text, strlen(text) + 1);
  bytes = realloc(bytes, strlen(text) > 0 ? strlen(text) : 1);
  reason = cx_token_parse(bytes, strlen(text), &token, &error);
  cx_token_clear(&token);
  assert_int_equal(error.reason, reason);
  free(bytes);
  return reason;
}

static void parts_are_counted_by_dots(void **state) {
  (void)state;
  assert_int_equal(cx_token_count_parts("", 0), 1);
  assert_int_equal(cx_token_count_parts("a.b.c", 5), 3);
  assert_int_equal(cx_token_count_parts("....", 4), 5);
}

static void a_token_is_taken_apart(void **state) {
  static const char text[] = HEADER "." PAYLOAD ".Zm9v";
  struct cx_token token;

  (void)state;
  assert_int_equal(cx_token_parse(text, strlen(text), &token, NULL), CORTEX_OK);
  assert_string_equal(token.algorithm->name, "RS256");
  assert_int_equal(token.kid_len, 2);
  assert_memory_equal(token.kid, "k1", 2);
  assert_true(token.is_access);
  assert_int_equal(token.input_len, strlen(HEADER "." PAYLOAD));
  assert_int_equal(token.signature_len, 3);
  assert_memory_equal(token.signature, "foo", 3);
  assert_string_equal(cx_json_text(cx_json_get(token.claims, "iss")), "i");
  cx_token_clear(&token);
  assert_null(token.claims);
}

static void a_signature_may_be_empty_here(void **state) {
  (void)state;
  assert_int_equal(parse(HEADER "." PAYLOAD "."), CORTEX_OK);
}

static void other_forms_are_refused(void **state) {
  static const struct {
    const char *text;
    enum cortex_reason reason;
  } cases[] = {
      {"", CORTEX_MALFORMED},
      {HEADER, CORTEX_MALFORMED},
      {HEADER "." PAYLOAD, CORTEX_MALFORMED},
      {HEADER "." PAYLOAD ".Zm9v.", CORTEX_MALFORMED},
      {HEADER "." PAYLOAD ".Zm9v.Zm9v", CORTEX_MALFORMED},
      {"." PAYLOAD ".Zm9v", CORTEX_MALFORMED},
      {HEADER "..Zm9v", CORTEX_MALFORMED},
      {HEADER "=." PAYLOAD ".Zm9v", CORTEX_BAD_ENCODING},
      {HEADER "." PAYLOAD "=.Zm9v", CORTEX_BAD_ENCODING},
      {HEADER "." PAYLOAD ".Zm9v=", CORTEX_BAD_ENCODING},
      {HEADER "." PAYLOAD ".Z", CORTEX_BAD_ENCODING},
      {HEADER ".e." PAYLOAD, CORTEX_BAD_ENCODING},
      {PAYLOAD "." PAYLOAD ".Zm9v", CORTEX_MALFORMED},
      {"bnVsbA." PAYLOAD ".Zm9v", CORTEX_MALFORMED},
      {HEADER ".bnVsbA.Zm9v", CORTEX_MALFORMED},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(parse(cases[i].text), cases[i].reason);
}

static void a_header_has_at_most_16_kibibytes(void **state) {
  char *text = malloc(30000);

  (void)state;
  memset(text, 'A', 30000);
  memcpy(text + 30000 - 20, ".AAAA.AAAA", 11);
  assert_int_equal(parse(text), CORTEX_TOO_LARGE);
  free(text);
}

/* Each prefix of a good token is refused or is a token without signature bytes. */
static void no_prefix_is_read_past_its_end(void **state) {
  static const char text[] = HEADER "." PAYLOAD ".Zm9vYmFy";
  size_t dots = strlen(HEADER "." PAYLOAD "."), len;
  struct cx_token token;

  (void)state;
  for (len = 0; len < strlen(text); len++) {
    char *bytes = malloc(len + 1);
    enum cortex_reason reason;

    memcpy(bytes, text, len);
    bytes = realloc(bytes, len > 0 ? len : 1);
    reason = cx_token_parse(bytes, len, &token, NULL);
    if (len < dots)
      assert_int_not_equal(reason, CORTEX_OK);
    cx_token_clear(&token);
    free(bytes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_are_counted_by_dots),
      cmocka_unit_test(a_token_is_taken_apart),
      cmocka_unit_test(a_signature_may_be_empty_here),
      cmocka_unit_test(other_forms_are_refused),
      cmocka_unit_test(a_header_has_at_most_16_kibibytes),
      cmocka_unit_test(no_prefix_is_read_past_its_end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
