/*
 * Stacks of pam.d lines: what account, setcred and session say after which auth.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "module.h"

static void auth_permit_with_our_account_stays_shut(void **state) {
  pam_handle_t *pamh = start(*state, "auth required pam_permit.so\naccount required @ service=a\n");

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  assert_int_equal(fake_login.calls, 0);
}

static void our_auth_with_account_permit_stays_shut(void **state) {
  pam_handle_t *pamh = start(*state, "auth required @ service=a\naccount required pam_permit.so\n");

  fake_login_set(CORTEX_DENY, CORTEX_SIGNATURE_INVALID, NULL);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
}

static void optional_auth_does_not_open_account(void **state) {
  pam_handle_t *pamh = start(*state, "auth optional @ service=a\nauth required pam_permit.so\n"
                                     "account required @ service=a\n");

  fake_login_set(CORTEX_DENY, CORTEX_SIGNATURE_INVALID, NULL);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
}

static void account_alone_is_denied(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);

  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  assert_non_null(strstr(fake_syslog.text, "no login was allowed on this handle"));
}

static void account_on_another_handle_is_denied(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  pamh = start(*state, BOTH);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
}

static void account_for_another_user_is_denied(void **state) {
  static const char *const users[] = {"bob", "alic", "alice ", "Alice", ""};
  pam_handle_t *pamh = start(*state, BOTH);
  size_t i;

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  for (i = 0; i < sizeof users / sizeof users[0]; i++) {
    assert_int_equal(pam_set_item(pamh, PAM_USER, users[i]), PAM_SUCCESS);
    assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  }
  assert_int_equal(pam_set_item(pamh, PAM_USER, NULL), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  assert_int_equal(pam_set_item(pamh, PAM_USER, "alice"), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
}

static void account_of_another_service_is_denied(void **state) {
  static const char *const lines[] = {
      "auth required @ service=a\naccount required @ service=b\n",
      "auth required @ service=b\naccount required @ service=a\n",
      "auth required @ service=a\naccount required @ service=a config=/x\n",
      "auth required @ service=a config=/y\naccount required @ service=a config=/x\n",
  };
  size_t i;

  for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    pam_handle_t *pamh = start(*state, lines[i]);

    assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
    assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  }
}

static void account_of_another_pam_service_is_denied(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_set_item(pamh, PAM_SERVICE, "both"), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  assert_int_equal(pam_set_item(pamh, PAM_SERVICE, "service"), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
}

static void account_ignores_debug(void **state) {
  pam_handle_t *pamh =
      start(*state, "auth required @ service=a\naccount required @ service=a debug\n");

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
  assert_int_equal(fake_syslog.count, 0);
}

static void setcred_and_session_follow_the_verdict(void **state) {
  static const char lines[] = BOTH "session required @ service=a\n";
  pam_handle_t *pamh = start(*state, lines);

  assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_CRED_UNAVAIL);
  assert_int_equal(pam_open_session(pamh, 0), PAM_SESSION_ERR);
  assert_int_equal(pam_close_session(pamh, 0), PAM_SESSION_ERR);
  pamh = start(*state, lines);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
  assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_setcred(pamh, PAM_DELETE_CRED), PAM_SUCCESS);
}

static void setcred_after_a_refusal_fails(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);

  fake_login_set(CORTEX_DENY, CORTEX_TOKEN_EXPIRED, NULL);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
  assert_int_not_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
}

static void passwords_cannot_be_changed(void **state) {
  pam_handle_t *pamh = start(*state, "password required @ service=a\n");

  assert_int_not_equal(pam_chauthtok(pamh, 0), PAM_SUCCESS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      module_test(auth_permit_with_our_account_stays_shut),
      module_test(our_auth_with_account_permit_stays_shut),
      module_test(optional_auth_does_not_open_account),
      module_test(account_alone_is_denied),
      module_test(account_on_another_handle_is_denied),
      module_test(account_for_another_user_is_denied),
      module_test(account_of_another_service_is_denied),
      module_test(account_of_another_pam_service_is_denied),
      module_test(account_ignores_debug),
      module_test(setcred_and_session_follow_the_verdict),
      module_test(setcred_after_a_refusal_fails),
      module_test(passwords_cannot_be_changed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
