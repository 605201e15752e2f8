/*
 * The identity: claimed ones, and what callers may read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "identity/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_claimed_identity_says_so(void **state) {
  static const char *const groups[] = {"eng", "ops"};
  struct cortex_identity *identity;

  (void)state;
  assert_int_equal(cortex_identity_claim("alice", groups, 2, &identity, NULL), CORTEX_OK);
  assert_string_equal(cortex_identity_kind(identity), "");
  assert_string_equal(cortex_identity_issuer(identity), "");
  assert_string_equal(cortex_identity_label(identity), "");
  assert_string_equal(cortex_identity_subject(identity), "");
  assert_string_equal(cortex_identity_username(identity), "alice");
  assert_int_equal(cortex_identity_group_count(identity), 2);
  assert_string_equal(cortex_identity_group(identity, 0), "eng");
  assert_string_equal(cortex_identity_group(identity, 1), "ops");
  assert_null(cortex_identity_group(identity, 2));
  assert_true(cortex_identity_groups_known(identity));
  assert_int_equal(cortex_identity_usable_until(identity), 0);
  cortex_identity_free(&identity);
  assert_null(identity);
}

static void no_groups_are_known_to_be_none(void **state) {
  struct cortex_identity *identity;

  (void)state;
  assert_int_equal(cortex_identity_claim("alice", NULL, 0, &identity, NULL), CORTEX_OK);
  assert_int_equal(cortex_identity_group_count(identity), 0);
  assert_null(cortex_identity_group(identity, 0));
  assert_true(cortex_identity_groups_known(identity));
  cortex_identity_free(&identity);
}

static void odd_usernames_cannot_be_claimed(void **state) {
  static const char *const names[] = {"", "a\nb", "\xff", "a\xc2\x9f"};
  struct cortex_identity *identity;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    assert_int_equal(cortex_identity_claim(names[i], NULL, 0, &identity, NULL),
                     CORTEX_BAD_USERNAME);
    assert_null(identity);
  }
}

static void odd_groups_cannot_be_claimed(void **state) {
  static const char *const groups[][2] = {{"eng", ""}, {"a\tb", "c"}, {"x", "\xc0\xaf"}};
  struct cortex_identity *identity;
  struct cortex_error error;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    error = (struct cortex_error)CORTEX_ERROR_NONE;
    assert_int_equal(cortex_identity_claim("alice", groups[i], 2, &identity, &error),
                     CORTEX_CLAIM_MISMATCH);
    assert_null(identity);
    assert_non_null(strstr(error.message, "group"));
  }
}

static void freeing_nothing_is_fine(void **state) {
  struct cortex_identity *identity = NULL;

  (void)state;
  cortex_identity_free(NULL);
  cortex_identity_free(&identity);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_claimed_identity_says_so),
      cmocka_unit_test(no_groups_are_known_to_be_none),
      cmocka_unit_test(odd_usernames_cannot_be_claimed),
      cmocka_unit_test(odd_groups_cannot_be_claimed),
      cmocka_unit_test(freeing_nothing_is_fine),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
