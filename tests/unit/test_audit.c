/*
 * Appending to the trail: what a line says, and what happens to broken files and full disks.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include <cortexauth/audit.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "audit/chain.h"
#include "audit/record.h"
#include "trail.h"

static const struct cortex_record plain = {.event = CORTEX_EVENT_LOGIN, .role = "alice"};

/* The n-th line (from 1) as JSON; every line of the trail must be JSON. */
static json_t *line_at(const struct trail *trail, size_t n) {
  size_t len;
  char *bytes = trail_read(trail->file, &len), *at = bytes;
  json_t *line;

  assert_non_null(bytes);
  while (--n > 0) {
    at = strchr(at, '\n');
    assert_non_null(at);
    at++;
  }
  line = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(line);
  free(bytes);
  return line;
}

static void assert_text(const json_t *line, const char *name, const char *value) {
  assert_string_equal(json_string_value(json_object_get(line, name)), value);
}

static void a_line_says_everything_in_a_fixed_order(void **state) {
  static const char expected[] =
      "{\"time\":\"2023-11-14T22:13:20.000123Z\",\"event\":\"login\","
      "\"reference\":\"0123456789abcdef\",\"host\":\"db1\",\"service\":\"analytics-staging\","
      "\"database\":\"analytics\",\"role\":\"alice\",\"grant\":\"readers\","
      "\"address\":\"192.0.2.7\",\"pid\":4711,\"backend_start\":\"2023-11-14T22:13:19.000000Z\","
      "\"issuer\":\"https://idp.example\",\"subject\":\"s-1\",\"username\":\"alice\","
      "\"groups\":[\"engineers\",\"on-call\"],\"token_id\":\"ab12\",\"decision\":\"allow\","
      "\"levels\":[\"read\",\"admin\"],\"policies\":[\"p1\"],\"policy_digest\":\"cd34\","
      "\"session_until\":\"2023-11-15T06:13:20Z\",\"reason\":\"ok\",\"duration\":812,"
      "\"count\":3,\"detail\":\"more\",\"seq\":1,"
      "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":\"";
  static const char *const groups[] = {"engineers", "on-call"};
  static const char *const policies[] = {"p1"};
  struct trail *trail = *state;
  size_t len;
  char *bytes;

  trail->clock.offset += 123;
  assert_int_equal(
      trail_append(trail, &(struct cortex_record){.event = CORTEX_EVENT_LOGIN,
                                                  .reference = "0123456789abcdef",
                                                  .host = "db1",
                                                  .service = "analytics-staging",
                                                  .database = "analytics",
                                                  .role = "alice",
                                                  .grant = "readers",
                                                  .address = "192.0.2.7",
                                                  .pid = 4711,
                                                  .backend_start = 1699999999000000,
                                                  .issuer = "https://idp.example",
                                                  .subject = "s-1",
                                                  .username = "alice",
                                                  .groups = groups,
                                                  .group_count = 2,
                                                  .token_id = "ab12",
                                                  .effect = CORTEX_ALLOW,
                                                  .levels = CORTEX_LEVEL_READ | CORTEX_LEVEL_ADMIN,
                                                  .policies = policies,
                                                  .policy_count = 1,
                                                  .policy_digest = "cd34",
                                                  .session_until = 1700028800,
                                                  .duration = 812,
                                                  .count = 3,
                                                  .detail = "more"}),
      CORTEX_OK);
  bytes = trail_read(trail->file, &len);
  assert_memory_equal(bytes, expected, strlen(expected));
  assert_int_equal(len, strlen(expected) + 64 + 3);
  free(bytes);
  trail_expect(trail, "");
}

static void what_is_not_known_is_left_out_and_a_login_denies_by_default(void **state) {
  struct trail *trail = *state;
  json_t *line;

  assert_int_equal(trail_append(trail, &(struct cortex_record){.reason = CORTEX_DEADLINE}),
                   CORTEX_OK);
  line = line_at(trail, 1);
  assert_text(line, "decision", "deny");
  assert_text(line, "reason", "deadline");
  assert_int_equal(json_object_size(line), 7);
  json_decref(line);
  assert_int_equal(trail_append(trail, &(struct cortex_record){.event = CORTEX_EVENT_GRANTED,
                                                               .role = "alice",
                                                               .grant = "readers"}),
                   CORTEX_OK);
  line = line_at(trail, 2);
  assert_text(line, "event", "granted");
  assert_null(json_object_get(line, "decision"));
  assert_null(json_object_get(line, "reason"));
  json_decref(line);
}

static void hostile_strings_stay_inside_their_line(void **state) {
  static const struct {
    const char *role, *read;
  } cases[] = {
      {"a\"b\\c", "a\"b\\c"},
      {"a\nb\r\tc", "a\nb\r\tc"},
      {"\x01\x1f\x7f", "\x01\x1f\x7f"},
      {"\xff\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"caf\xc3", "caf\xef\xbf\xbd"},
      {"\xc2\x85\xe2\x80\xa8", "\xc2\x85\xe2\x80\xa8"},
      {"\",\"seq\":9,\"prev\":\"0\",\"hash\":\"0\"}", "\",\"seq\":9,\"prev\":\"0\",\"hash\":\"0\"}"},
      {"012345678901234567890123456789012345678901234567890123456789012",
       "012345678901234567890123456789012345678901234567890123456789012"},
      {"", ""},
  };
  struct trail *trail = *state;
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cortex_record record = plain;
    json_t *line;

    record.role = record.detail = cases[i].role;
    record.groups = &cases[i].role;
    record.group_count = 1;
    assert_int_equal(trail_append(trail, &record), CORTEX_OK);
    line = line_at(trail, i + 1);
    assert_text(line, "role", cases[i].read);
    assert_text(line, "detail", cases[i].read);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(line, "groups"), 0)), cases[i].read);
    assert_int_equal(json_integer_value(json_object_get(line, "seq")), (json_int_t)i + 1);
    json_decref(line);
  }
  trail_expect(trail, "");
}

/* Every string at its longest form in bytes, every list longer than its cap. */
static void the_largest_record_fits_its_bounds(void **state) {
  struct trail *trail = *state;
  struct cortex_record record = plain;
  const char *items[200];
  char *text = malloc(70000);
  json_t *line;
  size_t i, len;
  char *bytes;

  assert_non_null(text);
  memset(text, 1, 69999);
  text[69999] = '\0';
  for (i = 0; i < 200; i++)
    items[i] = text;
  record.reference = record.host = record.service = record.database = record.role = text;
  record.grant = record.address = record.issuer = record.subject = record.username = text;
  record.token_id = record.policy_digest = record.detail = text;
  record.groups = record.policies = items;
  record.group_count = record.policy_count = 200;
  record.pid = record.backend_start = record.session_until = record.duration = INT64_MAX;
  record.count = INT64_MIN;
  record.levels = 15;
  assert_int_equal(trail_append(trail, &record), CORTEX_OK);
  bytes = trail_read(trail->file, &len);
  assert_true(len <= CX_CHAIN_LINE_MAX);
  free(bytes);
  line = line_at(trail, 1);
  i = json_array_size(json_object_get(line, "groups"));
  assert_true(i > 0 && i < 200);
  assert_int_equal(json_integer_value(json_object_get(line, "groups_omitted")), 200 - (json_int_t)i);
  assert_text(line, "session_until", "9999-12-31T23:59:59Z");
  json_decref(line);
  free(text);
  trail_expect(trail, "");
}

static const char *expected_bad(char *text) {
  size_t i;

  *text = '\0';
  for (i = 0; i < CX_RECORD_TEXT_MAX / 3; i++)
    strcat(text, "\xef\xbf\xbd");
  return strcat(text, "\xe2\x80\xa6");
}

static void a_long_string_is_cut_at_a_character_and_marked(void **state) {
  struct trail *trail = *state;
  struct cortex_record record = plain;
  char text[1024] = "", expected[1024] = "";
  json_t *line;
  size_t i;

  for (i = 0; i < 300; i++)
    strcat(text, "\xe2\x82\xac");
  memcpy(expected, text, CX_RECORD_TEXT_MAX / 3 * 3);
  strcat(expected, "\xe2\x80\xa6");
  record.subject = text;
  assert_int_equal(trail_append(trail, &record), CORTEX_OK);
  line = line_at(trail, 1);
  assert_text(line, "subject", expected);
  json_decref(line);
  /* a bad byte becomes three */
  memset(text, 0xff, 300);
  text[300] = '\0';
  assert_int_equal(trail_append(trail, &record), CORTEX_OK);
  line = line_at(trail, 2);
  assert_text(line, "subject", expected_bad(expected));
  json_decref(line);
  /* and letters are cut like others */
  memset(text, 'x', CX_RECORD_TEXT_MAX + 1);
  text[CX_RECORD_TEXT_MAX + 1] = '\0';
  memset(expected, 'x', CX_RECORD_TEXT_MAX);
  strcpy(expected + CX_RECORD_TEXT_MAX, "\xe2\x80\xa6");
  assert_int_equal(trail_append(trail, &record), CORTEX_OK);
  line = line_at(trail, 3);
  assert_text(line, "subject", expected);
  json_decref(line);
}

static void more_items_than_the_cap_are_counted(void **state) {
  struct trail *trail = *state;
  struct cortex_record record = plain;
  const char *items[CX_RECORD_ITEMS_MAX + 5];
  json_t *line;
  size_t i;

  for (i = 0; i < CX_RECORD_ITEMS_MAX + 5; i++)
    items[i] = "g";
  record.policies = items;
  record.policy_count = CX_RECORD_ITEMS_MAX;
  assert_int_equal(trail_append(trail, &record), CORTEX_OK);
  record.policy_count = CX_RECORD_ITEMS_MAX + 5;
  assert_int_equal(trail_append(trail, &record), CORTEX_OK);
  line = line_at(trail, 1);
  assert_null(json_object_get(line, "policies_omitted"));
  json_decref(line);
  line = line_at(trail, 2);
  assert_int_equal(json_array_size(json_object_get(line, "policies")), CX_RECORD_ITEMS_MAX);
  assert_int_equal(json_integer_value(json_object_get(line, "policies_omitted")), 5);
  json_decref(line);
}

static void clocks_that_are_far_off_still_give_a_time(void **state) {
  static const struct {
    int64_t now;
    const char *time;
  } cases[] = {
      {1, "1970-01-01T00:00:00.000001Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {951782400000000, "2000-02-29T00:00:00.000000Z"},
      {1709164800000000, "2024-02-29T00:00:00.000000Z"},
      {4107542399999999, "2100-02-28T23:59:59.999999Z"},
      {4107542400000000, "2100-03-01T00:00:00.000000Z"},
      {INT64_MAX, "9999-12-31T23:59:59.775807Z"},
      {INT64_MIN, "0000-01-01T00:00:00.224192Z"},
  };
  struct trail *trail = *state;
  json_t *line;
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    trail->clock.offset = cases[i].now;
    assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
    line = line_at(trail, i + 1);
    assert_text(line, "time", cases[i].time);
    json_decref(line);
  }
}

static void the_file_is_made_for_owner_and_group_whatever_the_umask(void **state) {
  struct trail *trail = *state;
  struct stat status;
  mode_t mask = umask(077);

  assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
  umask(mask);
  assert_int_equal(stat(trail->file, &status), 0);
  assert_int_equal(status.st_mode & 07777, 0660);
}

static void expect_refusal(struct trail *trail) {
  assert_int_equal(trail_append(trail, &plain), CORTEX_AUDIT_UNAVAILABLE);
  assert_int_equal(trail->error.reason, CORTEX_AUDIT_UNAVAILABLE);
  assert_string_equal(trail->error.source, trail->options.file);
}

static void files_that_cannot_be_trusted_are_refused(void **state) {
  struct trail *trail = *state;
  char target[256];

  trail->options.file = "/nonexistent/audit.jsonl";
  expect_refusal(trail);
  trail->options.file = "/dev/full";
  expect_refusal(trail);
  trail->options.file = "/proc/audit.jsonl";
  expect_refusal(trail);
  trail->options.file = trail->folder;
  expect_refusal(trail);
  trail->options.file = trail->file;
  assert_int_equal(mkfifo(trail->file, 0600), 0);
  expect_refusal(trail);
  assert_int_equal(unlink(trail->file), 0);
  trail_write(trail->file, "", 0);
  assert_int_equal(chmod(trail->file, 0666), 0);
  expect_refusal(trail);
  snprintf(target, sizeof target, "%s", trail_path(trail, ".target"));
  assert_int_equal(chmod(trail->file, 0600), 0);
  assert_int_equal(rename(trail->file, target), 0);
  assert_int_equal(symlink(target, trail->file), 0);
  expect_refusal(trail);
  assert_int_equal(unlink(target), 0);
  expect_refusal(trail);
}

static void a_file_without_any_record_is_closed_or_refused(void **state) {
  struct trail *trail = *state;
  char *zeros = calloc(1, 3 * 1024 * 1024);
  json_t *line;

  assert_non_null(zeros);
  trail_write(trail->file, "not\na log", 9);
  assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
  trail_expect(trail, "recovered 1-2 0-0");
  line = line_at(trail, 3);
  assert_text(line, "event", "recovered");
  assert_int_equal(json_integer_value(json_object_get(line, "count")), 9);
  json_decref(line);
  trail_write(trail->file, zeros, 3 * 1024 * 1024);
  expect_refusal(trail);
  free(zeros);
}

static void a_line_torn_at_any_byte_is_closed_by_the_next_writer(void **state) {
  struct trail *trail = *state;
  size_t whole, before, cut;
  char *bytes;

  trail_fill(trail, 3);
  bytes = trail_read(trail->file, &whole);
  before = whole - 1;
  while (bytes[before - 1] != '\n')
    before--;
  for (cut = before + 1; cut < whole; cut++) {
    struct verdict verdict;
    const char *files[] = {trail->file};

    trail_write(trail->file, bytes, cut);
    trail_verify(trail, files, 1, NULL, &verdict);
    assert_string_equal(verdict.text, cut + 1 < whole ? "torn 3-3 3-3" : "torn 3-3 0-0");
    assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
    trail_verify(trail, files, 1, NULL, &verdict);
    assert_string_equal(verdict.text, cut + 1 < whole ? "recovered 3-3 0-0" : "");
    assert_true(verdict.summary.intact);
    assert_int_equal(verdict.summary.records, cut + 1 < whole ? 4 : 5);
  }
  free(bytes);
}

static void a_torn_recovery_is_recovered_too(void **state) {
  struct trail *trail = *state;
  size_t whole, cut;
  char *bytes;

  trail_fill(trail, 2);
  bytes = trail_read(trail->file, &whole);
  trail_write(trail->file, bytes, whole - 20);
  free(bytes);
  assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
  bytes = trail_read(trail->file, &whole);
  for (cut = whole - 1; cut > whole - 700; cut -= 7) {
    const char *files[] = {trail->file};
    struct verdict verdict;

    trail_write(trail->file, bytes, cut);
    assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
    assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
    trail_verify(trail, files, 1, NULL, &verdict);
    assert_true(verdict.summary.intact);
  }
  free(bytes);
}

/* Puts bytes behind two records, appends one, and expects the bytes to be accounted for. */
static void expect_recovery(struct trail *trail, const char *garbage, size_t len,
                            const char *findings) {
  FILE *file;

  (void)unlink(trail->file);
  trail_fill(trail, 2);
  file = fopen(trail->file, "abe");
  assert_non_null(file);
  assert_int_equal(fwrite(garbage, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
  trail_expect(trail, findings);
}

static void garbage_after_the_last_record_is_passed_over_and_told(void **state) {
  struct trail *trail = *state;
  static char garbage[900000];
  size_t len;

  expect_recovery(trail, garbage, sizeof garbage, "recovered 3-3 0-0");
  /* the last record's end at each place around the border of a window */
  for (len = 15900; len < 16700; len += 9)
    expect_recovery(trail, garbage, len, "recovered 3-3 0-0");
  memset(garbage + 20000, '\n', 300);
  expect_recovery(trail, garbage, 40000, "recovered 3-303 0-0");
}

static void a_full_disk_loses_the_record_and_nothing_else(void **state) {
  struct trail *trail = *state;
  struct rlimit was, limit;
  struct stat status;
  size_t room;

  trail_fill(trail, 3);
  assert_int_equal(stat(trail->file, &status), 0);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
  limit = was;
  for (room = 0; room < 260; room += 13) {
    struct stat after;

    limit.rlim_cur = (rlim_t)status.st_size + room;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_refusal(trail);
    assert_int_equal(stat(trail->file, &after), 0);
    assert_int_equal(after.st_size, status.st_size);
  }
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
  signal(SIGXFSZ, SIG_DFL);
  trail_expect(trail, "");
  assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
  trail_expect(trail, "");
}

static int64_t step(const struct cortex_clock *clock) {
  static int64_t now;

  (void)clock;
  return now += 1000000;
}

static void a_held_lock_ends_in_a_refusal_at_the_deadline(void **state) {
  struct trail *trail = *state;
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  struct cortex_clock clock = {trail->clock.now, step, trail->clock.offset};
  struct cortex_error error = CORTEX_ERROR_NONE;
  int64_t start;
  int fd;

  trail_fill(trail, 1);
  fd = open(trail->file, O_RDWR | O_CLOEXEC);
  assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
  start = step(&clock);
  assert_int_equal(cortex_audit_append(&trail->options, &plain, &clock, 0, &error),
                   CORTEX_AUDIT_UNAVAILABLE);
  assert_in_range(step(&clock) - start, 500000000, 520000000);
  start = step(&clock);
  assert_int_equal(cortex_audit_append(&trail->options, &plain, &clock, start + 20000000, NULL),
                   CORTEX_AUDIT_UNAVAILABLE);
  assert_in_range(step(&clock) - start, 20000000, 30000000);
  close(fd);
  assert_int_equal(trail_append(trail, &plain), CORTEX_OK);
  trail_expect(trail, "");
}

static void an_unknown_event_is_refused(void **state) {
  struct trail *trail = *state;

  assert_int_equal(trail_append(trail, &(struct cortex_record){.event = CORTEX_EVENTS}),
                   CORTEX_AUDIT_UNAVAILABLE);
}

static void flush_leaves_an_absent_file_absent_and_closes_a_torn_line(void **state) {
  struct trail *trail = *state;
  size_t len;
  char *bytes;

  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  assert_int_equal(access(trail->file, F_OK), -1);
  trail_fill(trail, 2);
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  bytes = trail_read(trail->file, &len);
  trail_write(trail->file, bytes, len - 9);
  free(bytes);
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  trail_expect(trail, "recovered 2-2 0-0");
}

/* What the library calls, by the linker; others write meanwhile where they can have the lock. */
static struct {
  const char *file;
  size_t calls, free;
} disk;

int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int other = open(disk.file, O_RDWR | O_CLOEXEC);

  disk.calls++;
  if (fcntl(other, F_OFD_SETLK, &whole) == 0)
    disk.free++;
  close(other);
  return fsync(fd);
}

static void fsync_writes_the_same_bytes_and_keeps_nobody_waiting(void **state) {
  struct trail *trail = *state;

  trail_fill(trail, 1);
  disk.file = trail->file;
  trail->options.fsync = true;
  trail_fill(trail, 2);
  assert_int_equal(disk.calls, 2);
  assert_int_equal(disk.free, 2);
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  assert_int_equal(disk.calls, 2);
  trail_expect(trail, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_setup, trail_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_line_says_everything_in_a_fixed_order),
      TEST(what_is_not_known_is_left_out_and_a_login_denies_by_default),
      TEST(hostile_strings_stay_inside_their_line),
      TEST(the_largest_record_fits_its_bounds),
      TEST(a_long_string_is_cut_at_a_character_and_marked),
      TEST(more_items_than_the_cap_are_counted),
      TEST(clocks_that_are_far_off_still_give_a_time),
      TEST(the_file_is_made_for_owner_and_group_whatever_the_umask),
      TEST(files_that_cannot_be_trusted_are_refused),
      TEST(a_file_without_any_record_is_closed_or_refused),
      TEST(a_line_torn_at_any_byte_is_closed_by_the_next_writer),
      TEST(a_torn_recovery_is_recovered_too),
      TEST(garbage_after_the_last_record_is_passed_over_and_told),
      TEST(a_full_disk_loses_the_record_and_nothing_else),
      TEST(a_held_lock_ends_in_a_refusal_at_the_deadline),
      TEST(an_unknown_event_is_refused),
      TEST(flush_leaves_an_absent_file_absent_and_closes_a_torn_line),
      TEST(fsync_writes_the_same_bytes_and_keeps_nobody_waiting),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
