/*
 * Rotation, ours and logrotate's, and killed writers: nothing is lost and the chain holds.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include <cortexauth/audit.h>

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "trail.h"

static void rotate(struct trail *trail, char archive_out[CORTEX_AUDIT_PATH_MAX]) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason =
      cortex_audit_rotate(&trail->options, &trail->clock, 0, archive_out, &error);

  if (reason != CORTEX_OK)
    print_error("%s\n", error.message);
  assert_int_equal(reason, CORTEX_OK);
}

/* Verifies the named suffixes of the file in order ("" is the file itself). */
static void expect_set(struct trail *trail, const char *const *suffixes, const char *findings,
                       uint64_t records) {
  const char *files[16] = {NULL};
  struct verdict verdict;
  size_t count = 0;

  for (; suffixes[count] != NULL; count++)
    files[count] = strdup(trail_path(trail, suffixes[count]));
  trail_verify(trail, files, count, NULL, &verdict);
  assert_string_equal(verdict.text, findings);
  assert_int_equal(verdict.summary.records, records);
  while (count > 0)
    free((char *)(uintptr_t)files[--count]);
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static void move(const struct trail *trail, const char *from, const char *to) {
  char old[256];

  snprintf(old, sizeof old, "%s", trail_path(trail, from));
  assert_int_equal(rename(old, trail_path(trail, to)), 0);
}

static void the_new_file_continues_the_chain(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];
  struct stat status;

  trail_fill(trail, 3);
  assert_int_equal(chmod(trail->file, 0640), 0);
  rotate(trail, archive);
  assert_string_equal(archive, trail_path(trail, ".000000000001"));
  assert_int_equal(stat(trail->file, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0640);
  trail_fill(trail, 2);
  expect_set(trail, SET(".000000000001", ""), "", 6);
  rotate(trail, archive);
  assert_string_equal(archive, trail_path(trail, ".000000000004"));
  expect_set(trail, SET(".000000000001", ".000000000004", ""), "", 7);
  expect_set(trail, SET(".000000000004", ""), "continued 1-1 4-4", 4);
  expect_set(trail, SET(".000000000001", ""), "removed 1-1 4-6", 4);
}

/* Called at the one break of the file before: by then the last file is another one. */
static void rotate_meanwhile(void *context, const struct cortex_finding *finding) {
  char archive[CORTEX_AUDIT_PATH_MAX];

  assert_int_equal(finding->kind, CORTEX_FINDING_EDITED);
  rotate(context, archive);
}

static void a_rotation_while_it_is_verified_removes_nothing(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];
  const char *files[] = {archive, trail->file};
  const struct cortex_audit_check check = {
      .files = files, .file_count = 2, .report = rotate_meanwhile, .context = trail};
  struct cortex_audit_summary summary;
  size_t len;
  char *bytes;

  trail_fill(trail, 3);
  rotate(trail, archive);
  trail_fill(trail, 2);
  bytes = trail_read(archive, &len);
  bytes[10] ^= 1;
  trail_write(archive, bytes, len);
  free(bytes);
  assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_OK);
  assert_int_equal(summary.breaks, 1);
  assert_int_equal(summary.records, 6);
}

static void a_file_without_records_is_not_rotated(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];

  rotate(trail, archive);
  assert_string_equal(archive, "");
  assert_int_equal(access(trail->file, F_OK), -1);
  trail_write(trail->file, "", 0);
  rotate(trail, archive);
  assert_string_equal(archive, "");
}

static void a_torn_line_is_accounted_for_over_rotation(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];
  size_t len;
  char *bytes;

  trail_fill(trail, 3);
  bytes = trail_read(trail->file, &len);
  trail_write(trail->file, bytes, len - 30);
  free(bytes);
  rotate(trail, archive);
  trail_fill(trail, 1);
  expect_set(trail, SET(".000000000001", ""), "recovered 3-3 0-0", 4);
}

static void what_a_killed_rotation_left_is_taken_up(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];

  trail_fill(trail, 3);
  trail_write(trail_path(trail, ".new"), "{\"half", 6);
  assert_int_equal(link(trail->file, trail_path(trail, ".000000000001")), 0);
  trail_fill(trail, 2);
  rotate(trail, archive);
  expect_set(trail, SET(".000000000001", ""), "", 6);
}

static void a_name_that_is_taken_is_not_overwritten(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];
  size_t len;
  char *bytes;

  trail_fill(trail, 3);
  trail_write(trail_path(trail, ".000000000001"), "precious", 8);
  assert_int_equal(cortex_audit_rotate(&trail->options, &trail->clock, 0, archive, NULL),
                   CORTEX_AUDIT_UNAVAILABLE);
  assert_string_equal(archive, "");
  bytes = trail_read(trail_path(trail, ".000000000001"), &len);
  assert_string_equal(bytes, "precious");
  free(bytes);
  assert_int_equal(access(trail_path(trail, ".new"), F_OK), -1);
  trail_expect(trail, "");
}

static void a_moved_file_is_continued_with_and_without_create(void **state) {
  struct trail *trail = *state;

  trail_fill(trail, 3);
  move(trail, "", ".1");
  trail_fill(trail, 2);
  expect_set(trail, SET(".1", ""), "", 6);
  move(trail, ".1", ".2");
  move(trail, "", ".1");
  trail_write(trail->file, "", 0);
  trail_fill(trail, 2);
  expect_set(trail, SET(".2", ".1", ""), "", 9);
  move(trail, "", "-20261123");
  trail_fill(trail, 1);
  expect_set(trail, SET(".2", ".1", "-20261123", ""), "", 11);
}

static void a_moved_file_with_a_torn_end_is_continued(void **state) {
  struct trail *trail = *state;
  size_t len, first;
  char *bytes;

  trail_fill(trail, 3);
  bytes = trail_read(trail->file, &len);
  trail_write(trail_path(trail, ".1"), bytes, len - 100);
  free(bytes);
  assert_int_equal(unlink(trail->file), 0);
  trail_fill(trail, 1);
  expect_set(trail, SET(".1", ""), "recovered 3-3 0-0", 4);
  /* and the writer that began the new file was killed inside its first record */
  bytes = trail_read(trail->file, &len);
  first = (size_t)(strchr(bytes, '\n') - bytes);
  trail_write(trail->file, bytes, first - 40);
  free(bytes);
  trail_fill(trail, 1);
  expect_set(trail, SET(".1", ""), "recovered 3-3 0-0; recovered 1-1 0-0", 4);
}

static void the_moved_file_is_read_under_its_own_lock(void **state) {
  struct trail *trail = *state;
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int fd;

  trail_fill(trail, 3);
  move(trail, "", ".1");
  fd = open(trail_path(trail, ".1"), O_RDWR | O_CLOEXEC);
  assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
  assert_int_equal(trail_append(trail, &(struct cortex_record){.role = "alice"}),
                   CORTEX_AUDIT_UNAVAILABLE);
  close(fd);
  trail_fill(trail, 1);
  expect_set(trail, SET(".1", ""), "", 5);
}

static void garbage_before_a_continued_file_s_first_record_is_named(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX], *bytes, *with;
  size_t len;

  trail_fill(trail, 12);
  rotate(trail, archive);
  bytes = trail_read(trail->file, &len);
  assert_true(asprintf(&with, "x\n%s", bytes) > 0);
  trail_write(trail->file, with, len + 2);
  trail_expect(trail, "edited 1-1 0-0; continued 2-2 13-13");
  free(bytes);
  free(with);
}

static void files_beside_that_are_no_trail_are_not_continued(void **state) {
  struct trail *trail = *state;

  trail_fill(trail, 3);
  move(trail, "", ".1");
  trail_write(trail_path(trail, ".2"), "\x1f\x8b nothing", 10);
  trail_write(trail_path(trail, ".3"), "a note\n", 7);
  assert_int_equal(symlink("audit.jsonl.1", trail_path(trail, ".4")), 0);
  assert_int_equal(mkdir(trail_path(trail, ".5"), 0700), 0);
  trail_fill(trail, 1);
  expect_set(trail, SET(".1", ""), "", 5);
  assert_int_equal(chmod(trail_path(trail, ".1"), 0666), 0);
  assert_int_equal(unlink(trail->file), 0);
  trail_fill(trail, 1);
  expect_set(trail, SET(".1", ""), "restarted 1-1 1-1", 4);
}

static void a_trail_whose_name_begins_the_same_is_another(void **state) {
  struct trail *trail = *state;

  trail_fill(trail, 3);
  move(trail, "", "-staging");
  trail_fill(trail, 2);
  trail_expect(trail, "");
}

/* ---- several processes ---- */

static void nap(long nanoseconds) {
  struct timespec time = {0, nanoseconds};

  nanosleep(&time, NULL);
}

/*
 * A writer: appends records 1 to `last`, telling each answer with one byte in
 * the pipe, starting behind what the parent has counted.
 */
static pid_t start_writer(struct trail *trail, const char *name, unsigned first, unsigned last,
                          int answers) {
  struct cortex_record record = {.event = CORTEX_EVENT_LOGIN, .role = name};
  pid_t pid = fork();
  char reference[32];

  if (pid != 0)
    return pid;
  for (; first <= last; first++) {
    snprintf(reference, sizeof reference, "%s-%u", name, first);
    record.reference = reference;
    if (trail_append(trail, &record) != CORTEX_OK || write(answers, "x", 1) != 1)
      _exit(1);
  }
  _exit(0);
}

/* A writer waits for the moved file's lock; meanwhile another file that continues it is moved. */
static void a_file_moved_meanwhile_is_the_one_continued(void **state) {
  struct trail *trail = *state;
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int fd, answers[2], status;
  pid_t writer;

  trail_fill(trail, 3);
  move(trail, "", ".1");
  trail_fill(trail, 1);
  move(trail, "", "x");
  fd = open(trail_path(trail, ".1"), O_RDWR | O_CLOEXEC);
  assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
  assert_int_equal(pipe(answers), 0);
  writer = start_writer(trail, "w", 1, 1, answers[1]);
  nap(100000000);
  move(trail, "x", ".2");
  whole.l_type = F_UNLCK; /* closing alone would leave the writer's inherited copy locked */
  assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
  close(fd);
  assert_int_equal(waitpid(writer, &status, 0), writer);
  assert_int_equal(status, 0);
  close(answers[0]);
  close(answers[1]);
  expect_set(trail, SET(".1", ".2", ""), "", 7);
}

static unsigned count_answers(int answers) {
  char bytes[4096];
  unsigned count = 0;
  ssize_t n;

  while ((n = read(answers, bytes, sizeof bytes)) > 0)
    count += (unsigned)n;
  return count;
}

static void running_writers_lose_nothing_by_rotation(void **state) {
  static const char *const names[] = {"a", "b", "c"};
  struct trail *trail = *state;
  const char *files[64];
  char archive[CORTEX_AUDIT_PATH_MAX];
  struct verdict verdict;
  int answers[2], status;
  size_t count = 0, i;
  unsigned moved = 0;
  pid_t pids[3];

  assert_int_equal(pipe(answers), 0);
  for (i = 0; i < 3; i++)
    pids[i] = start_writer(trail, names[i], 1, 2000, answers[1]);
  close(answers[1]);
  for (i = 0; i < 20; i++) {
    nap(4000000);
    if (i % 2 == 0) {
      rotate(trail, archive);
      if (archive[0] != '\0')
        files[count++] = strdup(archive);
    } else if (access(trail->file, F_OK) == 0) {
      char suffix[32];

      snprintf(suffix, sizeof suffix, "-2026%04u", ++moved);
      move(trail, "", suffix);
      files[count++] = strdup(trail_path(trail, suffix));
      close(open(trail->file, O_WRONLY | O_CREAT | O_EXCL, 0660)); /* unless a writer was faster */
    }
  }
  assert_int_equal(count_answers(answers[0]), 6000);
  close(answers[0]);
  for (i = 0; i < 3; i++) {
    assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
    assert_int_equal(status, 0);
  }
  assert_true(moved > 0 && count > moved);
  files[count++] = strdup(trail->file);
  trail_verify(trail, files, count, NULL, &verdict);
  assert_string_equal(verdict.text, "");
  assert_true(verdict.summary.records >= 6000 && verdict.summary.records <= 6000 + count);
  while (count > 0)
    free((char *)(uintptr_t)files[--count]);
}

/* A writer under fire: what it has answered, and how often it was killed. */
struct target {
  const char *name;
  pid_t pid;
  int answers;
  unsigned answered, kills;
};

static void launch(struct trail *trail, struct target *target, unsigned wanted) {
  int answers[2];

  assert_int_equal(pipe(answers), 0);
  /* an unanswered record may be there: numbers go on behind it, with a gap at most */
  target->pid = start_writer(trail, target->name, target->answered + 1, wanted, answers[1]);
  close(answers[1]);
  target->answers = answers[0];
}

/* Until so many answers have come, or the writer is done. */
static void await_answers(const struct target *target, int wanted) {
  struct pollfd end = {.fd = target->answers};
  int here = 0;

  for (;;) {
    assert_int_equal(ioctl(target->answers, FIONREAD, &here), 0);
    if (here >= wanted || (poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0))
      return;
    nap(50000);
  }
}

/* Waits for the end, counts the answers; true when the writer was done. */
static bool reap(struct target *target) {
  int status;

  target->answered += count_answers(target->answers);
  close(target->answers);
  assert_int_equal(waitpid(target->pid, &status, 0), target->pid);
  if (WIFSIGNALED(status)) {
    assert_int_equal(WTERMSIG(status), SIGKILL);
    target->kills++;
    return false;
  }
  assert_int_equal(status, 0);
  return true;
}

static unsigned count_of(const char *bytes, size_t len, const char *name) {
  const char *at = bytes, *end = bytes + len;
  char needle[32];
  unsigned count = 0;

  snprintf(needle, sizeof needle, "\"role\":\"%s\"", name);
  while ((at = memmem(at, (size_t)(end - at), needle, strlen(needle))) != NULL) {
    count++;
    at++;
  }
  return count;
}

/*
 * Two processes write 10,000 records each while both are killed after a random number
 * of answers, somewhere in a later one, and restarted. A kill leaves at most one record
 * that is in the file without an answer; no answered one may be missing.
 */
static void killed_writers_lose_no_answered_record(void **state) {
  enum { WANTED = 10000, AT_ONCE = 60 };
  struct trail *trail = *state;
  struct target targets[2] = {{.name = "a"}, {.name = "b"}};
  const char *files[] = {trail->file};
  struct verdict verdict;
  unsigned running = 2, i, seed = (unsigned)getpid();
  size_t len;
  char *bytes;

  print_message("# seed %u\n", seed);
  for (i = 0; i < 2; i++)
    launch(trail, &targets[i], WANTED);
  while (running > 0) {
    i = (unsigned)rand_r(&seed) % 2;
    if (targets[i].pid == 0)
      continue;
    await_answers(&targets[i], rand_r(&seed) % AT_ONCE);
    kill(targets[i].pid, SIGKILL);
    if (reap(&targets[i])) {
      targets[i].pid = 0;
      running--;
    } else {
      launch(trail, &targets[i], WANTED);
    }
  }
  print_message("# killed %u and %u times\n", targets[0].kills, targets[1].kills);
  assert_true(targets[0].kills + targets[1].kills > 10);
  trail_verify(trail, files, 1, NULL, &verdict);
  bytes = trail_read(trail->file, &len);
  for (i = 0; i < 2; i++) {
    unsigned found = count_of(bytes, len, targets[i].name);

    assert_int_equal(targets[i].answered, WANTED);
    assert_true(targets[i].kills > 0);
    assert_in_range(found, WANTED, WANTED + targets[i].kills);
  }
  assert_true(verdict.summary.intact);
  free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_setup, trail_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_new_file_continues_the_chain),
      TEST(a_rotation_while_it_is_verified_removes_nothing),
      TEST(a_file_without_records_is_not_rotated),
      TEST(a_torn_line_is_accounted_for_over_rotation),
      TEST(what_a_killed_rotation_left_is_taken_up),
      TEST(a_name_that_is_taken_is_not_overwritten),
      TEST(a_moved_file_is_continued_with_and_without_create),
      TEST(a_moved_file_with_a_torn_end_is_continued),
      TEST(the_moved_file_is_read_under_its_own_lock),
      TEST(garbage_before_a_continued_file_s_first_record_is_named),
      TEST(files_beside_that_are_no_trail_are_not_continued),
      TEST(a_trail_whose_name_begins_the_same_is_another),
      TEST(a_file_moved_meanwhile_is_the_one_continued),
      TEST(running_writers_lose_nothing_by_rotation),
      TEST(killed_writers_lose_no_answered_record),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
