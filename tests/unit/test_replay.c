/*
 * The one-use memory: once is once, among processes, clocks, kills and damage.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

/* The source with a memory of 64 buckets: the same code, filled in a second. */
#define CX_REPLAY_BUCKETS 64
#include "state/replay.c"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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
#include "statefolder.h"

#define NOW INT64_C(1700000000)
#define SIZE ((off_t)CX_REPLAY_BUCKETS * CX_REPLAY_BUCKET)

static const struct cx_use usual = {.token_id = "t",
                                    .usable_until = NOW + 3600,
                                    .now = NOW,
                                    .service = "analytics",
                                    .role = "alice",
                                    .address = "192.0.2.1"};

static enum cortex_reason use(struct statefolder *folder, struct cx_use what) {
  return cx_replay_use(folder->settings, &what, &folder->wait, NULL);
}

static enum cortex_reason use_token(struct statefolder *folder, const char *token, int64_t now) {
  struct cx_use what = usual;

  what.token_id = token;
  what.now = now;
  return use(folder, what);
}

static void a_credential_opens_once(void **state) {
  assert_int_equal(use(*state, usual), CORTEX_OK);
  assert_int_equal(use(*state, usual), CORTEX_REPLAYED);
  assert_int_equal(use_token(*state, "u", NOW), CORTEX_OK);
  assert_int_equal(use_token(*state, "t", NOW + 3600 + 599), CORTEX_REPLAYED);
  assert_int_equal(use_token(*state, "u", NOW - 100000), CORTEX_REPLAYED);
}

static void what_has_no_id_or_end_is_refused(void **state) {
  struct cx_use what = usual;

  what.token_id = "";
  assert_int_equal(use(*state, what), CORTEX_INTERNAL);
  what = usual;
  what.usable_until = 0;
  assert_int_equal(use(*state, what), CORTEX_INTERNAL);
}

static void a_window_opens_again_for_the_same_user_only(void **state) {
  static const struct {
    const char *token, *service, *role, *address;
    int64_t now, window;
    enum cortex_reason reason;
  } steps[] = {
      {"t", "analytics", "alice", "192.0.2.1", NOW, 30, CORTEX_OK},
      {"t", "analytics", "alice", "192.0.2.1", NOW, 30, CORTEX_OK},
      {"t", "analytics", "alice", "192.0.2.1", NOW + 30, 30, CORTEX_OK},
      {"t", "analytics", "alice", "192.0.2.1", NOW + 31, 30, CORTEX_REPLAYED},
      {"t", "analytics", "alice", "192.0.2.1", NOW + 5, 0, CORTEX_REPLAYED},
      {"t", "analytics", "alice", "192.0.2.2", NOW + 5, 30, CORTEX_REPLAYED},
      {"t", "analytics", "alice", NULL, NOW + 5, 30, CORTEX_REPLAYED},
      {"t", "analytics", "bob", "192.0.2.1", NOW + 5, 30, CORTEX_REPLAYED},
      {"t", "billing", "alice", "192.0.2.1", NOW + 5, 30, CORTEX_REPLAYED},
      {"t", "analyticsa", "lice", "192.0.2.1", NOW + 5, 30, CORTEX_REPLAYED},
      {"t", "analytics", "alice", "192.0.2.1", NOW - 30, 30, CORTEX_OK}, /* a clock set back */
      {"t", "analytics", "alice", "192.0.2.1", NOW - 31, 30, CORTEX_REPLAYED},
      {"s", "analytics", "alice", NULL, NOW, 30, CORTEX_OK},
      {"s", "analytics", "alice", NULL, NOW + 9, 30, CORTEX_OK},
      {"s", "analytics", "alice", "192.0.2.1", NOW + 9, 30, CORTEX_REPLAYED},
  };
  struct cx_use what = usual;
  size_t i;

  for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    what.token_id = steps[i].token;
    what.service = steps[i].service;
    what.role = steps[i].role;
    what.address = steps[i].address;
    what.now = steps[i].now;
    what.window = steps[i].window;
    assert_int_equal(use(*state, what), steps[i].reason);
  }
}

/* ---- many at once ---- */

static void of_64_processes_one_wins(void **state) {
  struct statefolder *folder = *state;
  int gate[2], i, status, won = 0;
  pid_t children[64];
  char byte;

  assert_int_equal(pipe(gate), 0);
  for (i = 0; i < 64; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      close(gate[1]);
      (void)!read(gate[0], &byte, 1);
      _exit((int)use(folder, usual));
    }
  }
  close(gate[1]);
  for (i = 0; i < 64; i++) {
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CORTEX_OK)
      won++;
    else
      assert_int_equal(WEXITSTATUS(status), CORTEX_REPLAYED);
  }
  close(gate[0]);
  assert_int_equal(won, 1);
}

/*
 * Children use tokens and say so after each answer; they are killed after a number of
 * answers, at any place of the next one. What was said holds. A child that outruns its
 * killer waits, so that no bucket of the memory fills on a machine that is fast or busy.
 */
#define AHEAD 16

static void a_kill_loses_nothing_that_was_answered(void **state) {
  struct statefolder *folder = *state;
  int said[2], round, number, answered, status;
  char token[32];
  pid_t child;

  for (round = 0; round < 40; round++) {
    assert_int_equal(pipe(said), 0);
    child = fork();
    if (child == 0) {
      for (number = 0; number < 2 * round + AHEAD; number++) {
        snprintf(token, sizeof token, "%d-%d", round, number);
        if (use_token(folder, token, NOW) != CORTEX_OK ||
            write(said[1], &number, sizeof number) != sizeof number)
          _exit(1);
      }
      for (;;)
        pause();
    }
    close(said[1]);
    for (answered = -1; answered < 2 * round;)
      assert_int_equal(read(said[0], &answered, sizeof answered), sizeof answered);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(said[0], &number, sizeof number) == sizeof number)
      answered = number;
    close(said[0]);
    for (number = 0; number <= answered; number++) {
      snprintf(token, sizeof token, "%d-%d", round, number);
      assert_int_equal(use_token(folder, token, NOW), CORTEX_REPLAYED);
    }
  }
}

static void who_waits_too_long_is_refused(void **state) {
  struct statefolder *folder = *state;
  struct cx_wait now = {folder->wait.clock, 0};
  struct cx_wait ever = folder->wait;
  int fd;

  assert_int_equal(use(folder, usual), CORTEX_OK);
  fd = open(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), O_RDWR);
  assert_true(cx_lock_take(fd, &ever));
  folder->wait = now;
  assert_int_equal(use_token(folder, "u", NOW), CORTEX_STATE_UNAVAILABLE);
  close(fd);
  assert_int_equal(use_token(folder, "u", NOW), CORTEX_OK);
}

/* ---- bounds and time ---- */

/*
 * Filled to the brim and far beyond: refused as full, nothing live is lost, the
 * file does not grow; when the credentials have ended there is room again.
 */
static void a_full_memory_refuses_and_empties_by_time(void **state) {
  enum { TRIED = CX_REPLAY_BUCKETS * CX_REPLAY_SLOTS };
  struct statefolder *folder = *state;
  unsigned char *was_kept = calloc(TRIED, 1);
  int number, kept = 0, full = 0;
  enum cortex_reason reason;
  struct stat status;
  char token[32];

  assert_non_null(was_kept);
  for (number = 0; number < TRIED; number++) {
    snprintf(token, sizeof token, "%d", number);
    reason = use_token(folder, token, NOW);
    assert_true(reason == CORTEX_OK || reason == CORTEX_REPLAY_FULL);
    was_kept[number] = reason == CORTEX_OK;
    kept += reason == CORTEX_OK;
    full += reason == CORTEX_REPLAY_FULL;
  }
  assert_true(full > 0);
  assert_true(kept > TRIED / 100 * 95); /* two places to choose from fill it evenly */
  for (number = 0; number < TRIED; number++) {
    snprintf(token, sizeof token, "%d", number);
    assert_int_equal(use_token(folder, token, NOW + 3600),
                     was_kept[number] ? CORTEX_REPLAYED : CORTEX_REPLAY_FULL);
  }
  assert_int_equal(stat(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), &status), 0);
  assert_int_equal(status.st_size, SIZE);
  for (number = 0; number < 300; number++) {
    struct cx_use what = usual;

    snprintf(token, sizeof token, "new-%d", number);
    what.token_id = token;
    what.now = NOW + 3600 + CX_REPLAY_MARGIN;
    what.usable_until = what.now + 3600;
    assert_int_equal(use(folder, what), CORTEX_OK);
    assert_int_equal(use(folder, what), CORTEX_REPLAYED);
  }
  free(was_kept);
}

/* A clock that ran ahead let entries go; set back, their credentials must not open again. */
static void what_a_wrong_clock_forgot_is_refused(void **state) {
  struct statefolder *folder = *state;
  int number, forgotten = 0, live = 0;
  enum cortex_reason reason;
  char token[32];

  for (number = 0; number < 2 * CX_REPLAY_BUCKETS * CX_REPLAY_SLOTS / 3; number++) {
    snprintf(token, sizeof token, "%d", number);
    assert_int_equal(use_token(folder, token, NOW), CORTEX_OK);
  }
  for (number = 0; number < 2 * CX_REPLAY_BUCKETS * CX_REPLAY_SLOTS / 3; number++) {
    struct cx_use what = usual;

    snprintf(token, sizeof token, "ahead-%d", number);
    what.token_id = token;
    what.now = NOW + 86400;
    what.usable_until = what.now + 3600;
    assert_int_equal(use(folder, what), CORTEX_OK);
  }
  for (number = 0; number < 2 * CX_REPLAY_BUCKETS * CX_REPLAY_SLOTS / 3; number++) {
    snprintf(token, sizeof token, "%d", number);
    reason = use_token(folder, token, NOW + 10);
    assert_true(reason == CORTEX_REPLAYED || reason == CORTEX_STATE_UNAVAILABLE);
    forgotten += reason == CORTEX_STATE_UNAVAILABLE;
    live += reason == CORTEX_REPLAYED;
  }
  assert_true(forgotten > 0);
  assert_true(live > 0);
}

/* Either bucket that it may have stood in, up to the very second. */
static void what_one_bucket_forgot_is_refused(void **state) {
  struct statefolder *folder = *state;
  struct memory memory = {.fd = -1};
  struct cx_use what = usual;
  struct entry entry;
  size_t which;
  char token[8];

  assert_int_equal(use_token(folder, "first", NOW), CORTEX_OK);
  memory.fd = open(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), O_RDWR);
  assert_true(memory.fd >= 0);
  for (which = 0; which < 2; which++) {
    struct head *head = &memory.buckets[which].head;

    snprintf(token, sizeof token, "%zu", which);
    what.token_id = token;
    make_entry(&what, &entry);
    choose_buckets(&memory, &entry);
    head->forgotten = entry.until;
    head->check = check_of(head, memory.at[which], 0);
    assert_int_equal(write_block(&memory, which, 0, head, NULL), CORTEX_OK);
    assert_int_equal(use(folder, what), CORTEX_STATE_UNAVAILABLE);
    what.usable_until++;
    assert_int_equal(use(folder, what), CORTEX_OK);
  }
  close(memory.fd);
}

/* Who saw no file either, and waited, must not put an empty one in the place of what is used by
 * now. */
static void the_second_who_makes_the_file_leaves_it(void **state) {
  struct statefolder *folder = *state;
  struct cx_state part;

  assert_int_equal(use(folder, usual), CORTEX_OK);
  assert_int_equal(cx_state_open(folder->settings, CX_STATE_REPLAY, &part, NULL), CORTEX_OK);
  assert_int_equal(make(&part, &folder->wait, NULL), CORTEX_OK);
  cx_state_close(&part);
  assert_int_equal(use(folder, usual), CORTEX_REPLAYED);
}

/* ---- damage ---- */

static void flip(struct statefolder *folder, off_t at) {
  int fd = open(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), O_RDWR);
  unsigned char byte;

  assert_int_equal(pread(fd, &byte, 1, at), 1);
  byte ^= 0x40;
  assert_int_equal(pwrite(fd, &byte, 1, at), 1);
  close(fd);
}

/* Where the one entry of the file stands. */
static off_t find_entry(struct statefolder *folder) {
  FILE *file = fopen(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), "r");
  off_t at = 0;
  int byte;

  assert_non_null(file);
  while ((byte = fgetc(file)) == 0)
    at++;
  fclose(file);
  assert_true(byte != EOF);
  return at / 64 * 64;
}

static void any_flipped_bit_of_its_page_refuses(void **state) {
  struct statefolder *folder = *state;
  off_t entry, page, at;

  assert_int_equal(use(folder, usual), CORTEX_OK);
  entry = find_entry(folder);
  page = entry / CX_REPLAY_BUCKET * CX_REPLAY_BUCKET;
  for (at = page; at < page + CX_REPLAY_BUCKET; at += at >= entry && at < entry + 64 ? 1 : 61) {
    flip(folder, at);
    assert_int_equal(use(folder, usual), CORTEX_STATE_UNAVAILABLE);
    flip(folder, at);
    assert_int_equal(use(folder, usual), CORTEX_REPLAYED);
  }
}

static void an_entry_in_another_s_place_refuses(void **state) {
  struct statefolder *folder = *state;
  unsigned char block[64];
  off_t entry;
  int fd;

  assert_int_equal(use(folder, usual), CORTEX_OK);
  entry = find_entry(folder);
  fd = open(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), O_RDWR);
  assert_int_equal(pread(fd, block, 64, entry), 64);
  assert_int_equal(pwrite(fd, block, 64, entry + 64), 64);
  close(fd);
  assert_int_equal(use(folder, usual), CORTEX_STATE_UNAVAILABLE);
}

static void a_file_of_another_size_or_kind_refuses(void **state) {
  struct statefolder *folder = *state;
  static const off_t sizes[] = {0, 64, CX_REPLAY_BUCKET, SIZE - 1, SIZE + 1};
  char path[256];
  size_t i;

  assert_int_equal(use(folder, usual), CORTEX_OK);
  snprintf(path, sizeof path, "%s", statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE));
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    assert_int_equal(truncate(path, sizes[i]), 0);
    assert_int_equal(use_token(folder, "u", NOW), CORTEX_STATE_UNAVAILABLE);
  }
  unlink(path);
  assert_int_equal(symlink("/dev/zero", path), 0);
  assert_int_equal(use_token(folder, "u", NOW), CORTEX_STATE_UNAVAILABLE);
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(use_token(folder, "u", NOW), CORTEX_STATE_UNAVAILABLE);
  unlink(path);
  rmdir(statefolder_name(folder, CX_STATE_REPLAY, ".lock"));
  unlink(statefolder_name(folder, CX_STATE_REPLAY, ".lock"));
  rmdir(statefolder_name(folder, CX_STATE_REPLAY, NULL));
  assert_int_equal(use_token(folder, "u", NOW), CORTEX_STATE_UNAVAILABLE);
}

static void no_name_stands_in_the_file(void **state) {
  struct statefolder *folder = *state;
  struct cx_use what = usual;
  char *bytes = malloc((size_t)SIZE);
  FILE *file;

  what.token_id = "a-recognisable-token-id";
  assert_int_equal(use(folder, what), CORTEX_OK);
  file = fopen(statefolder_name(folder, CX_STATE_REPLAY, CX_REPLAY_FILE), "r");
  assert_int_equal(fread(bytes, 1, (size_t)SIZE, file), SIZE);
  fclose(file);
  assert_null(memmem(bytes, (size_t)SIZE, "recognisable", 12));
  assert_null(memmem(bytes, (size_t)SIZE, "alice", 5));
  assert_null(memmem(bytes, (size_t)SIZE, "192.0.2", 7));
  free(bytes);
}

static void without_memory_nothing_is_made_and_nothing_opens(void **state) {
  struct statefolder *folder = *state;
  bool failed = true;
  size_t nth;

  for (nth = 1; failed; nth++) {
    enum cortex_reason reason;

    failing_start(nth, true);
    reason = use(folder, usual);
    failed = failing_stop();
    assert_int_equal(reason, failed ? CORTEX_INTERNAL : CORTEX_OK);
  }
  assert_true(nth > 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, statefolder_setup, statefolder_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_credential_opens_once),
      TEST(what_has_no_id_or_end_is_refused),
      TEST(a_window_opens_again_for_the_same_user_only),
      TEST(of_64_processes_one_wins),
      TEST(a_kill_loses_nothing_that_was_answered),
      TEST(who_waits_too_long_is_refused),
      TEST(a_full_memory_refuses_and_empties_by_time),
      TEST(what_a_wrong_clock_forgot_is_refused),
      TEST(what_one_bucket_forgot_is_refused),
      TEST(the_second_who_makes_the_file_leaves_it),
      TEST(any_flipped_bit_of_its_page_refuses),
      TEST(an_entry_in_another_s_place_refuses),
      TEST(a_file_of_another_size_or_kind_refuses),
      TEST(no_name_stands_in_the_file),
      TEST(without_memory_nothing_is_made_and_nothing_opens),
  };

  failing_install();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
