/*
 * PAM codes: what each outcome answers the application.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pamcode.h"

#include <security/_pam_types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int code_of(enum cortex_effect effect, enum cortex_reason reason) {
  struct cortex_outcome outcome = {.effect = effect, .reason = reason};

  return cx_pamcode_of(&outcome);
}

static void only_an_allow_without_reason_is_success(void **state) {
  int reason;

  (void)state;
  assert_int_equal(code_of(CORTEX_ALLOW, CORTEX_OK), PAM_SUCCESS);
  assert_int_not_equal(code_of(CORTEX_DENY, CORTEX_OK), PAM_SUCCESS);
  assert_int_not_equal(code_of((enum cortex_effect)2, CORTEX_OK), PAM_SUCCESS);
  for (reason = 1; reason < CORTEX_REASONS; reason++) {
    assert_int_not_equal(code_of(CORTEX_ALLOW, (enum cortex_reason)reason), PAM_SUCCESS);
    assert_int_not_equal(code_of(CORTEX_DENY, (enum cortex_reason)reason), PAM_SUCCESS);
  }
}

static void a_zero_outcome_is_no_success(void **state) {
  struct cortex_outcome outcome = {0};

  (void)state;
  assert_int_equal(cx_pamcode_of(&outcome), PAM_SYSTEM_ERR);
}

static void no_code_is_one_that_stacks_let_pass(void **state) {
  int reason, code;

  (void)state;
  for (reason = 1; reason < CORTEX_REASONS; reason++) {
    code = code_of(CORTEX_DENY, (enum cortex_reason)reason);
    assert_true(code == PAM_AUTH_ERR || code == PAM_AUTHINFO_UNAVAIL || code == PAM_PERM_DENIED ||
                code == PAM_SERVICE_ERR || code == PAM_SYSTEM_ERR);
  }
}

static void each_class_has_its_code(void **state) {
  (void)state;
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_TOKEN_EXPIRED), PAM_AUTH_ERR);
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_UNKNOWN_KID), PAM_AUTHINFO_UNAVAIL);
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_PROTECTED_ROLE), PAM_PERM_DENIED);
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_POLICY_DENIED), PAM_PERM_DENIED);
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_AUDIT_UNAVAILABLE), PAM_AUTHINFO_UNAVAIL);
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_CONFIG_INVALID), PAM_SERVICE_ERR);
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_DEADLINE), PAM_SYSTEM_ERR);
}

static void values_outside_the_list_are_system_errors(void **state) {
  (void)state;
  assert_int_equal(code_of(CORTEX_DENY, CORTEX_REASONS), PAM_SYSTEM_ERR);
  assert_int_equal(code_of(CORTEX_DENY, (enum cortex_reason) - 1), PAM_SYSTEM_ERR);
  assert_int_equal(code_of(CORTEX_ALLOW, CORTEX_REASONS), PAM_SYSTEM_ERR);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_an_allow_without_reason_is_success),
      cmocka_unit_test(a_zero_outcome_is_no_success),
      cmocka_unit_test(no_code_is_one_that_stacks_let_pass),
      cmocka_unit_test(each_class_has_its_code),
      cmocka_unit_test(values_outside_the_list_are_system_errors),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
