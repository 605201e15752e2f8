/*
 * Revocations: what was revoked is refused at once, and nothing else; damage never lifts one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/revocation.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "identity/identity.h"
#include "statefolder.h"

#define ISSUER "https://a.example"
#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct cortex_identity who(const char *issuer, const char *subject, const char *sid,
                                  const char *token_id) {
  struct cortex_identity identity = {
      .issuer = (char *)issuer, .subject = (char *)subject, .sid = (char *)sid};

  if (token_id != NULL)
    memcpy(identity.token_id, token_id, sizeof identity.token_id);
  return identity;
}

static enum cortex_reason check(struct statefolder *folder, const char *issuer,
                                const char *subject, const char *sid, const char *token_id) {
  struct cortex_identity identity = who(issuer, subject, sid, token_id);

  return cortex_revocation_check(folder->settings, &identity, NULL);
}

static bool put(struct statefolder *folder, enum cortex_revocation_kind kind, const char *issuer,
                   const char *value, int64_t until) {
  const struct cortex_revocation revocation = {kind, issuer, value, "root", 1700000000, until};
  bool existed = false;

  assert_int_equal(cortex_revocation_put(folder->settings, &revocation, folder->wait.clock,
                                         &existed, NULL),
                   CORTEX_OK);
  return existed;
}

static bool lift(struct statefolder *folder, enum cortex_revocation_kind kind, const char *issuer,
                 const char *value) {
  const struct cortex_revocation revocation = {.kind = kind, .issuer = issuer, .value = value};
  bool existed = false;

  assert_int_equal(cortex_revocation_lift(folder->settings, &revocation, &existed, NULL),
                   CORTEX_OK);
  return existed;
}

static void each_kind_refuses_what_it_names_and_nothing_else(void **state) {
  struct statefolder *folder = *state;

  assert_int_equal(check(folder, ISSUER, "alice", "s1", TOKEN), CORTEX_OK);
  assert_false(put(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "alice", 0));
  assert_int_equal(check(folder, ISSUER, "alice", "s1", TOKEN), CORTEX_REVOKED);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, NULL), CORTEX_REVOKED);
  assert_int_equal(check(folder, ISSUER, "Alice", "s1", TOKEN), CORTEX_OK);
  assert_int_equal(check(folder, ISSUER "2", "alice", "s1", TOKEN), CORTEX_OK);
  assert_true(put(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "alice", 0));
  assert_true(lift(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "alice"));
  assert_false(lift(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "alice"));
  assert_int_equal(check(folder, ISSUER, "alice", "s1", TOKEN), CORTEX_OK);

  put(folder, CORTEX_REVOCATION_SID, ISSUER, "s1", 0);
  assert_int_equal(check(folder, ISSUER, "alice", "s1", TOKEN), CORTEX_REVOKED);
  assert_int_equal(check(folder, ISSUER, "bob", "s1", OTHER), CORTEX_REVOKED);
  assert_int_equal(check(folder, ISSUER, "s1", "alice", TOKEN), CORTEX_OK);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, TOKEN), CORTEX_OK);
  assert_int_equal(check(folder, ISSUER "2", "alice", "s1", TOKEN), CORTEX_OK);

  put(folder, CORTEX_REVOCATION_TOKEN, ISSUER, TOKEN, 0);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, TOKEN), CORTEX_REVOKED);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, OTHER), CORTEX_OK);
}

/* A transient NameID is gone with its session; who a username belongs to is not. */
static void who_is_called_otherwise_in_each_session_stays_revoked(void **state) {
  struct statefolder *folder = *state;
  struct cortex_identity identity = who(ISSUER, "_transient", NULL, NULL);

  identity.owner = (char *)"alice@example.com";
  put(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "alice@example.com", 0);
  assert_int_equal(cortex_revocation_check(folder->settings, &identity, NULL), CORTEX_REVOKED);
  lift(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "alice@example.com");
  assert_int_equal(cortex_revocation_check(folder->settings, &identity, NULL), CORTEX_OK);
  put(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "_transient", 0);
  assert_int_equal(cortex_revocation_check(folder->settings, &identity, NULL), CORTEX_REVOKED);
}

/* "a" + "bc" and "ab" + "c": the same bytes side by side, and still two subjects. */
static void issuer_and_subject_are_never_confused(void **state) {
  put(*state, CORTEX_REVOCATION_SUBJECT, "https://a", "b/c", 0);
  assert_int_equal(check(*state, "https://a/b", "/c", NULL, NULL), CORTEX_OK);
  assert_int_equal(check(*state, "https://ab", "/c", NULL, NULL), CORTEX_OK);
  assert_int_equal(check(*state, "https://a", "b/c", NULL, NULL), CORTEX_REVOKED);
}

static void a_missing_or_untrusted_folder_refuses(void **state) {
  struct statefolder *folder = *state;
  char *path = strdup(statefolder_name(folder, CX_STATE_REVOKED, NULL));

  chmod(path, 0777);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, NULL), CORTEX_STATE_UNAVAILABLE);
  rmdir(path);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, NULL), CORTEX_STATE_UNAVAILABLE);
  free(path);
}

/* Whatever stands under the name revokes: nothing an accident makes of the file lifts it. */
/* A folder that can be listed and not entered: whether something is there is not known. */
static void what_cannot_be_looked_for_refuses(void **state) {
  struct statefolder *folder = *state;
  const char *path = statefolder_name(folder, CX_STATE_REVOKED, NULL);
  int status;
  pid_t child;

  if (geteuid() != 0)
    skip();
  assert_int_equal(chmod(folder->path, 0755), 0);
  assert_int_equal(chown(path, 1000, 1000), 0);
  assert_int_equal(chmod(path, 0400), 0);
  child = fork();
  if (child == 0)
    _exit(setgid(1000) != 0 || setuid(1000) != 0
              ? 255
              : (int)check(folder, ISSUER, "alice", NULL, NULL));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), CORTEX_STATE_UNAVAILABLE);
}

static void damage_does_not_lift(void **state) {
  struct statefolder *folder = *state;
  struct cortex_error error = CORTEX_ERROR_NONE;
  static const char name[] = "token-" TOKEN;
  int visits = 0;

  statefolder_put(folder, CX_STATE_REVOKED, name, "", 0);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, TOKEN), CORTEX_REVOKED);
  assert_int_equal(cortex_revocation_each(folder->settings, NULL, &visits, &error),
                   CORTEX_STATE_UNAVAILABLE);
  assert_non_null(strstr(error.source, name));
  unlink(statefolder_name(folder, CX_STATE_REVOKED, name));
  assert_int_equal(symlink("nowhere", statefolder_name(folder, CX_STATE_REVOKED, name)), 0);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, TOKEN), CORTEX_REVOKED);
  unlink(statefolder_name(folder, CX_STATE_REVOKED, name));
  assert_int_equal(mkdir(statefolder_name(folder, CX_STATE_REVOKED, name), 0700), 0);
  assert_int_equal(check(folder, ISSUER, "alice", NULL, TOKEN), CORTEX_REVOKED);
}

static void what_cannot_be_revoked_is_told(void **state) {
  static const struct cortex_revocation cases[] = {
      {.kind = CORTEX_REVOCATION_SUBJECT, .issuer = ISSUER, .value = ""},
      {.kind = CORTEX_REVOCATION_SUBJECT, .issuer = "", .value = "alice"},
      {.kind = CORTEX_REVOCATION_SUBJECT, .issuer = NULL, .value = "alice"},
      {.kind = CORTEX_REVOCATION_SUBJECT, .issuer = ISSUER, .value = "al\xffice"},
      {.kind = CORTEX_REVOCATION_KINDS, .issuer = ISSUER, .value = "alice"},
      {.kind = CORTEX_REVOCATION_TOKEN, .issuer = ISSUER, .value = "abc"},
      {.kind = CORTEX_REVOCATION_TOKEN, .issuer = ISSUER, .value = "../../../../../etc/passwd"},
      {.kind = CORTEX_REVOCATION_TOKEN, .issuer = ISSUER, .value = TOKEN "0"},
      {.kind = CORTEX_REVOCATION_TOKEN,
       .issuer = ISSUER,
       .value = "A123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
  };
  struct statefolder *folder = *state;
  bool existed;
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(cortex_revocation_put(folder->settings, &cases[i], folder->wait.clock,
                                           &existed, NULL),
                     CORTEX_MALFORMED);
    assert_int_equal(cortex_revocation_lift(folder->settings, &cases[i], &existed, NULL),
                     CORTEX_MALFORMED);
  }
}

struct list {
  int count;
  struct cortex_revocation last;
  char value[256];
};

static void take(void *context, const struct cortex_revocation *revocation) {
  struct list *list = context;

  list->count++;
  list->last = *revocation;
  snprintf(list->value, sizeof list->value, "%s|%s|%s", revocation->issuer, revocation->value,
           revocation->by);
}

static void the_list_says_what_when_and_who(void **state) {
  struct statefolder *folder = *state;
  struct list list = {0};

  put(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "a\"l\\ice", 0);
  assert_int_equal(cortex_revocation_each(folder->settings, take, &list, NULL), CORTEX_OK);
  assert_int_equal(list.count, 1);
  assert_string_equal(list.value, ISSUER "|a\"l\\ice|root");
  assert_int_equal(list.last.kind, CORTEX_REVOCATION_SUBJECT);
  assert_int_equal(list.last.since, 1700000000);
}

static void what_has_ended_is_forgotten_with_the_next_change(void **state) {
  struct statefolder *folder = *state;
  int64_t now = folder->wait.clock->now(folder->wait.clock) / 1000000;
  struct list list = {0};

  put(folder, CORTEX_REVOCATION_TOKEN, ISSUER, TOKEN, now - 10);
  assert_int_equal(check(folder, ISSUER, "a", NULL, TOKEN), CORTEX_OK);
  put(folder, CORTEX_REVOCATION_TOKEN, ISSUER, TOKEN, now + 1000);
  put(folder, CORTEX_REVOCATION_SUBJECT, ISSUER, "bob", 0);
  assert_int_equal(check(folder, ISSUER, "a", NULL, TOKEN), CORTEX_REVOKED);
  assert_int_equal(cortex_revocation_each(folder->settings, take, &list, NULL), CORTEX_OK);
  assert_int_equal(list.count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, statefolder_setup, statefolder_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(each_kind_refuses_what_it_names_and_nothing_else),
      TEST(who_is_called_otherwise_in_each_session_stays_revoked),
      TEST(issuer_and_subject_are_never_confused),
      TEST(a_missing_or_untrusted_folder_refuses),
      TEST(what_cannot_be_looked_for_refuses),
      TEST(damage_does_not_lift),
      TEST(what_cannot_be_revoked_is_told),
      TEST(the_list_says_what_when_and_who),
      TEST(what_has_ended_is_forgotten_with_the_next_change),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
