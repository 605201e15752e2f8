/*
 * Names across issuers: namespaces, conflicts, sharing.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "identity/identity.h"

static const char two_namespaces[] =
    "[oidc \"corp\"]\nissuer = https://corp.example\naudience = db\n"
    "[oidc \"partner\"]\nissuer = https://partner.example\naudience = db\nnamespace = pt\n";

static const char shared[] =
    "[oidc \"corp\"]\nissuer = https://corp.example\naudience = db\nshared_names = yes\n"
    "[oidc \"partner\"]\nissuer = https://partner.example\naudience = db\nshared_names = yes\n";

static const char half_shared[] =
    "[oidc \"corp\"]\nissuer = https://corp.example\naudience = db\nshared_names = yes\n"
    "[oidc \"partner\"]\nissuer = https://partner.example\naudience = db\n"
    "[oidc \"third\"]\nissuer = https://third.example\naudience = db\nnamespace = x\n";

static struct cortex_identity *proved(const char *label, const char *user, const char *group) {
  struct cortex_identity *identity = NULL;

  assert_int_equal(cortex_identity_claim(user, &group, 1, &identity, NULL), CORTEX_OK);
  free(identity->label);
  identity->label = strdup(label);
  return identity;
}

static enum cortex_reason admit(const char *config, struct cortex_identity *identity) {
  struct cortex_settings *settings = NULL;
  enum cortex_reason reason;

  assert_int_equal(cortex_settings_parse("f", config, strlen(config), &settings, NULL), CORTEX_OK);
  reason = cortex_identity_admit(identity, settings, NULL);
  cortex_settings_free(&settings);
  return reason;
}

static void refused(const char *config, const char *label, const char *user, const char *group,
                    enum cortex_reason expected) {
  struct cortex_identity *identity = proved(label, user, group);

  assert_int_equal(admit(config, identity), expected);
  cortex_identity_free(&identity);
}

static void a_namespace_stands_before_user_and_groups(void **state) {
  struct cortex_identity *identity = proved("partner", "alice", "engineers");

  (void)state;
  assert_int_equal(admit(two_namespaces, identity), CORTEX_OK);
  assert_string_equal(cortex_identity_username(identity), "pt.alice");
  assert_string_equal(cortex_identity_group(identity, 0), "pt/engineers");
  cortex_identity_free(&identity);
}

static void an_issuer_without_namespace_keeps_its_names(void **state) {
  struct cortex_identity *identity = proved("corp", "alice", "engineers");

  (void)state;
  assert_int_equal(admit(two_namespaces, identity), CORTEX_OK);
  assert_string_equal(cortex_identity_username(identity), "alice");
  cortex_identity_free(&identity);
}

static void names_of_another_namespace_are_refused(void **state) {
  (void)state;
  refused(two_namespaces, "corp", "pt.alice", "g", CORTEX_NAME_CONFLICT);
  refused(two_namespaces, "corp", "alice", "pt/engineers", CORTEX_NAME_CONFLICT);
  refused(two_namespaces, "corp", "pt", "pt", CORTEX_OK);
  refused(two_namespaces, "corp", "ptx.alice", "ptx/g", CORTEX_OK);
}

static void two_issuers_of_one_namespace_must_both_agree(void **state) {
  (void)state;
  refused(shared, "corp", "alice", "g", CORTEX_OK);
  refused(half_shared, "corp", "alice", "g", CORTEX_CONFIG_INVALID);
  refused(half_shared, "partner", "alice", "g", CORTEX_CONFIG_INVALID);
  refused(half_shared, "third", "alice", "g", CORTEX_OK);
}

static void the_namespace_counts_for_the_length_of_a_name(void **state) {
  static const char name61[] = "1234567890123456789012345678901234567890123456789012345678901";

  (void)state;
  refused(two_namespaces, "corp", name61, "g", CORTEX_OK);
  refused(two_namespaces, "partner", name61, "g", CORTEX_BAD_USERNAME);
}

static void protection_holds_behind_a_namespace_too(void **state) {
  static const char config[] =
      "[oidc \"a\"]\nissuer = https://a.example\naudience = db\nnamespace = ns\n"
      "[roles]\nprotected = ns.root\n";

  (void)state;
  refused(config, "a", "root", "g", CORTEX_PROTECTED_ROLE);
  refused(config, "a", "postgres", "g", CORTEX_OK);
}

static void left_out_groups_refuse_the_login(void **state) {
  struct cortex_identity *identity = proved("corp", "alice", "g");

  (void)state;
  identity->groups_overage = true;
  assert_int_equal(admit(two_namespaces, identity), CORTEX_GROUPS_OVERAGE);
  cortex_identity_free(&identity);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_namespace_stands_before_user_and_groups),
      cmocka_unit_test(an_issuer_without_namespace_keeps_its_names),
      cmocka_unit_test(names_of_another_namespace_are_refused),
      cmocka_unit_test(two_issuers_of_one_namespace_must_both_agree),
      cmocka_unit_test(the_namespace_counts_for_the_length_of_a_name),
      cmocka_unit_test(protection_holds_behind_a_namespace_too),
      cmocka_unit_test(left_out_groups_refuse_the_login),
  };

  return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
