/*
 * The auth function: every way in and out of it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "module.h"

#include <cortexauth/clock.h>
#include <cortexauth/credential.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void allowed_login_is_success_and_silent(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);
  struct stack *stack = *state;

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
  assert_int_equal(fake_login.calls, 1);
  assert_int_equal(stack->conv.prompts, 1);
  assert_int_equal(stack->conv.messages, 0);
  assert_int_equal(fake_syslog.count, 0);
}

static void library_is_told_the_facts(void **state) {
  pam_handle_t *pamh = start(*state, "auth required @ config=/x/cortex.conf service=a\n");
  const struct cortex_clock *clock = cortex_clock_system();
  char host[256] = "";

  assert_int_equal(pam_set_item(pamh, PAM_RHOST, "192.0.2.7"), PAM_SUCCESS);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  gethostname(host, sizeof host - 1);
  assert_string_equal(fake_login.config, "/x/cortex.conf");
  assert_string_equal(fake_login.service, "a");
  assert_string_equal(fake_login.role, "alice");
  assert_string_equal(fake_login.address, "192.0.2.7");
  assert_string_equal(fake_login.host, host);
  assert_string_equal(fake_login.credential, TOKEN);
  assert_int_equal(fake_login.credential_len, strlen(TOKEN));
  assert_false(fake_login.has_database);
  assert_int_equal(fake_login.pid, getpid());
  assert_in_range(clock->now(clock) - fake_login.backend_start, 0, 600 * INT64_C(1000000));
  assert_in_range(fake_login.deadline - fake_login.asked_at, INT64_C(1000000000),
                  INT64_C(2000000000));
}

static int code_of(enum cortex_reason reason) {
  static const int codes[] = {
#define CLASS(symbol, name, pam_code, exit_code) pam_code,
#include <cortexauth/class.def>
#undef CLASS
  };

  return codes[cortex_reason_class(reason)];
}

static void every_reason_gives_its_code_and_is_told(void **state) {
  struct stack *stack = *state;
  char expected[128];
  int reason;

  for (reason = 1; reason < CORTEX_REASONS; reason++) {
    fake_login_set(CORTEX_DENY, (enum cortex_reason)reason, "because of this");
    assert_int_equal(stack_start(stack, "both", "alice"), PAM_SUCCESS);
    assert_int_equal(pam_authenticate(stack->pamh, 0), code_of((enum cortex_reason)reason));
    snprintf(expected, sizeof expected, "cortex: refused reason=%s reference=" FAKE_REFERENCE "\n",
             cortex_reason_name((enum cortex_reason)reason));
    assert_string_equal(stack->conv.text, expected);
    assert_non_null(strstr(fake_syslog.text, "because of this"));
    assert_int_equal(pam_acct_mgmt(stack->pamh, 0), PAM_PERM_DENIED);
    fake_syslog.text[0] = '\0';
  }
}

static void answers_that_contradict_themselves_are_refused(void **state) {
  static const struct {
    int effect;
    enum cortex_reason reason;
  } cases[] = {{CORTEX_ALLOW, CORTEX_INTERNAL},
               {CORTEX_ALLOW, CORTEX_POLICY_DENIED},
               {CORTEX_DENY, CORTEX_OK},
               {2, CORTEX_OK},
               {-1, CORTEX_OK},
               {CORTEX_ALLOW, CORTEX_REASONS}};
  struct stack *stack = *state;
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_login_set((enum cortex_effect)cases[i].effect, cases[i].reason, NULL);
    assert_int_equal(stack_start(stack, "both", "alice"), PAM_SUCCESS);
    assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SYSTEM_ERR);
    assert_int_equal(pam_acct_mgmt(stack->pamh, 0), PAM_PERM_DENIED);
  }
}

static void no_password(struct stack *stack, int code) {
  static const char *const lines[] = {BOTH, "auth required @ no such argument\n"};
  size_t i;

  for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    start(stack, lines[i]);
    assert_int_equal(pam_authenticate(stack->pamh, 0), code);
    assert_int_equal(stack->conv.prompts, 1);
    assert_int_equal(stack->conv.messages, 0);
  }
  assert_int_equal(fake_login.calls, 0);
  assert_int_equal(fake_syslog.count, 0);
}

static void probe_without_password_is_silent(void **state) {
  struct stack *stack = *state;

  stack->conv.answer = NULL;
  no_password(stack, PAM_CONV_ERR);
}

static void empty_password_is_silent(void **state) {
  struct stack *stack = *state;

  stack->conv.answer = "";
  no_password(stack, PAM_AUTH_ERR);
}

static void success_without_an_answer_is_silent(void **state) {
  struct stack *stack = *state;

  stack->conv.is_mute = true;
  no_password(stack, PAM_CONV_ERR);
}

static void application_without_conversation_is_refused(void **state) {
  struct stack *stack = *state;

  stack->pam_conv.conv = NULL;
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_CONV_ERR);
  assert_int_equal(fake_login.calls, 0);
  assert_int_equal(fake_syslog.count, 0);
}

static void unnamed_user_is_refused(void **state) {
  struct stack *stack = *state;

  assert_int_equal(stack_start(stack, "both", NULL), PAM_SUCCESS);
  stack->conv.answer = NULL;
  assert_int_not_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  stack->conv.answer = TOKEN;
  assert_int_equal(stack_start(stack, "both", ""), PAM_SUCCESS);
  assert_int_not_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_int_equal(fake_login.calls, 0);
}

static void broken_arguments_are_refused_and_told(void **state) {
  static const char *const arguments[] = {
      "",
      "debug",
      "service",
      "service=",
      "service=a nullok",
      "service=a service=a",
      "service=a debug=1",
      "service=a config=relative.conf",
      "service=a use_first_pass",
  };
  struct stack *stack = *state;
  char line[256];
  size_t i;

  for (i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
    snprintf(line, sizeof line, "auth required @ %s\naccount required @ %s\n", arguments[i],
             arguments[i]);
    start(stack, line);
    fake_syslog.text[0] = '\0';
    assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SERVICE_ERR);
    assert_string_equal(stack->conv.text, "cortex: refused reason=config_invalid\n");
    assert_non_null(strstr(fake_syslog.text, " in pam.d: "));
    assert_int_equal(pam_acct_mgmt(stack->pamh, 0), PAM_PERM_DENIED);
  }
  assert_int_equal(fake_login.calls, 0);
}

static void one_prompt_serves_the_whole_stack(void **state) {
  struct stack *stack = *state;

  fake_login_set(CORTEX_DENY, CORTEX_TOKEN_EXPIRED, NULL);
  start(stack, "auth sufficient @ service=a\nauth required @ service=b\n");
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_AUTH_ERR);
  assert_int_equal(fake_login.calls, 2);
  assert_int_equal(stack->conv.prompts, 1);
  assert_string_equal(fake_login.credential, TOKEN);
}

static void credential_above_the_limit_is_refused(void **state) {
  struct stack *stack = *state;
  char *token = malloc(CORTEX_CREDENTIAL_MAX + 2);

  assert_non_null(token);
  memset(token, 'a', CORTEX_CREDENTIAL_MAX + 1);
  token[CORTEX_CREDENTIAL_MAX + 1] = '\0';
  stack->conv.answer = token;
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_AUTH_ERR);
  assert_non_null(strstr(stack->conv.text, "reason=too_large"));
  assert_int_equal(pam_acct_mgmt(stack->pamh, 0), PAM_PERM_DENIED);
  token[CORTEX_CREDENTIAL_MAX] = '\0';
  start(stack, BOTH);
  assert_int_equal(pam_authenticate(stack->pamh, 0), PAM_SUCCESS);
  assert_int_equal(fake_login.credential_len, CORTEX_CREDENTIAL_MAX);
  free(token);
}

static void refused_login_forgets_an_earlier_allow(void **state) {
  pam_handle_t *pamh = start(*state, BOTH);
  struct stack *stack = *state;

  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  fake_login_set(CORTEX_DENY, CORTEX_POLICY_DENIED, NULL);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_PERM_DENIED);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
  fake_login_set(CORTEX_ALLOW, CORTEX_OK, NULL);
  assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
  stack->conv.answer = NULL;
  assert_int_equal(pam_authenticate(pamh, 0), PAM_CONV_ERR);
  assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
}

static size_t open_descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  size_t count = 0;

  assert_non_null(folder);
  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

static void no_descriptor_stays_open(void **state) {
  struct stack *stack = *state;
  size_t before;
  int round;

  assert_int_equal(stack_start(stack, "both", "alice"), PAM_SUCCESS);
  before = open_descriptors();
  for (round = 0; round < 2; round++) {
    fake_login_set(round == 0 ? CORTEX_ALLOW : CORTEX_DENY, round == 0 ? CORTEX_OK : CORTEX_REVOKED,
                   NULL);
    (void)pam_authenticate(stack->pamh, 0);
    (void)pam_acct_mgmt(stack->pamh, 0);
    assert_int_equal(open_descriptors(), before);
  }
}

static void only_service_functions_are_exported(void **state) {
  static const char *const exported[] = {"pam_sm_authenticate", "pam_sm_setcred",
                                         "pam_sm_acct_mgmt", "pam_sm_open_session",
                                         "pam_sm_close_session"};
  static const char *const hidden[] = {"pam_sm_chauthtok", "cx_args_parse", "cx_call_login",
                                       "cx_report"};
  char path[512];
  void *module;
  size_t i;

  (void)state;
  snprintf(path, sizeof path, "%s/pam_cortex/.libs/pam_cortex.so", getenv("top_builddir"));
  module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  assert_non_null(module);
  for (i = 0; i < sizeof exported / sizeof exported[0]; i++)
    assert_non_null(dlsym(module, exported[i]));
  for (i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
    assert_null(dlsym(module, hidden[i]));
  dlclose(module);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      module_test(allowed_login_is_success_and_silent),
      module_test(library_is_told_the_facts),
      module_test(every_reason_gives_its_code_and_is_told),
      module_test(answers_that_contradict_themselves_are_refused),
      module_test(probe_without_password_is_silent),
      module_test(empty_password_is_silent),
      module_test(success_without_an_answer_is_silent),
      module_test(application_without_conversation_is_refused),
      module_test(unnamed_user_is_refused),
      module_test(broken_arguments_are_refused_and_told),
      module_test(one_prompt_serves_the_whole_stack),
      module_test(credential_above_the_limit_is_refused),
      module_test(refused_login_forgets_an_earlier_allow),
      module_test(no_descriptor_stays_open),
      module_test(only_service_functions_are_exported),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
