/*
 * Inside and outside PostgreSQL: title, address, and the line that is told.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "module.h"

#include <stdlib.h>
#include <syslog.h>

#include "proctitle.h"

#define BACKEND "postgres: alice appdb 192.0.2.7(44832) authentication"

static int enter_postgres(void **state) {
  return proctitle_set(BACKEND) ? setup(state) : -1;
}

static int leave_postgres(void **state) {
  proctitle_set("test_report");
  proctitle_set_program("test_report");
  return teardown(state);
}

static void backend_tells_its_database(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_true(fake_login.has_database);
  assert_string_equal(fake_login.database, "appdb");
}

static void unreadable_title_never_opens(void **state) {
  static const char *const titles[] = {
      "postgres: alice appdb 192.0.2.7(44832) auth",
      "postgres: walsender alice appdb 192.0.2.7(44832) authentication",
      "postgres: bob appdb 192.0.2.7(44832) authentication",
      "postgres: alice x: alice appdb [local] ",
      "postgres: ",
  };
  struct stack *stack = *state;
  size_t i;

  for (i = 0; i < sizeof titles / sizeof titles[0]; i++) {
    fake_login_set(CORTEX_ALLOW, CORTEX_OK, NULL);
    assert_true(proctitle_set(titles[i]));
    start(stack, BOTH);
    assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_PERM_DENIED);
    assert_true(fake_login.has_database);
    assert_string_equal(fake_login.database, "");
    assert_non_null(strstr(stack->conv.text, "reason=service_mismatch reference=" FAKE_REFERENCE));
    assert_int_equal(pam_acct_mgmt(stack->pamh, 0), PAM_PERM_DENIED);
  }
}

static void server_program_without_title_never_opens(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);

  assert_true(proctitle_set("/usr/lib/postgresql/15/bin/postgres"));
  assert_true(proctitle_set_program("postgres"));
  assert_int_equal(pam_authenticate(pamh, 0), PAM_PERM_DENIED);
  assert_string_equal(fake_login.database, "");
}

static void backend_tells_the_whole_line_by_conversation(void **state) {
  struct stack *stack = *state;

  fake_login_set(CORTEX_DENY, CORTEX_POLICY_DENIED, "no permit applies");
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_PERM_DENIED);
  assert_string_equal(stack->conv.text,
                      "cortex: refused reason=policy_denied reference=" FAKE_REFERENCE
                      " service=\"a\" role=\"alice\": no permit applies\n");
  assert_int_equal(stack->conv.messages, 1);
  assert_int_equal(fake_syslog.count, 0);
}

static void reason_without_words_gets_its_sentence(void **state) {
  struct stack *stack = *state;

  fake_login_set(CORTEX_DENY, CORTEX_TOKEN_EXPIRED, NULL);
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_AUTH_ERR);
  assert_non_null(strstr(stack->conv.text, cortex_reason_sentence(CORTEX_TOKEN_EXPIRED)));
}

static void other_programs_tell_people_only_the_reference(void **state) {
  struct stack *stack = *state;

  assert_true(proctitle_set("sshd: alice [priv]"));
  fake_login_set(CORTEX_DENY, CORTEX_CONFIG_INVALID, "secret/path.conf:7: wrong");
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SERVICE_ERR);
  assert_string_equal(stack->conv.text,
                      "cortex: refused reason=config_invalid reference=" FAKE_REFERENCE "\n");
  assert_non_null(strstr(fake_syslog.text, "secret/path.conf:7: wrong"));
  assert_int_equal(fake_syslog.priority & LOG_PRIMASK, LOG_NOTICE);
  assert_false(fake_login.has_database);
}

static void pam_silent_leaves_the_conversation_alone(void **state) {
  struct stack *stack = *state;

  fake_login_set(CORTEX_DENY, CORTEX_POLICY_DENIED, NULL);
  start(stack, "auth required @ service=a debug\naccount required @ service=a\n");
  assert_int_equal(pam_authenticate(stack->pamh, PAM_SILENT), PAM_PERM_DENIED);
  assert_int_equal(pam_acct_mgmt(stack->pamh, PAM_SILENT), PAM_PERM_DENIED);
  assert_int_equal(stack->conv.messages, 0);
  assert_int_equal(fake_syslog.count, 2);
  fake_login_set(CORTEX_ALLOW, CORTEX_OK, NULL);
  assert_int_equal(pam_authenticate(stack->pamh, PAM_SILENT), PAM_SUCCESS);
  assert_int_equal(stack->conv.messages, 0);
}

static void debug_tells_an_allowed_login(void **state) {
  struct stack *stack = *state;

  start(stack, "auth required @ service=a debug\n");
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_string_equal(stack->conv.text,
                      "cortex: allowed reference=" FAKE_REFERENCE " service=\"a\" role=\"alice\""
                      " levels=read,write session_until=1900000000\n");
  assert_true(proctitle_set("sshd: alice [priv]"));
  start(stack, "auth required @ service=a debug\n");
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_int_equal(stack->conv.messages, 0);
  assert_non_null(strstr(fake_syslog.text, "cortex: allowed reference=" FAKE_REFERENCE));
  assert_int_equal(fake_syslog.priority & LOG_PRIMASK, LOG_DEBUG);
}

/* Also of a login that is allowed without a word, and behind the line of one that is refused. */
static void notice_is_told_whatever_the_answer(void **state) {
  static const char line[] = "cortex: the policies' text is read at each login: /c/policy.image: "
                             "is older\\x0athan\n";
  struct stack *stack = *state;
  const char *told;
  int answer;

  for (answer = CORTEX_DENY; answer <= CORTEX_ALLOW; answer++) {
    fake_login_set((enum cortex_effect)answer,
                   answer == CORTEX_ALLOW ? CORTEX_OK : CORTEX_POLICY_DENIED, NULL);
    fake_login.answer.notice =
        (struct cortex_error){CORTEX_POLICY_UNAVAILABLE, 0, 0, "/c/policy.image", "is older\nthan"};
    start(stack, BOTH);
    pam_authenticate(stack->pamh, 0);
    pam_acct_mgmt(stack->pamh, 0);
    told = strstr(stack->conv.text, line);
    assert_true(told != NULL && (told == stack->conv.text) == (answer == CORTEX_ALLOW));
    assert_null(strstr(told + strlen(line), "read at each login"));
    assert_int_equal(stack->conv.messages, answer == CORTEX_ALLOW ? 1 : 3);
    assert_int_equal(fake_syslog.count, 0);
  }
  assert_true(proctitle_set("sshd: alice [priv]"));
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_int_equal(stack->conv.messages, 0);
  assert_non_null(strstr(fake_syslog.text, line));
  assert_int_equal(fake_syslog.priority & LOG_PRIMASK, LOG_WARNING);
}

static void lost_record_is_told(void **state) {
  static const char line[] = "cortex: no record was kept of reference=" FAKE_REFERENCE
                             ": /v/audit.jsonl: disk full\n";
  struct stack *stack = *state;

  fake_login.answer.notice =
      (struct cortex_error){CORTEX_AUDIT_UNAVAILABLE, 0, 0, "/v/audit.jsonl", "disk full"};
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_string_equal(stack->conv.text, line);
}

static void names_and_messages_cannot_forge_a_line(void **state) {
  struct stack *stack = *state;

  assert_true(proctitle_set("sshd"));
  fake_login_set(CORTEX_DENY, CORTEX_BAD_USERNAME, "claim a\nb\x1b[2J\xe2\x80\xae\\");
  assert_true(stack_service(stack, "service", BOTH));
  assert_int_equal(stack_start(stack, "service", "a\nLOG: \"x\"\\\xc3\xa9\x7f"), PAM_SUCCESS);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_PERM_DENIED);
  assert_non_null(strstr(fake_syslog.text, " role=\"a\\x0aLOG: \\x22x\\x22\\x5c\\xc3\\xa9\\x7f\": "
                                           "claim a\\x0ab\\x1b[2J\\xe2\\x80\\xae\\x5c\n"));
}

/* A person may give the credential where the program asks for the name. */
static void name_that_is_too_long_is_cut_and_goes_nowhere(void **state) {
  static const size_t sizes[] = {63, 64, 100000};
  struct stack *stack = *state;
  char *name = malloc(100001);
  size_t i;

  assert_non_null(name);
  assert_true(proctitle_set("sshd"));
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    memset(name, '\n', sizes[i]);
    name[sizes[i]] = '\0';
    fake_login_set(CORTEX_DENY, CORTEX_BAD_USERNAME, NULL);
    assert_int_equal(stack_start(stack, "both", name), PAM_SUCCESS);
    assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_PERM_DENIED);
    assert_int_equal(fake_login.calls, sizes[i] == 63);
    assert_int_equal(strstr(fake_syslog.text, "longer than a role's") != NULL, sizes[i] > 63);
    assert_in_range(strlen(fake_syslog.text), 4 * 63, 4 * 63 + 200);
    fake_login.calls = 0;
    memset(&fake_syslog, 0, sizeof fake_syslog);
  }
  free(name);
}

static void no_line_holds_the_credential(void **state) {
  static const char *const lines[] = {"auth required @ service=a debug\n",
                                      "auth required @ service=a tokenmarke\n"};
  struct stack *stack = *state;
  int effect;
  size_t i;

  for (effect = CORTEX_DENY; effect <= CORTEX_ALLOW; effect++) {
    for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
      fake_login_set((enum cortex_effect)effect, effect ? CORTEX_OK : CORTEX_MALFORMED, NULL);
      start(stack, lines[i]);
      (void)pam_authenticate(stack->pamh, 0);
      assert_null(strstr(stack->conv.text, "tokenmarker"));
      assert_null(strstr(fake_syslog.text, "tokenmarker"));
    }
  }
}

static void address(struct stack *stack, const char *rhost, const char *expected) {
  start(stack, BOTH);
  fake_login_set(CORTEX_ALLOW, CORTEX_OK, NULL);
  assert_int_equal(pam_set_item(stack->pamh, PAM_RHOST, rhost), PAM_SUCCESS);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_int_equal(fake_login.has_address, expected != NULL);
  assert_string_equal(fake_login.address, expected != NULL ? expected : "");
}

static void client_is_local_or_has_an_address(void **state) {
  address(*state, NULL, NULL);
  address(*state, "", NULL);
  address(*state, "unix", NULL);
  address(*state, "::1", "::1");
  address(*state, "198.51.100.9", "198.51.100.9");
}

static void host_name_falls_back_to_the_title(void **state) {
  address(*state, "client.example", "192.0.2.7");
}

static void host_name_without_address_is_refused(void **state) {
  static const char *const titles[] = {
      "postgres: alice appdb client.example(44832) authentication",
      "postgres: alice appdb [local] authentication",
      "postgres: alice appdb",
      "sshd: alice [priv]",
  };
  struct stack *stack = *state;
  size_t i;

  for (i = 0; i < sizeof titles / sizeof titles[0]; i++) {
    assert_true(proctitle_set(titles[i]));
    start(stack, BOTH);
    assert_int_equal(pam_set_item(stack->pamh, PAM_RHOST, "client.example"), PAM_SUCCESS);
    assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SERVICE_ERR);
    assert_int_equal(strstr(titles[i], "postgres: ") != NULL,
                     strstr(stack->conv.text, "pg_hba.conf") != NULL);
    assert_int_equal(strstr(titles[i], "postgres: ") == NULL,
                     strstr(fake_syslog.text, "as the program sets it") != NULL);
    assert_int_equal(pam_acct_mgmt(stack->pamh, 0), PAM_PERM_DENIED);
  }
  assert_int_equal(fake_login.calls, 0);
}

#define postgres_test(function)                                                                    \
  cmocka_unit_test_setup_teardown(function, enter_postgres, leave_postgres)

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      postgres_test(backend_tells_its_database),
      postgres_test(unreadable_title_never_opens),
      postgres_test(server_program_without_title_never_opens),
      postgres_test(backend_tells_the_whole_line_by_conversation),
      postgres_test(reason_without_words_gets_its_sentence),
      postgres_test(other_programs_tell_people_only_the_reference),
      postgres_test(pam_silent_leaves_the_conversation_alone),
      postgres_test(debug_tells_an_allowed_login),
      postgres_test(notice_is_told_whatever_the_answer),
      postgres_test(lost_record_is_told),
      postgres_test(names_and_messages_cannot_forge_a_line),
      postgres_test(name_that_is_too_long_is_cut_and_goes_nowhere),
      postgres_test(no_line_holds_the_credential),
      postgres_test(client_is_local_or_has_an_address),
      postgres_test(host_name_falls_back_to_the_title),
      postgres_test(host_name_without_address_is_refused),
  };

  if (!proctitle_init(argc, argv))
    return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
