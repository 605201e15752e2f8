/*
 * The policy image: used while it is current, the text in every other case.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy/image.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#include "identity/identity.h"
#include "session/jit.h"

#define LATER INT64_C(9000000000) /* everything has settled by then */
#define LOGINS 100

static const char entities[] =
    "[{\"uid\":{\"type\":\"Service\",\"id\":\"s\"},\"attrs\":{\"database\":\"d\","
    "\"environment\":\"e\",\"host\":\"h\",\"port\":5433,\"grants\":{\"read\":[\"reader\"]}},"
    "\"parents\":[]},"
    "{\"uid\":{\"type\":\"Service\",\"id\":\"a\"},\"attrs\":{\"database\":\"d\","
    "\"environment\":\"e\",\"host\":\"h\",\"port\":1,\"grants\":{}},\"parents\":[]},"
    "{\"uid\":{\"type\":\"Group\",\"id\":\"backend\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"engineers\"}]}]";

#define POLICY(effect)                                                                             \
  "@id(\"p\") @max_session(\"8h\")\n" effect                                                       \
  " (principal in Group::\"engineers\", action == Action::\"read\", resource) when { "             \
  "resource.port == 5433 };\n"

struct world {
  char folder[SCRATCH_PATH];
  struct cortex_settings *settings;
};

static char *path_of(const struct world *world, const char *name) {
  static char path[256];

  snprintf(path, sizeof path, "%s/%s", world->folder, name);
  return path;
}

static void write_file(const struct world *world, const char *name, const char *text) {
  scratch_write(world->folder, name, text, strlen(text));
}

static void configure(struct world *world, const char *more) {
  char text[512];

  cortex_settings_free(&world->settings);
  snprintf(text, sizeof text,
           "[oidc \"a\"]\nissuer = https://op.example\naudience = db\n"
           "[policy]\npath = p\nentities = entities.json\nimage = image\n%s",
           more);
  assert_int_equal(cortex_settings_parse(path_of(world, "cortex.conf"), text, strlen(text),
                                         &world->settings, NULL),
                   CORTEX_OK);
}

static int make_world(void **state) {
  struct world *world = calloc(1, sizeof *world);

  scratch_make(world->folder);
  mkdir(path_of(world, "p"), 0700);
  write_file(world, "entities.json", entities);
  write_file(world, "p/10.cedar", POLICY("permit"));
  configure(world, "");
  *state = world;
  return 0;
}

static int remove_world(void **state) {
  struct world *world = *state;

  cortex_settings_free(&world->settings);
  scratch_remove(world->folder);
  free(world);
  return 0;
}

static void write_image(const struct world *world) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  bool is_early;

  if (cortex_policy_write_image(world->settings, LATER, &is_early, &error) != CORTEX_OK)
    fail_msg("%s: %s", error.source, error.message);
}

static enum cortex_reason decide(const struct cortex_policy *policy, const char *group) {
  const struct cortex_question question = {.service = "s", .now = INT64_C(1800000000000000)};
  struct cortex_question asked = question;
  struct cortex_decision *decision = NULL;
  struct cortex_identity *who = NULL;
  enum cortex_reason reason;

  if (cortex_identity_claim("alice", &group, 1, &who, NULL) != CORTEX_OK)
    return CORTEX_INTERNAL;
  asked.identity = who;
  reason = cortex_decide(policy, &asked, &decision, NULL);
  cortex_decision_free(&decision);
  cortex_identity_free(&who);
  return reason;
}

/* Loads as a login does and says whether the image was used. */
static bool uses_image(const struct world *world) {
  struct cortex_policy *policy = NULL;
  bool is_image;

  assert_int_equal(cortex_policy_load(world->settings, &policy, NULL), CORTEX_OK);
  is_image = cortex_policy_is_image(policy);
  cortex_policy_free(&policy);
  return is_image;
}

static enum cortex_image_state check(const struct world *world) {
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_image_state state = cortex_policy_check_image(world->settings, &why);

  assert_int_equal(state == CORTEX_IMAGE_CURRENT, why.reason == CORTEX_OK);
  return state;
}

static void an_image_answers_as_the_text_does(void **state) {
  struct world *world = *state;
  struct cortex_policy *text = NULL, *image = NULL;
  struct cortex_service service;
  struct stat status;

  assert_int_equal(check(world), CORTEX_IMAGE_ABSENT);
  assert_false(uses_image(world));
  write_image(world);
  assert_int_equal(check(world), CORTEX_IMAGE_CURRENT);
  assert_int_equal(stat(world->settings ? path_of(world, "image") : "", &status), 0);
  assert_int_equal(status.st_mode & 07777, 0640);
  assert_int_equal(cortex_policy_load_text(world->settings, &text, NULL), CORTEX_OK);
  assert_int_equal(cortex_policy_load(world->settings, &image, NULL), CORTEX_OK);
  assert_false(cortex_policy_is_image(text));
  assert_true(cortex_policy_is_image(image));
  assert_string_equal(cortex_policy_digest(image), cortex_policy_digest(text));
  assert_int_equal(cortex_policy_count(image), 1);
  assert_int_equal(cortex_policy_service_count(image), 2);
  assert_true(cortex_policy_service(image, 0, &service));
  assert_string_equal(service.name, "a");
  assert_true(cortex_policy_find_service(image, "s", &service));
  assert_string_equal(service.database, "d");
  assert_int_equal(service.port, 5433);
  assert_null(service.audience);
  assert_string_equal(cortex_policy_grant(image, "s", CORTEX_LEVEL_READ, 0), "reader");
  assert_null(cortex_policy_grant(image, "s", CORTEX_LEVEL_READ, 1));
  assert_int_equal(decide(image, "engineers"), CORTEX_OK);
  assert_int_equal(decide(image, "backend"), CORTEX_OK);
  assert_int_equal(decide(image, "sales"), CORTEX_POLICY_DENIED);
  cortex_policy_free(&text);
  cortex_policy_free(&image);
}

/* ---- stale ---- */

static void append(const struct world *world) {
  FILE *file = fopen(path_of(world, "p/10.cedar"), "a");

  assert_non_null(file);
  fputs("// more\n", file);
  fclose(file);
}

static void replace_by_equal(const struct world *world) {
  write_file(world, "p/10.cedar", POLICY("permit"));
}

static void change_mode(const struct world *world) {
  assert_int_equal(chmod(path_of(world, "entities.json"), 0640), 0);
}

static void add_policy(const struct world *world) {
  write_file(world, "p/20.cedar", POLICY("forbid"));
  append(world);
}

static void add_ignored_file(const struct world *world) {
  write_file(world, "p/readme", "");
}

static void write_over_entities(const struct world *world) {
  write_file(world, "entities.json", entities);
}

static void every_change_of_a_source_shows(void **state) {
  static void (*const changes[])(const struct world *) = {append, replace_by_equal, change_mode,
                                                          add_ignored_file, write_over_entities};
  struct world *world = *state;
  size_t i;

  for (i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    write_image(world);
    assert_true(uses_image(world));
    usleep(20000); /* the clock of the file system moves on */
    changes[i](world);
    assert_int_equal(check(world), CORTEX_IMAGE_STALE);
    assert_false(uses_image(world));
  }
}

static void removed_or_added_policies_show(void **state) {
  struct world *world = *state;
  struct cortex_policy *policy = NULL;

  write_image(world);
  add_policy(world);
  assert_int_equal(cortex_policy_load(world->settings, &policy, NULL), CORTEX_POLICY_UNAVAILABLE);
  remove(path_of(world, "p/10.cedar"));
  assert_int_equal(check(world), CORTEX_IMAGE_STALE);
  assert_int_equal(cortex_policy_load(world->settings, &policy, NULL), CORTEX_OK);
  assert_int_equal(decide(policy, "engineers"), CORTEX_POLICY_DENIED);
  cortex_policy_free(&policy);
}

static void other_files_in_the_settings_show(void **state) {
  struct world *world = *state;

  write_image(world);
  write_file(world, "links.json", "[]");
  configure(world, "links = links.json\n");
  assert_int_equal(check(world), CORTEX_IMAGE_STALE);
  write_image(world);
  assert_true(uses_image(world));
  configure(world, "");
  assert_int_equal(check(world), CORTEX_IMAGE_STALE);
}

static void young_sources_are_not_trusted_to_be_told_apart(void **state) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct world *world = *state;
  struct stat status;
  bool is_early = false;

  assert_int_equal(stat(path_of(world, "p/10.cedar"), &status), 0);
  assert_int_equal(
      cortex_policy_write_image(world->settings, status.st_ctime + 2, &is_early, &error),
      CORTEX_POLICY_UNAVAILABLE);
  assert_true(is_early);
  assert_int_equal(check(world), CORTEX_IMAGE_ABSENT);
}

/* ---- damaged, not trusted ---- */

static void flip(const struct world *world, off_t at, unsigned char mask, bool keeps_times) {
  int fd = open(path_of(world, "image"), O_RDWR | O_CLOEXEC);
  unsigned char byte = 0;
  struct stat status;

  assert_true(fd >= 0 && fstat(fd, &status) == 0 && pread(fd, &byte, 1, at) == 1);
  byte ^= mask;
  assert_int_equal(pwrite(fd, &byte, 1, at), 1);
  if (keeps_times)
    assert_int_equal(futimens(fd, (const struct timespec[2]){status.st_atim, status.st_mtim}), 0);
  close(fd);
}

static void a_wrong_byte_anywhere_is_refused(void **state) {
  struct world *world = *state;
  struct stat status;
  off_t at;

  write_image(world);
  assert_int_equal(stat(path_of(world, "image"), &status), 0);
  for (at = 0; at < status.st_size; at += at < 700 ? 1 : 97) {
    flip(world, at, 0x10, true);
    assert_int_not_equal(check(world), CORTEX_IMAGE_CURRENT);
    uses_image(world);
    flip(world, at, 0x10, true);
  }
  assert_true(uses_image(world));
}

static void a_file_that_was_written_to_is_refused(void **state) {
  struct world *world = *state;

  write_image(world);
  flip(world, 700, 0, false);
  assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
  assert_false(uses_image(world));
}

static void a_copy_is_refused(void **state) {
  struct world *world = *state;
  char command[512];

  write_image(world);
  snprintf(command, sizeof command, "cp -p %s/image %s/copy && mv %s/copy %s/image", world->folder,
           world->folder, world->folder, world->folder);
  assert_int_equal(system(command), 0);
  assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
  assert_false(uses_image(world));
}

/* ---- large: read piece by piece ---- */

#define MANY 3000

static void enlarge(const struct world *world) {
  FILE *file = fopen(path_of(world, "p/20.cedar"), "w");
  int i;

  assert_non_null(file);
  for (i = 0; i < MANY; i++)
    fprintf(file,
            "@id(\"other-%d\")\npermit (principal in Group::\"group-%d\", action, resource is "
            "Service)\n"
            "when { resource.database == \"database-%d\" };\n",
            i, i, i);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(path_of(world, "p/20.cedar"), 0600), 0);
  write_image(world);
}

static void a_large_image_answers_as_the_text_does(void **state) {
  struct cortex_policy *image = NULL;
  struct world *world = *state;
  struct cortex_service service;

  enlarge(world);
  assert_int_equal(check(world), CORTEX_IMAGE_CURRENT);
  assert_int_equal(cortex_policy_load(world->settings, &image, NULL), CORTEX_OK);
  assert_true(cortex_policy_is_image(image));
  assert_int_equal(decide(image, "backend"), CORTEX_OK);
  assert_int_equal(decide(image, "group-7"), CORTEX_POLICY_DENIED);
  assert_string_equal(cortex_policy_grant(image, "s", CORTEX_LEVEL_READ, 0), "reader");
  assert_true(cortex_policy_service(image, 1, &service));
  assert_string_equal(service.name, "s");
  /* Whole, it needs its file no more. */
  assert_int_equal(cortex_policy_make_whole(image, NULL), CORTEX_OK);
  assert_int_equal(truncate(path_of(world, "image"), 5000), 0);
  assert_int_equal(decide(image, "engineers"), CORTEX_OK);
  assert_int_equal(decide(image, "group-9"), CORTEX_POLICY_DENIED);
  cortex_policy_free(&image);
}

/* Neither an allow nor a deny: whoever asks goes on with the text. */
static void an_image_that_changes_under_a_question_gives_no_answer(void **state) {
  static const char *const groups[] = {"engineers", "group-7"};
  struct cortex_policy *policy = NULL;
  struct world *world = *state;
  size_t i, turn;

  enlarge(world);
  for (i = 0; i < 2; i++)
    for (turn = 0; turn < 2; turn++) {
      write_image(world);
      assert_int_equal(cortex_policy_load(world->settings, &policy, NULL), CORTEX_OK);
      assert_true(cortex_policy_is_image(policy));
      if (turn == 0)
        flip(world, 99999, 0, false);
      else
        assert_int_equal(truncate(path_of(world, "image"), 70000), 0);
      assert_int_equal(decide(policy, groups[i]), CORTEX_POLICY_UNAVAILABLE);
      assert_int_equal(cortex_policy_make_whole(policy, NULL), CORTEX_POLICY_UNAVAILABLE);
      cortex_policy_free(&policy);
    }
}

/* A grant that cannot be read is not one that is not there: a role would lose what it holds. */
static void no_role_is_made_ready_by_an_image_that_changes(void **state) {
  static const char more[] = "[state]\npath = state\n[roles]\njit = yes\njit_conninfo = "
                             "\"host=/nonexistent port=1 user=cortex_jit dbname=postgres requirepeer=nobody\"\n";
  struct world *world = *state;
  struct cx_jit jit = {.service = "s", .role = "alice", .levels = CORTEX_LEVEL_READ,
                       .clock = cortex_clock_system()};
  char issuer[] = "https://op.example", subject[] = "alice-1";
  const struct cortex_identity who = {.issuer = issuer, .subject = subject};
  struct cortex_policy *policy = NULL;
  int turn;

  mkdir(path_of(world, "state"), 0700);
  mkdir(path_of(world, "state/sessions"), 0700);
  configure(world, more);
  enlarge(world);
  for (turn = 0; turn < 2; turn++) {
    write_image(world);
    assert_int_equal(cortex_policy_load(world->settings, &policy, NULL), CORTEX_OK);
    assert_true(cortex_policy_is_image(policy));
    if (turn == 1)
      assert_int_equal(truncate(path_of(world, "image"), 70000), 0);
    jit.settings = world->settings;
    jit.policy = policy;
    jit.identity = &who;
    assert_int_equal(cx_jit_prepare(&jit, NULL) == CORTEX_POLICY_UNAVAILABLE, turn == 1);
    cortex_policy_free(&policy);
  }
}

static void one_that_is_replaced_or_removed_answers_to_the_end(void **state) {
  struct cortex_policy *policy = NULL;
  struct world *world = *state;

  enlarge(world);
  assert_int_equal(cortex_policy_load(world->settings, &policy, NULL), CORTEX_OK);
  write_image(world);
  remove(path_of(world, "image"));
  assert_int_equal(decide(policy, "engineers"), CORTEX_OK);
  cortex_policy_free(&policy);
}

static void a_cut_or_foreign_file_is_refused(void **state) {
  struct world *world = *state;
  struct stat status;
  off_t len;

  write_image(world);
  assert_int_equal(stat(path_of(world, "image"), &status), 0);
  for (len = status.st_size - 1; len >= 0; len = len * 2 / 3 - 1) {
    assert_int_equal(truncate(path_of(world, "image"), len), 0);
    assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
    assert_false(uses_image(world));
  }
  write_file(world, "image", entities);
  assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
  remove(path_of(world, "image"));
  mkdir(path_of(world, "image"), 0700);
  assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
  assert_false(uses_image(world));
}

static void an_image_that_others_could_write_is_refused(void **state) {
  struct world *world = *state;

  write_image(world);
  assert_int_equal(chmod(path_of(world, "image"), 0642), 0);
  assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
  assert_false(uses_image(world));
  assert_int_equal(chmod(path_of(world, "image"), 0640), 0);
  assert_true(uses_image(world));
  if (geteuid() != 0)
    return;
  assert_int_equal(chown(path_of(world, "image"), 12345, 0), 0);
  assert_int_equal(check(world), CORTEX_IMAGE_REFUSED);
}

static void an_image_that_cannot_be_written_leaves_nothing(void **state) {
  struct world *world = *state;
  struct cortex_error error = CORTEX_ERROR_NONE;
  bool is_early;

  configure(world, "[cache]\npath = /nowhere\n");
  free(world->settings->policy.image);
  world->settings->policy.image = strdup("/nowhere/image");
  assert_int_equal(cortex_policy_write_image(world->settings, LATER, &is_early, &error),
                   CORTEX_STATE_UNAVAILABLE);
  assert_string_equal(error.source, "/nowhere/image");
}

/* ---- a hundred logins while somebody does all that to the image ---- */

static void disturb(const struct world *world) {
  unsigned turn;
  bool is_early;

  alarm(60); /* should the test end early */
  for (turn = 0;; turn++) {
    if (cortex_policy_write_image(world->settings, LATER, &is_early, NULL) == CORTEX_OK)
      usleep(3000);
    if (turn % 3 == 0 && truncate(path_of(world, "image"), (off_t)(turn * 731 % 9000)) != 0)
      continue;
    if (turn % 3 == 1)
      unlink(path_of(world, "image"));
    usleep(500);
  }
}

#define USED_IMAGE 64

static void login(const struct world *world) {
  struct cortex_policy *policy = NULL;
  enum cortex_reason reason = cortex_policy_load(world->settings, &policy, NULL);
  int code = 3;

  if (reason == CORTEX_OK) {
    reason = decide(policy, "engineers");
    /* As login.c does where the image changed between opening and deciding. */
    if (reason == CORTEX_POLICY_UNAVAILABLE && cortex_policy_is_image(policy)) {
      cortex_policy_free(&policy);
      if (cortex_policy_load_text(world->settings, &policy, NULL) == CORTEX_OK)
        reason = decide(policy, "engineers");
    }
    code = reason == CORTEX_OK ? 1 : reason == CORTEX_POLICY_DENIED ? 0 : 2;
    code |= cortex_policy_is_image(policy) ? USED_IMAGE : 0;
  }
  _exit(code);
}

static int wait_for(pid_t child) {
  int status;

  assert_int_equal(waitpid(child, &status, 0), child);
  if (!WIFEXITED(status))
    fail_msg("a login died of signal %d", WTERMSIG(status));
  return WEXITSTATUS(status);
}

static void no_login_dies_or_answers_from_an_old_policy(void **state) {
  struct world *world = *state;
  bool is_permitted = true;
  pid_t disturber, child;
  int i, used = 0, code, status;

  write_image(world);
  disturber = fork();
  if (disturber == 0)
    disturb(world);
  for (i = 0; i < LOGINS; i++) {
    if (i % 7 == 6) {
      is_permitted = !is_permitted;
      write_file(world, "p/10.cedar", is_permitted ? POLICY("permit") : POLICY("forbid"));
    }
    child = fork();
    if (child == 0)
      login(world);
    code = wait_for(child);
    used += (code & USED_IMAGE) != 0;
    if ((code & ~USED_IMAGE) != is_permitted)
      fail_msg("login %d answered %d of %s", i, code, is_permitted ? "permit" : "forbid");
    usleep(1000);
  }
  kill(disturber, SIGKILL);
  waitpid(disturber, &status, 0);
  print_message("# %d of %d logins used the image\n", used, LOGINS);
  assert_true(used > 0 && used < LOGINS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)
  const struct CMUnitTest tests[] = {
      TEST(an_image_answers_as_the_text_does),
      TEST(every_change_of_a_source_shows),
      TEST(removed_or_added_policies_show),
      TEST(other_files_in_the_settings_show),
      TEST(young_sources_are_not_trusted_to_be_told_apart),
      TEST(a_wrong_byte_anywhere_is_refused),
      TEST(a_file_that_was_written_to_is_refused),
      TEST(a_copy_is_refused),
      TEST(a_large_image_answers_as_the_text_does),
      TEST(an_image_that_changes_under_a_question_gives_no_answer),
      TEST(no_role_is_made_ready_by_an_image_that_changes),
      TEST(one_that_is_replaced_or_removed_answers_to_the_end),
      TEST(a_cut_or_foreign_file_is_refused),
      TEST(an_image_that_others_could_write_is_refused),
      TEST(an_image_that_cannot_be_written_leaves_nothing),
      TEST(no_login_dies_or_answers_from_an_old_policy),
  };

  return cmocka_run_group_tests_name("policy image", tests, NULL, NULL);
}
