/*
 * Anchors: sent to the system's log, and what they show that the chain cannot.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "trail.h"

static int listen_at(const char *path) {
  struct sockaddr_un log = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  assert_true(fd >= 0);
  snprintf(log.sun_path, sizeof log.sun_path, "%s", path);
  assert_int_equal(bind(fd, (struct sockaddr *)&log, sizeof log), 0);
  return fd;
}

/* The next message, or an empty text. */
static const char *next(int fd) {
  static char text[2048];
  ssize_t n = recv(fd, text, sizeof text - 1, 0);

  text[n > 0 ? n : 0] = '\0';
  return text;
}

static uint64_t anchor_in(const char *message) {
  static const char before[] = "<85>cortex-audit: anchor ";

  assert_memory_equal(message, before, strlen(before));
  return strtoull(message + strlen(before), NULL, 10);
}

static void anchors_go_out_at_the_begin_and_at_each_interval(void **state) {
  struct trail *trail = *state;
  int log = listen_at(trail->log_socket);

  trail->options.anchor_every = 10;
  trail_fill(trail, 25);
  assert_int_equal(anchor_in(next(log)), 1);
  assert_int_equal(anchor_in(next(log)), 10);
  assert_int_equal(anchor_in(next(log)), 20);
  assert_string_equal(next(log), "");
  trail->options.anchor_every = 0;
  trail_fill(trail, 10);
  assert_string_equal(next(log), "");
  close(log);
}

static void facility_and_file_are_in_the_message(void **state) {
  struct trail *trail = *state;
  int log = listen_at(trail->log_socket);
  const char *message;

  trail->options.syslog = 16;
  trail_fill(trail, 1);
  message = next(log);
  assert_memory_equal(message, "<133>cortex-audit: anchor 1:", 28);
  assert_string_equal(message + 28 + 65, trail->file);
  close(log);
}

static void rotation_sends_the_new_file_s_first_record(void **state) {
  struct trail *trail = *state;
  char archive[CORTEX_AUDIT_PATH_MAX];
  int log;

  trail_fill(trail, 3);
  log = listen_at(trail->log_socket);
  assert_int_equal(cortex_audit_rotate(&trail->options, &trail->clock, 0, archive, NULL),
                   CORTEX_OK);
  assert_int_equal(anchor_in(next(log)), 4);
  close(log);
}

static void a_log_that_takes_nothing_does_not_hold_a_login(void **state) {
  struct trail *trail = *state;
  int log = listen_at(trail->log_socket);
  int64_t start = trail->clock.monotonic(&trail->clock);

  trail->options.anchor_every = 1;
  trail_fill(trail, 600); /* more than a socket's queue holds */
  assert_true(trail->clock.monotonic(&trail->clock) - start < 10000000000LL);
  trail->options.log_socket = trail->folder;
  trail_fill(trail, 1);
  trail->options.log_socket = "/a/path/that/is/longer/than/a/unix/socket/can/have/a/path/that/is/"
                              "longer/than/a/unix/socket/can/have/and/so/can/not/be/reached";
  trail_fill(trail, 1);
  trail_expect(trail, "");
  close(log);
}

/* Fills the trail with `count` records and keeps what syslog would have in FILE.log. */
static const char *fill_and_log(struct trail *trail, unsigned count) {
  int log = listen_at(trail->log_socket);
  FILE *file = fopen(trail_path(trail, ".log"), "we");
  const char *message;

  assert_non_null(file);
  trail->options.anchor_every = 5;
  trail_fill(trail, count);
  fprintf(file, "Nov 23 15:00:00 db1 sshd[77]: unrelated 12:34\n\n");
  while (*(message = next(log)) != '\0')
    fprintf(file, "Nov 23 15:26:54 db1 %s\n", strchr(message, '>') + 1);
  fclose(file);
  close(log);
  unlink(trail->log_socket);
  return trail_path(trail, ".log");
}

static void cut_after(const struct trail *trail, unsigned lines) {
  size_t len;
  char *bytes = trail_read(trail->file, &len), *at = bytes;

  while (lines-- > 0)
    at = strchr(at, '\n') + 1;
  trail_write(trail->file, bytes, (size_t)(at - bytes));
  free(bytes);
}

static void anchors_of_the_log_are_met(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct verdict verdict;
  const char *log = fill_and_log(trail, 12);

  trail_verify(trail, files, 1, log, &verdict);
  assert_string_equal(verdict.text, "");
  assert_int_equal(verdict.summary.anchors_met, 3);
}

static void a_cut_tail_is_caught_up_to_the_last_anchor(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct verdict verdict;
  const char *log = fill_and_log(trail, 12);

  cut_after(trail, 11);
  trail_verify(trail, files, 1, log, &verdict);
  assert_string_equal(verdict.text, "");
  cut_after(trail, 8);
  trail_verify(trail, files, 1, NULL, &verdict);
  assert_string_equal(verdict.text, "");
  trail_verify(trail, files, 1, log, &verdict);
  assert_string_equal(verdict.text, "cut 0-0 9-10");
  assert_false(verdict.summary.intact);
  cut_after(trail, 0);
  trail_verify(trail, files, 1, log, &verdict);
  assert_string_equal(verdict.text, "cut 0-0 1-10");
}

static void a_chain_rewritten_as_a_whole_is_caught_by_an_anchor(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct verdict verdict;
  const char *log = fill_and_log(trail, 12);

  assert_int_equal(unlink(trail->file), 0);
  trail->clock.offset++;
  trail_fill(trail, 12);
  trail_verify(trail, files, 1, NULL, &verdict);
  assert_string_equal(verdict.text, "");
  trail_verify(trail, files, 1, log, &verdict);
  assert_string_equal(verdict.text, "anchor 1-1 1-1; anchor 5-5 5-5; anchor 10-10 10-10");
}

static void anchors_come_in_any_order_and_count_once(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct cortex_anchor anchors[3];
  struct cortex_audit_check check = {
      .files = files, .file_count = 1, .anchors = anchors, .anchor_count = 3};
  struct cortex_audit_summary summary;
  size_t i, len;
  char *bytes;

  for (i = 3; i-- > 0;) {
    trail_fill(trail, 1);
    assert_int_equal(cortex_audit_verify(&(struct cortex_audit_check){.files = files,
                                                                     .file_count = 1},
                                         &summary, NULL),
                     CORTEX_OK);
    anchors[i].seq = summary.last_seq;
    memcpy(anchors[i].hash, summary.last_hash, sizeof anchors[i].hash);
  }
  bytes = trail_read(trail->file, &len);
  bytes = realloc(bytes, 2 * len);
  assert_non_null(bytes);
  memcpy(bytes + len, bytes, len);
  trail_write(trail->file, bytes, 2 * len);
  free(bytes);
  assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_OK);
  assert_int_equal(summary.anchors_met, 3);
  assert_int_equal(summary.breaks, 1);
}

static void anchors_before_the_first_file_are_counted_only(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  char archive[CORTEX_AUDIT_PATH_MAX];
  struct verdict verdict;
  const char *log = fill_and_log(trail, 12);

  assert_int_equal(cortex_audit_rotate(&trail->options, &trail->clock, 0, archive, NULL),
                   CORTEX_OK);
  trail_verify(trail, files, 1, log, &verdict);
  assert_string_equal(verdict.text, "continued 1-1 13-13");
  assert_true(verdict.summary.intact);
  assert_int_equal(verdict.summary.anchors_earlier, 3);
  assert_int_equal(verdict.summary.anchors_met, 0);
}

static void anchors_are_read_strictly(void **state) {
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  static const char *const bad[] = {"",          "1",          ":" HEX,     "0:" HEX,
                                    "1:" HEX "0", " 1:" HEX,    "1:" HEX " ", "-1:" HEX,
                                    "1;" HEX,    "9223372036854775808:" HEX,
                                    "1:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
                                    "1:0123456789abcdef"};
  struct cortex_anchor anchor;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(cortex_anchor_parse(bad[i], &anchor));
  assert_true(cortex_anchor_parse("9223372036854775807:" HEX, &anchor));
  assert_int_equal(anchor.seq, INT64_MAX);
  assert_string_equal(anchor.hash, HEX);
}

static void a_missing_anchors_file_is_an_error(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct cortex_audit_check check = {
      .files = files, .file_count = 1, .anchors_file = trail_path(trail, ".log")};
  struct cortex_audit_summary summary;

  trail_fill(trail, 1);
  assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_AUDIT_UNAVAILABLE);
  assert_false(summary.intact);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_setup, trail_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(anchors_go_out_at_the_begin_and_at_each_interval),
      TEST(facility_and_file_are_in_the_message),
      TEST(rotation_sends_the_new_file_s_first_record),
      TEST(a_log_that_takes_nothing_does_not_hold_a_login),
      TEST(anchors_of_the_log_are_met),
      TEST(a_cut_tail_is_caught_up_to_the_last_anchor),
      TEST(a_chain_rewritten_as_a_whole_is_caught_by_an_anchor),
      TEST(anchors_come_in_any_order_and_count_once),
      TEST(anchors_before_the_first_file_are_counted_only),
      cmocka_unit_test(anchors_are_read_strictly),
      TEST(a_missing_anchors_file_is_an_error),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
