/*
 * The error object and the list of reasons.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_first_cause_stays(void **state) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  (void)state;
  assert_int_equal(cx_error_set(&error, CORTEX_MALFORMED, "first"), CORTEX_MALFORMED);
  assert_int_equal(cx_error_set(&error, CORTEX_INTERNAL, "second"), CORTEX_INTERNAL);
  assert_int_equal(error.reason, CORTEX_MALFORMED);
  assert_string_equal(error.message, "first");
}

static void a_message_is_one_line_however_hostile_its_parts(void **state) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  char big[2000];

  (void)state;
  memset(big, 'x', sizeof big - 1);
  big[sizeof big - 1] = '\0';
  cx_error_set(&error, CORTEX_BAD_USERNAME, "name \"%s\"", "a\nLOG: forged\x1b[2J\x7f\xc2\x9b\xc2\xa0");
  assert_string_equal(error.message, "name \"a?LOG: forged?[2J???\xc2\xa0\"");
  cx_error_prefix(&error, "%s", big);
  assert_true(strlen(error.message) < sizeof error.message);
  assert_non_null(strstr(error.message, "forged"));
}

static void a_place_is_written_as_far_as_it_is_known(void **state) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  char text[64];

  (void)state;
  cx_error_at(&error, CORTEX_CONFIG_INVALID, (struct cx_place){"f", 3, 0}, "m");
  cortex_error_format(&error, text, sizeof text);
  assert_string_equal(text, "f:3: m");
  error.column = 7;
  cortex_error_format(&error, text, sizeof text);
  assert_string_equal(text, "f:3:7: m");
  error.line = 0;
  cortex_error_format(&error, text, sizeof text);
  assert_string_equal(text, "f: m");
  cortex_error_format(&error, text, 4);
  assert_string_equal(text, "f: ");
}

static void no_error_object_is_needed(void **state) {
  (void)state;
  assert_int_equal(cx_error_set(NULL, CORTEX_REVOKED, "x"), CORTEX_REVOKED);
  cx_error_prefix(NULL, "x");
  assert_int_equal(cx_error_recode(NULL, CORTEX_INTERNAL), CORTEX_INTERNAL);
}

static void every_reason_has_a_name_of_its_own_and_a_sentence(void **state) {
  unsigned i;

  (void)state;
  for (i = 0; i < CORTEX_REASONS; i++) {
    assert_int_equal(cortex_reason_parse(cortex_reason_name((enum cortex_reason)i)), i);
    assert_true(strlen(cortex_reason_sentence((enum cortex_reason)i)) > 5);
  }
  assert_int_equal(cortex_reason_parse("no such reason"), CORTEX_REASONS);
  assert_string_equal(cortex_reason_name((enum cortex_reason)9999), "internal");
}

static void only_ok_is_of_the_class_ok(void **state) {
  unsigned i;

  (void)state;
  for (i = 0; i < CORTEX_REASONS; i++)
    assert_int_equal(cortex_reason_class((enum cortex_reason)i) == CORTEX_CLASS_OK, i == CORTEX_OK);
  assert_int_equal(cortex_reason_class((enum cortex_reason)9999), CORTEX_CLASS_INTERNAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_cause_stays),
      cmocka_unit_test(a_message_is_one_line_however_hostile_its_parts),
      cmocka_unit_test(a_place_is_written_as_far_as_it_is_known),
      cmocka_unit_test(no_error_object_is_needed),
      cmocka_unit_test(every_reason_has_a_name_of_its_own_and_a_sentence),
      cmocka_unit_test(only_ok_is_of_the_class_ok),
  };

  return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
