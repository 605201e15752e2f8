/*
 * The state folder: what is trusted, what is refused, and files that are whole or not there.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "statefolder.h"

#define STRANGER 54321 /* a uid and gid that nobody has */

static enum cortex_reason look(struct statefolder *folder, enum cx_state_part part,
                               struct cortex_error *error) {
  struct cx_state state;
  enum cortex_reason reason = cx_state_open(folder->settings, part, &state, error);

  cx_state_close(&state);
  return reason;
}

static struct cx_state open_part(struct statefolder *folder, enum cx_state_part part) {
  struct cx_state state;

  assert_int_equal(cx_state_open(folder->settings, part, &state, NULL), CORTEX_OK);
  return state;
}

static void refused(struct statefolder *folder, enum cx_state_part part, const char *why) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  assert_int_equal(look(folder, part, &error), CORTEX_STATE_UNAVAILABLE);
  assert_string_equal(error.source, statefolder_name(folder, part, NULL));
  assert_non_null(strstr(error.message, why));
}

/* ---- folders ---- */

static void each_part_is_a_folder_of_its_name(void **state) {
  static const char *const names[] = {"bindings", "replay", "requests", "revoked", "sessions"};
  int part;

  for (part = 0; part < CX_STATE_PARTS; part++) {
    assert_string_equal(cx_state_part_name((enum cx_state_part)part), names[part]);
    assert_int_equal(look(*state, (enum cx_state_part)part, NULL), CORTEX_OK);
  }
}

static void a_missing_folder_is_refused(void **state) {
  int part;

  for (part = 0; part < CX_STATE_PARTS; part++) {
    rmdir(statefolder_name(*state, (enum cx_state_part)part, NULL));
    refused(*state, (enum cx_state_part)part, strerror(ENOENT));
  }
}

static void a_file_in_a_folder_s_place_is_refused(void **state) {
  struct statefolder *folder = *state;

  rmdir(statefolder_name(folder, CX_STATE_REVOKED, NULL));
  statefolder_put(folder, CX_STATE_REVOKED, NULL, "", 0);
  refused(folder, CX_STATE_REVOKED, strerror(ENOTDIR));
}

static void a_folder_that_everybody_can_write_is_refused(void **state) {
  int part;

  for (part = 0; part < CX_STATE_PARTS; part++) {
    chmod(statefolder_name(*state, (enum cx_state_part)part, NULL), 01777);
    refused(*state, (enum cx_state_part)part, "writable by everybody");
  }
}

static void sessions_may_be_elsewhere(void **state) {
  struct statefolder *folder = *state;

  free(folder->settings->session.path);
  folder->settings->session.path = strdup("/nonexistent/stamps");
  assert_int_equal(look(folder, CX_STATE_SESSIONS, NULL), CORTEX_STATE_UNAVAILABLE);
  free(folder->settings->session.path);
  folder->settings->session.path = strdup(folder->path);
  assert_int_equal(look(folder, CX_STATE_SESSIONS, NULL), CORTEX_OK);
}

static void a_link_to_a_folder_is_followed(void **state) {
  struct statefolder *folder = *state;
  char target[80];

  snprintf(target, sizeof target, "%s/elsewhere", folder->path);
  assert_int_equal(rename(statefolder_name(folder, CX_STATE_REPLAY, NULL), target), 0);
  assert_int_equal(symlink(target, statefolder_name(folder, CX_STATE_REPLAY, NULL)), 0);
  assert_int_equal(look(folder, CX_STATE_REPLAY, NULL), CORTEX_OK);
}

/* Runs a part of a test as another user, for only the kernel's own checks are real ones. */
static int as_user(uid_t uid, gid_t gid, int (*run)(struct statefolder *folder),
                   struct statefolder *folder) {
  int status;
  pid_t child = fork();

  if (child == 0)
    _exit(setgid(gid) == 0 && setuid(uid) == 0 ? run(folder) : 99);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static int reason_of_bindings(struct statefolder *folder) {
  return (int)look(folder, CX_STATE_BINDINGS, NULL);
}

static int reason_of_revoked(struct statefolder *folder) {
  return (int)look(folder, CX_STATE_REVOKED, NULL);
}

static void own(struct statefolder *folder, enum cx_state_part part, uid_t uid, gid_t gid,
                mode_t mode) {
  const char *path = statefolder_name(folder, part, NULL);

  assert_int_equal(chown(path, uid, gid), 0);
  assert_int_equal(chmod(path, mode), 0);
}

static void strangers_folders_are_refused(void **state) {
  struct statefolder *folder = *state;
  static const struct {
    uid_t owner;
    gid_t group;
    mode_t mode;
    enum cortex_reason bindings, revoked; /* as the user 1000 of group 1000 finds it */
  } cases[] = {
      {1000, 1000, 0755, CORTEX_OK, CORTEX_OK},
      {1000, 1000, 0770, CORTEX_OK, CORTEX_OK},
      {0, 0, 0755, CORTEX_OK, CORTEX_OK},
      {0, 1000, 0770, CORTEX_OK, CORTEX_STATE_UNAVAILABLE},
      {0, STRANGER, 0775, CORTEX_OK, CORTEX_STATE_UNAVAILABLE},
      {STRANGER, 1000, 0770, CORTEX_OK, CORTEX_STATE_UNAVAILABLE},
      {STRANGER, 1000, 0750, CORTEX_STATE_UNAVAILABLE, CORTEX_STATE_UNAVAILABLE},
      {STRANGER, STRANGER, 0775, CORTEX_STATE_UNAVAILABLE, CORTEX_STATE_UNAVAILABLE},
      {STRANGER, STRANGER, 0755, CORTEX_STATE_UNAVAILABLE, CORTEX_STATE_UNAVAILABLE},
      {0, 0, 0750, CORTEX_STATE_UNAVAILABLE, CORTEX_STATE_UNAVAILABLE},
  };
  size_t i;

  if (geteuid() != 0)
    skip();
  chmod(folder->path, 0755);
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    own(folder, CX_STATE_BINDINGS, cases[i].owner, cases[i].group, cases[i].mode);
    own(folder, CX_STATE_REVOKED, cases[i].owner, cases[i].group, cases[i].mode);
    assert_int_equal(as_user(1000, 1000, reason_of_bindings, folder), cases[i].bindings);
    assert_int_equal(as_user(1000, 1000, reason_of_revoked, folder), cases[i].revoked);
  }
}

static void root_looks_into_what_any_postgres_user_wrote(void **state) {
  struct statefolder *folder = *state;

  if (geteuid() != 0)
    skip();
  own(folder, CX_STATE_BINDINGS, STRANGER, STRANGER, 0700);
  own(folder, CX_STATE_REVOKED, STRANGER, STRANGER, 0700);
  assert_int_equal(look(folder, CX_STATE_BINDINGS, NULL), CORTEX_OK);
  refused(folder, CX_STATE_REVOKED, "owned by neither");
}

/* ---- files ---- */

static enum cortex_reason read_file(struct statefolder *folder, const char *name,
                                    struct cx_buf *content, struct cortex_error *error) {
  struct cx_state part = open_part(folder, CX_STATE_BINDINGS);
  enum cortex_reason reason = cx_state_read(&part, name, 16, content, error);

  cx_state_close(&part);
  return reason;
}

static void file_refused(struct statefolder *folder, const char *name, const char *why) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_buf content;

  assert_int_equal(read_file(folder, name, &content, &error), CORTEX_STATE_UNAVAILABLE);
  assert_null(content.bytes);
  assert_non_null(strstr(error.source, name));
  assert_non_null(strstr(error.message, why));
}

static void write_file(struct statefolder *folder, const char *name, const char *text,
                       enum cx_state_mode mode) {
  struct cx_state part = open_part(folder, CX_STATE_BINDINGS);

  assert_int_equal(cx_state_write(&part, name, text, strlen(text), mode, NULL), CORTEX_OK);
  cx_state_close(&part);
}

static void a_file_is_written_replaced_read_and_removed(void **state) {
  static const enum cx_state_mode modes[] = {CX_STATE_QUICK, CX_STATE_DURABLE};
  struct statefolder *folder = *state;
  struct cx_state part;
  struct stat status;
  struct cx_buf content;
  bool existed;
  size_t i;

  umask(0077);
  for (i = 0; i < 2; i++) {
    write_file(folder, "x", "first", modes[i]);
    write_file(folder, "x", "second", modes[i]);
    assert_int_equal(read_file(folder, "x", &content, NULL), CORTEX_OK);
    assert_string_equal(content.bytes, "second");
    cx_buf_clear(&content);
    assert_int_equal(stat(statefolder_name(folder, CX_STATE_BINDINGS, "x"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
    part = open_part(folder, CX_STATE_BINDINGS);
    assert_int_equal(cx_state_remove(&part, "x", modes[i], &existed, NULL), CORTEX_OK);
    assert_true(existed);
    assert_int_equal(cx_state_remove(&part, "x", modes[i], &existed, NULL), CORTEX_OK);
    assert_false(existed);
    cx_state_close(&part);
    assert_int_equal(read_file(folder, "x", &content, NULL), CORTEX_OK);
    assert_null(content.bytes);
  }
  umask(0022);
}

/*
 * PostgreSQL's and the programs' users meet in the folder's group, whatever umask root has and
 * whichever its own group is: of the lock too. What logins only read they cannot write.
 */
static void files_are_the_folder_s_group_s(void **state) {
  static const struct {
    enum cx_state_part part;
    mode_t mode;
  } cases[] = {{CX_STATE_BINDINGS, 0660}, {CX_STATE_REPLAY, 0660}, {CX_STATE_REVOKED, 0640}};
  static const char *const names[] = {"x", ".lock"};
  struct statefolder *folder = *state;
  struct cx_state part;
  struct stat status;
  size_t i, j;
  int lock;

  if (geteuid() != 0)
    skip();
  umask(0077);
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    own(folder, cases[i].part, 0, STRANGER, 0750);
    part = open_part(folder, cases[i].part);
    assert_int_equal(cx_state_write(&part, "x", "", 0, CX_STATE_QUICK, NULL), CORTEX_OK);
    assert_int_equal(cx_state_lock(&part, &folder->wait, &lock, NULL), CORTEX_OK);
    close(lock);
    cx_state_close(&part);
    for (j = 0; j < 2; j++) {
      assert_int_equal(stat(statefolder_name(folder, cases[i].part, names[j]), &status), 0);
      assert_int_equal(status.st_gid, STRANGER);
      assert_int_equal(status.st_mode & 07777, cases[i].mode);
    }
  }
  umask(0022);
}

/* An empty file is not a missing one. */
static void an_empty_file_is_there(void **state) {
  struct cx_buf content;

  write_file(*state, "x", "", CX_STATE_QUICK);
  assert_int_equal(read_file(*state, "x", &content, NULL), CORTEX_OK);
  assert_non_null(content.bytes);
  assert_int_equal(content.len, 0);
  cx_buf_clear(&content);
}

static void hostile_files_are_refused(void **state) {
  struct statefolder *folder = *state;

  statefolder_put(folder, CX_STATE_BINDINGS, "large", "0123456789abcdefX", 17);
  file_refused(folder, "large", "too large");
  assert_int_equal(symlink("large", statefolder_name(folder, CX_STATE_BINDINGS, "link")), 0);
  file_refused(folder, "link", "symbolic link");
  assert_int_equal(mkdir(statefolder_name(folder, CX_STATE_BINDINGS, "folder"), 0700), 0);
  file_refused(folder, "folder", "regular");
  assert_int_equal(mkfifo(statefolder_name(folder, CX_STATE_BINDINGS, "fifo"), 0600), 0);
  file_refused(folder, "fifo", "regular");
  statefolder_put(folder, CX_STATE_BINDINGS, "open", "x", 1);
  chmod(statefolder_name(folder, CX_STATE_BINDINGS, "open"), 0666);
  file_refused(folder, "open", "everybody");
  if (geteuid() != 0)
    return;
  statefolder_put(folder, CX_STATE_BINDINGS, "foreign", "x", 1);
  assert_int_equal(
      chown(statefolder_name(folder, CX_STATE_BINDINGS, "foreign"), STRANGER, STRANGER), 0);
  file_refused(folder, "foreign", "owner or group");
}

/* A link left where the new file will be written must not lead the bytes elsewhere. */
static void what_lies_beside_is_not_written_through(void **state) {
  struct statefolder *folder = *state;
  size_t len;
  char *victim;

  statefolder_put(folder, CX_STATE_BINDINGS, "victim", "mine", 4);
  assert_int_equal(symlink("victim", statefolder_name(folder, CX_STATE_BINDINGS, ".x.new")), 0);
  write_file(folder, "x", "theirs", CX_STATE_QUICK);
  victim = statefolder_get(folder, CX_STATE_BINDINGS, "victim", &len);
  assert_string_equal(victim, "mine");
  free(victim);
}

static void a_full_disk_leaves_the_old_file(void **state) {
  struct statefolder *folder = *state;
  struct cx_state part = open_part(folder, CX_STATE_BINDINGS);
  struct rlimit was, limit;
  struct cx_buf content;

  write_file(folder, "x", "old", CX_STATE_QUICK);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
  limit = was;
  limit.rlim_cur = 2;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(cx_state_write(&part, "x", "new", 3, CX_STATE_DURABLE, NULL),
                   CORTEX_STATE_UNAVAILABLE);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
  signal(SIGXFSZ, SIG_DFL);
  cx_state_close(&part);
  assert_int_equal(read_file(folder, "x", &content, NULL), CORTEX_OK);
  assert_string_equal(content.bytes, "old");
  cx_buf_clear(&content);
  assert_int_equal(access(statefolder_name(folder, CX_STATE_BINDINGS, ".x.new"), F_OK), -1);
}

static void a_name_that_is_too_long_is_refused(void **state) {
  struct cx_state part = open_part(*state, CX_STATE_BINDINGS);
  char name[CX_STATE_NAME_MAX + 2];

  memset(name, 'x', sizeof name);
  name[CX_STATE_NAME_MAX + 1] = '\0';
  assert_int_equal(cx_state_write(&part, name, "", 0, CX_STATE_QUICK, NULL),
                   CORTEX_STATE_UNAVAILABLE);
  name[CX_STATE_NAME_MAX] = '\0';
  assert_int_equal(cx_state_write(&part, name, "", 0, CX_STATE_QUICK, NULL), CORTEX_OK);
  cx_state_close(&part);
}

/* ---- the lock ---- */

static void the_lock_is_one_for_all_and_ends_with_its_holder(void **state) {
  struct statefolder *folder = *state;
  struct cx_state part = open_part(folder, CX_STATE_BINDINGS);
  const struct cortex_clock *clock = cortex_clock_system();
  struct cx_wait now = {clock, 0};
  struct cortex_error error = CORTEX_ERROR_NONE;
  int held, other;

  assert_int_equal(cx_state_lock(&part, &folder->wait, &held, NULL), CORTEX_OK);
  assert_int_equal(cx_state_lock(&part, &now, &other, &error), CORTEX_STATE_UNAVAILABLE);
  assert_int_equal(other, -1);
  assert_non_null(strstr(error.message, "too long"));
  close(held);
  assert_int_equal(cx_state_lock(&part, &now, &other, NULL), CORTEX_OK);
  close(other);
  unlink(statefolder_name(folder, CX_STATE_BINDINGS, ".lock"));
  assert_int_equal(symlink("/dev/null", statefolder_name(folder, CX_STATE_BINDINGS, ".lock")), 0);
  assert_int_equal(cx_state_lock(&part, &now, &other, NULL), CORTEX_STATE_UNAVAILABLE);
  cx_state_close(&part);
}

/* ---- listing ---- */

static enum cortex_reason count(const struct cx_state *part, const char *name, void *context,
                                struct cortex_error *error) {
  (void)part;
  assert_int_not_equal(name[0], '.');
  ++*(int *)context;
  return strncmp(name, "damaged", 7) == 0 ? cx_state_refuse(part, name, error, "is damaged")
                                          : CORTEX_OK;
}

static void files_are_visited_without_those_of_our_own(void **state) {
  struct statefolder *folder = *state;
  struct cx_state part = open_part(folder, CX_STATE_BINDINGS);
  struct cortex_error error = CORTEX_ERROR_NONE;
  int seen = 0, lock;

  assert_int_equal(cx_state_lock(&part, &folder->wait, &lock, NULL), CORTEX_OK);
  close(lock);
  write_file(folder, "a", "", CX_STATE_QUICK);
  write_file(folder, "b", "", CX_STATE_QUICK);
  assert_int_equal(cx_state_each(&part, count, &seen, NULL), CORTEX_OK);
  assert_int_equal(seen, 2);
  write_file(folder, "damaged", "", CX_STATE_QUICK);
  write_file(folder, "damaged too", "", CX_STATE_QUICK);
  seen = 0;
  assert_int_equal(cx_state_each(&part, count, &seen, &error), CORTEX_STATE_UNAVAILABLE);
  assert_int_equal(seen, 4);
  assert_non_null(strstr(error.source, "damaged"));
  cx_state_close(&part);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, statefolder_setup, statefolder_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(each_part_is_a_folder_of_its_name),
      TEST(a_missing_folder_is_refused),
      TEST(a_file_in_a_folder_s_place_is_refused),
      TEST(a_folder_that_everybody_can_write_is_refused),
      TEST(sessions_may_be_elsewhere),
      TEST(a_link_to_a_folder_is_followed),
      TEST(strangers_folders_are_refused),
      TEST(root_looks_into_what_any_postgres_user_wrote),
      TEST(a_file_is_written_replaced_read_and_removed),
      TEST(files_are_the_folder_s_group_s),
      TEST(an_empty_file_is_there),
      TEST(hostile_files_are_refused),
      TEST(what_lies_beside_is_not_written_through),
      TEST(a_full_disk_leaves_the_old_file),
      TEST(a_name_that_is_too_long_is_refused),
      TEST(the_lock_is_one_for_all_and_ends_with_its_holder),
      TEST(files_are_visited_without_those_of_our_own),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
