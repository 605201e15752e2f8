/*
 * Bindings: a username belongs to the first subject, and to no other until an operator says so.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/binding.h"

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

#include "failing.h"
#include "identity/identity.h"
#include "statefolder.h"

#define A "https://a.example"
#define B "https://b.example"

static struct cortex_identity who(const char *username, const char *issuer, const char *subject) {
  return (struct cortex_identity){
      .username = (char *)username, .issuer = (char *)issuer, .subject = (char *)subject};
}

static enum cortex_reason check(struct statefolder *folder, const char *username,
                                const char *issuer, const char *subject, bool *is_bound_out) {
  struct cortex_identity identity = who(username, issuer, subject);

  return cortex_binding_check(folder->settings, &identity, is_bound_out, NULL);
}

static enum cortex_reason claim(struct statefolder *folder, const char *username,
                                const char *issuer, const char *subject, bool *bound_out) {
  struct cortex_identity identity = who(username, issuer, subject);

  return cx_binding_claim(folder->settings, &identity, 1700000000, &folder->wait, bound_out, NULL);
}

/* What a login does: it asks, is allowed, and takes the name. */
static enum cortex_reason login(struct statefolder *folder, const char *username,
                                const char *issuer, const char *subject) {
  bool is_bound, bound;
  enum cortex_reason reason = check(folder, username, issuer, subject, &is_bound);

  if (reason != CORTEX_OK || is_bound)
    return reason;
  return claim(folder, username, issuer, subject, &bound);
}

static void the_first_subject_owns_the_name(void **state) {
  bool is_bound, bound;

  assert_int_equal(check(*state, "alice", A, "1", &is_bound), CORTEX_OK);
  assert_false(is_bound);
  assert_int_equal(claim(*state, "alice", A, "1", &bound), CORTEX_OK);
  assert_true(bound);
  assert_int_equal(claim(*state, "alice", A, "1", &bound), CORTEX_OK);
  assert_false(bound);
  assert_int_equal(check(*state, "alice", A, "1", &is_bound), CORTEX_OK);
  assert_true(is_bound);
  assert_int_equal(check(*state, "alice", A, "2", &is_bound), CORTEX_SUBJECT_MISMATCH);
  assert_false(is_bound);
  assert_int_equal(claim(*state, "alice", A, "2", &bound), CORTEX_SUBJECT_MISMATCH);
  assert_false(bound);
}

/* To ask is not to take: a login that is denied later leaves the name to others. */
static void asking_takes_nothing(void **state) {
  bool is_bound;

  assert_int_equal(check(*state, "alice", A, "1", &is_bound), CORTEX_OK);
  assert_int_equal(login(*state, "alice", B, "9"), CORTEX_OK);
  assert_int_equal(check(*state, "alice", A, "1", &is_bound), CORTEX_SUBJECT_MISMATCH);
}

/* Pairs that a careless comparison would take for one another. */
static void two_people_never_become_one_role(void **state) {
  static const struct {
    const char *issuer, *subject;
  } others[] = {
      {B, "1"}, {A, "2"}, {A, "1 "}, {A, "01"}, {A, "1\",\"x\":\"y"}, {A "/", "1"}, {A, "\xef\xbc\x91"},
      {"HTTPS://A.EXAMPLE", "1"}, {A "\",\"subject\":\"1", "1"}, {"", "1"}, {A, "1\n"},
  };
  size_t i;

  assert_int_equal(login(*state, "alice", A, "1"), CORTEX_OK);
  for (i = 0; i < sizeof others / sizeof others[0]; i++)
    assert_int_equal(login(*state, "alice", others[i].issuer, others[i].subject),
                     CORTEX_SUBJECT_MISMATCH);
  assert_int_equal(login(*state, "alice", A, "1"), CORTEX_OK);
}

/* Names that look or sort alike are different roles, each with its own owner and file. */
static void names_are_told_apart_by_their_bytes(void **state) {
  static const char *const names[] = {
      "alice", "Alice", "ALICE", "alice ", ".alice", "alice.", "%61lice", "a%6Cice", "ns.alice",
      "\xd0\xb0lice" /* Cyrillic a */, "jos\xc3\xa9" /* NFC */, "jose\xcc\x81" /* NFD */,
      ".lock", "..", ".", "a:b", "CON", "alice.new", ".alice.new", "a\\b", "a\xe2\x80\xae" "b",
      "0123456789012345678901234567890123456789012345678901234567890ab",
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"};
  char subject[16];
  size_t i, j;

  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(subject, sizeof subject, "%zu", i);
    assert_int_equal(login(*state, names[i], A, subject), CORTEX_OK);
  }
  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    for (j = 0; j < sizeof names / sizeof names[0]; j++) {
      snprintf(subject, sizeof subject, "%zu", j);
      assert_int_equal(login(*state, names[i], A, subject),
                       i == j ? CORTEX_OK : CORTEX_SUBJECT_MISMATCH);
    }
}

static void who_has_no_name_or_subject_owns_nothing(void **state) {
  char longest[65];

  memset(longest, 'x', 64);
  longest[64] = '\0';
  assert_int_equal(login(*state, "alice", A, ""), CORTEX_SUBJECT_MISMATCH);
  assert_int_equal(login(*state, "alice", A, NULL), CORTEX_SUBJECT_MISMATCH);
  assert_int_equal(login(*state, "alice", NULL, "1"), CORTEX_SUBJECT_MISMATCH);
  assert_int_equal(login(*state, "", A, "1"), CORTEX_BAD_USERNAME);
  assert_int_equal(login(*state, NULL, A, "1"), CORTEX_BAD_USERNAME);
  assert_int_equal(login(*state, longest, A, "1"), CORTEX_BAD_USERNAME);
}

/* Six people come first at one instant. */
static void of_many_first_logins_one_wins(void **state) {
  struct statefolder *folder = *state;
  int gate[2], i, status, won = 0;
  char subject[8], byte;
  pid_t children[6];

  assert_int_equal(pipe(gate), 0);
  for (i = 0; i < 6; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      close(gate[1]);
      (void)!read(gate[0], &byte, 1);
      snprintf(subject, sizeof subject, "%d", i);
      _exit((int)login(folder, "alice", A, subject));
    }
  }
  close(gate[1]);
  for (i = 0; i < 6; i++) {
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CORTEX_OK)
      won++;
    else
      assert_int_equal(WEXITSTATUS(status), CORTEX_SUBJECT_MISMATCH);
  }
  close(gate[0]);
  assert_int_equal(won, 1);
}

/* ---- what is wrong with the folder or a file ---- */

/* What the library calls, by the linker: others come while it waits for the disk. */
static void (*on_disk)(void);
static struct statefolder *meanwhile;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd) {
  void (*visit)(void) = on_disk;

  on_disk = NULL;
  if (visit != NULL)
    visit();
  return __real_fsync(fd);
}

static void others_come(void) {
  bool bound;

  assert_int_equal(claim(meanwhile, "bob", A, "2", &bound), CORTEX_OK);
  assert_true(bound);
  assert_int_equal(claim(meanwhile, "alice", A, "3", &bound), CORTEX_STATE_UNAVAILABLE);
  assert_false(bound);
}

/* Of many new people at one moment none waits for another's place on the disk. */
static void a_name_that_is_being_taken_holds_up_that_name_alone(void **state) {
  bool bound;

  meanwhile = *state;
  meanwhile->wait.until = 0;
  on_disk = others_come;
  assert_int_equal(claim(*state, "alice", A, "1", &bound), CORTEX_OK);
  assert_true(bound);
  assert_null(on_disk);
  assert_int_equal(login(*state, "alice", A, "1"), CORTEX_OK);
  assert_int_equal(login(*state, "alice", A, "3"), CORTEX_SUBJECT_MISMATCH);
  assert_int_equal(login(*state, "bob", A, "2"), CORTEX_OK);
}

static void a_missing_folder_refuses(void **state) {
  struct statefolder *folder = *state;

  rmdir(statefolder_name(folder, CX_STATE_BINDINGS, NULL));
  assert_int_equal(login(folder, "alice", A, "1"), CORTEX_STATE_UNAVAILABLE);
}

static void hostile_content_never_opens(void **state) {
  static const char *const contents[] = {
      "", "{", "[]", "{}\n", "null", "{\"role\":\"alice\"}\n",
      "{\"role\":\"bob\",\"issuer\":\"" A "\",\"subject\":\"1\",\"since\":1}\n",
      "{\"role\":\"alice\",\"issuer\":\"" A "\",\"subject\":\"1\"",
      "{\"role\":\"alice\",\"issuer\":\"" A "\",\"subject\":\"1\",\"since\":1",
      "{\"role\":\"alice\",\"issuer\":\"" A "\",\"subject\":\"1\",\"subject\":\"2\"}\n",
      "{\"role\":\"alice\",\"issuer\":1,\"subject\":\"1\",\"since\":1}\n",
      "{\"role\":\"alice\",\"issuer\":\"" A "\",\"subject\":[\"1\"],\"since\":1}\n",
  };
  struct statefolder *folder = *state;
  char *large = malloc(CX_STATE_NAME_MAX * 4096);
  size_t i;

  for (i = 0; i < sizeof contents / sizeof contents[0]; i++) {
    statefolder_put(folder, CX_STATE_BINDINGS, "alice", contents[i], strlen(contents[i]));
    assert_int_equal(login(folder, "alice", A, "1"), CORTEX_STATE_UNAVAILABLE);
    assert_int_equal(cortex_binding_each(folder->settings, "alice", NULL, NULL, NULL),
                     CORTEX_STATE_UNAVAILABLE);
  }
  memset(large, ' ', CX_STATE_NAME_MAX * 4096);
  statefolder_put(folder, CX_STATE_BINDINGS, "alice", large, CX_STATE_NAME_MAX * 4096);
  assert_int_equal(login(folder, "alice", A, "1"), CORTEX_STATE_UNAVAILABLE);
  free(large);
  unlink(statefolder_name(folder, CX_STATE_BINDINGS, "alice"));
  assert_int_equal(symlink("/dev/null", statefolder_name(folder, CX_STATE_BINDINGS, "alice")), 0);
  assert_int_equal(login(folder, "alice", A, "1"), CORTEX_STATE_UNAVAILABLE);
}

/* An operator may write the file by hand in another form of the same JSON. */
static void the_same_owner_in_other_words_is_the_owner(void **state) {
  static const char text[] = "{ \"subject\": \"1\", \"role\": \"alice\", \"issuer\": \"" A "\" }";

  statefolder_put(*state, CX_STATE_BINDINGS, "alice", text, strlen(text));
  assert_int_equal(login(*state, "alice", A, "1"), CORTEX_OK);
  assert_int_equal(login(*state, "alice", A, "2"), CORTEX_SUBJECT_MISMATCH);
}

/* What a writer leaves that is killed between its steps is no binding and in nobody's way. */
static void a_killed_writer_leaves_no_binding(void **state) {
  struct statefolder *folder = *state;

  statefolder_put(folder, CX_STATE_BINDINGS, ".alice.new", "{\"ro", 4);
  assert_int_equal(login(folder, "alice", A, "1"), CORTEX_OK);
  assert_int_equal(login(folder, "alice", A, "2"), CORTEX_SUBJECT_MISMATCH);
}

/* ---- the operator ---- */

static void take(void *context, const struct cortex_binding *binding) {
  char *said = context;
  size_t len = strlen(said);

  snprintf(said + len, 512 - len, "%s=%s|%s|%s ", binding->role, binding->issuer, binding->subject,
           binding->by);
}

static void an_operator_rebinds_and_releases(void **state) {
  struct statefolder *folder = *state;
  const struct cortex_clock *clock = folder->wait.clock;
  const struct cortex_binding binding = {"alice", B, "9", "root", 1700000000};
  char said[512] = "";
  bool existed;

  assert_int_equal(login(folder, "alice", A, "1"), CORTEX_OK);
  assert_int_equal(cortex_binding_put(folder->settings, &binding, clock, NULL), CORTEX_OK);
  assert_int_equal(login(folder, "alice", A, "1"), CORTEX_SUBJECT_MISMATCH);
  assert_int_equal(login(folder, "alice", B, "9"), CORTEX_OK);
  assert_int_equal(cortex_binding_each(folder->settings, "alice", take, said, NULL), CORTEX_OK);
  assert_string_equal(said, "alice=" B "|9|root ");
  assert_int_equal(
      cortex_binding_release(folder->settings, "alice", clock, &existed, NULL), CORTEX_OK);
  assert_true(existed);
  assert_int_equal(
      cortex_binding_release(folder->settings, "alice", clock, &existed, NULL), CORTEX_OK);
  assert_false(existed);
  said[0] = '\0';
  assert_int_equal(cortex_binding_each(folder->settings, "alice", take, said, NULL), CORTEX_OK);
  assert_string_equal(said, "");
  assert_int_equal(login(folder, "alice", A, "2"), CORTEX_OK);
  assert_int_equal(cortex_binding_each(folder->settings, NULL, take, said, NULL), CORTEX_OK);
  assert_string_equal(said, "alice=" A "|2|login ");
}

static void an_operator_cannot_bind_nonsense(void **state) {
  static const struct {
    struct cortex_binding binding;
    enum cortex_reason reason;
  } cases[] = {
      {{"postgres", A, "1", NULL, 0}, CORTEX_PROTECTED_ROLE},
      {{"a/b", A, "1", NULL, 0}, CORTEX_BAD_USERNAME},
      {{"", A, "1", NULL, 0}, CORTEX_BAD_USERNAME},
      {{NULL, A, "1", NULL, 0}, CORTEX_BAD_USERNAME},
      {{"al\xffice", A, "1", NULL, 0}, CORTEX_BAD_USERNAME},
      {{"alice", "", "1", NULL, 0}, CORTEX_MALFORMED},
      {{"alice", A, "", NULL, 0}, CORTEX_MALFORMED},
      {{"alice", A, "\xff", NULL, 0}, CORTEX_MALFORMED},
      {{"alice", A, "1\r", NULL, 0}, CORTEX_MALFORMED},
      {{"alice", NULL, NULL, NULL, 0}, CORTEX_MALFORMED},
  };
  struct statefolder *folder = *state;
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(
        cortex_binding_put(folder->settings, &cases[i].binding, folder->wait.clock, NULL),
        cases[i].reason);
}

/* ---- memory ---- */

/* Each allocation fails in turn: never an owner too many, never a wrong answer. */
static void without_memory_nobody_becomes_owner(void **state) {
  struct statefolder *folder = *state;
  enum cortex_reason reason;
  bool failed = true, bound;
  size_t nth;

  for (nth = 1; failed; nth++) {
    failing_start(nth, false);
    reason = claim(folder, "alice", A, "1", &bound);
    failed = failing_stop();
    assert_true(failed ? reason == CORTEX_INTERNAL && !bound : reason == CORTEX_OK && bound);
  }
  for (nth = 1, failed = true; failed; nth++) {
    failing_start(nth, true);
    reason = login(folder, "alice", A, "2");
    failed = failing_stop();
    assert_true(reason == CORTEX_SUBJECT_MISMATCH ||
                (failed && (reason == CORTEX_INTERNAL || reason == CORTEX_STATE_UNAVAILABLE)));
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, statefolder_setup, statefolder_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_first_subject_owns_the_name),
      TEST(asking_takes_nothing),
      TEST(two_people_never_become_one_role),
      TEST(names_are_told_apart_by_their_bytes),
      TEST(who_has_no_name_or_subject_owns_nothing),
      TEST(of_many_first_logins_one_wins),
      TEST(a_name_that_is_being_taken_holds_up_that_name_alone),
      TEST(a_missing_folder_refuses),
      TEST(hostile_content_never_opens),
      TEST(the_same_owner_in_other_words_is_the_owner),
      TEST(a_killed_writer_leaves_no_binding),
      TEST(an_operator_rebinds_and_releases),
      TEST(an_operator_cannot_bind_nonsense),
      TEST(without_memory_nobody_becomes_owner),
  };

  failing_install();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
