/*
 * Role names a credential may open.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "identity/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const listed[] = {"app_owner", "svc-*"};
static const struct cx_list protected = {(char **)listed, 2};

static void ordinary_names_are_fine(void **state) {
  static const char *const good[] = {
      "alice",
      "a",
      "Alice Müller",
      "o'brien",
      "a\"b",
      "alice@example.com",
      "pg",
      "xpg_read",
      "postgres2",
      "svc",
      "App_Owner",
      "system:serviceaccount:a:b",
      "123456789012345678901234567890123456789012345678901234567890123"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_int_equal(cx_role_check(good[i], &protected, NULL), CORTEX_OK);
}

static void names_that_no_role_should_have_are_refused(void **state) {
  static const char *const bad[] = {
      "",
      "alice/admin",
      "a\nb",
      "a\x7f",
      "a\xc2\x85",
      "\xff",
      "1234567890123456789012345678901234567890123456789012345678901234"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_int_equal(cx_role_check(bad[i], &protected, NULL), CORTEX_BAD_USERNAME);
}

static void protected_names_are_refused(void **state) {
  static const char *const bad[] = {"postgres", "pg_monitor", "pg_",  "cortex_managed",
                                    "cortex_",  "public",     "none", "app_owner",
                                    "svc-x",    "svc-",       "PUBLIC", "Postgres",
                                    "NONE",     "Pg_x",       "CORTEX_x"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_int_equal(cx_role_check(bad[i], &protected, NULL), CORTEX_PROTECTED_ROLE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ordinary_names_are_fine),
      cmocka_unit_test(names_that_no_role_should_have_are_refused),
      cmocka_unit_test(protected_names_are_refused),
  };

  return cmocka_run_group_tests_name("role", tests, NULL, NULL);
}
