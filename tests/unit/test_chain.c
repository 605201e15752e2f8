/*
 * Verifying the chain: every kind of tampering is named by line and sequence.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "trail.h"

#define LINES_MAX 64

/* The file's lines, each with its newline, to be put back in any order. */
struct lines {
  char *line[LINES_MAX];
  size_t count;
};

static struct lines take_lines(const struct trail *trail) {
  struct lines lines = {.count = 0};
  size_t len;
  char *bytes = trail_read(trail->file, &len), *at = bytes, *newline;

  assert_non_null(bytes);
  while ((newline = strchr(at, '\n')) != NULL) {
    assert_true(lines.count < LINES_MAX);
    lines.line[lines.count] = strndup(at, (size_t)(newline + 1 - at));
    assert_non_null(lines.line[lines.count++]);
    at = newline + 1;
  }
  free(bytes);
  return lines;
}

/* Writes the lines of these numbers (1-based, ended by 0) and verifies. */
static void expect_order(struct trail *trail, const struct lines *lines, const size_t *order,
                         const char *findings) {
  char bytes[65536];
  size_t len = 0;

  for (; *order != 0; order++) {
    memcpy(bytes + len, lines->line[*order - 1], strlen(lines->line[*order - 1]));
    len += strlen(lines->line[*order - 1]);
  }
  trail_write(trail->file, bytes, len);
  trail_expect(trail, findings);
}

static void free_lines(struct lines *lines) {
  while (lines->count > 0)
    free(lines->line[--lines->count]);
}

/* Gives line n the right hash for its bytes again, as somebody who knows the format would. */
static void rehash(char *line) {
  struct cx_chain_link link;
  char hash[CX_CHAIN_HEX + 1];
  size_t at;

  assert_true(cx_chain_parse(line, strlen(line) - 1, &link));
  at = (size_t)(link.hash - line);
  cx_chain_hash(line, link.covered, hash);
  memcpy(line + at, hash, CX_CHAIN_HEX);
}

static void an_untouched_chain_is_intact(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct verdict verdict;

  trail_fill(trail, 10);
  trail_verify(trail, files, 1, NULL, &verdict);
  assert_string_equal(verdict.text, "");
  assert_true(verdict.summary.intact);
  assert_int_equal(verdict.summary.records, 10);
  assert_int_equal(verdict.summary.first_seq, 1);
  assert_int_equal(verdict.summary.last_seq, 10);
}

static void an_empty_file_has_no_break_and_no_records(void **state) {
  struct trail *trail = *state;

  trail_write(trail->file, "", 0);
  trail_expect(trail, "");
}

static void removed_lines_are_named(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 8);
  lines = take_lines(trail);
  expect_order(trail, &lines, (size_t[]){1, 2, 4, 5, 6, 7, 8, 0}, "removed 3-3 3-3");
  expect_order(trail, &lines, (size_t[]){1, 5, 6, 8, 0}, "removed 2-2 2-4; removed 4-4 7-7");
  expect_order(trail, &lines, (size_t[]){3, 4, 5, 0}, "removed 1-1 1-2");
  free_lines(&lines);
}

static void reordered_lines_are_named(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 8);
  lines = take_lines(trail);
  expect_order(trail, &lines, (size_t[]){1, 2, 4, 3, 5, 6, 7, 8, 0},
               "reordered 3-3 4-4; reordered 4-4 3-3");
  expect_order(trail, &lines, (size_t[]){1, 2, 6, 7, 8, 3, 4, 5, 0},
               "reordered 3-3 6-6; reordered 6-8 3-5");
  expect_order(trail, &lines, (size_t[]){2, 1, 3, 4, 0}, "reordered 1-1 2-2; reordered 2-2 1-1");
  expect_order(trail, &lines, (size_t[]){1, 7, 2, 3, 4, 5, 6, 8, 0},
               "reordered 2-2 7-7; reordered 3-7 2-6");
  expect_order(trail, &lines, (size_t[]){1, 7, 3, 4, 5, 6, 2, 8, 0},
               "reordered 2-2 7-7; reordered 3-6 3-6; reordered 7-7 2-2");
  expect_order(trail, &lines, (size_t[]){1, 2, 8, 4, 5, 0},
               "reordered 4-5 4-5; removed 3-3 3-3; removed 3-3 6-7");
  free_lines(&lines);
}

static void duplicated_lines_are_named(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 6);
  lines = take_lines(trail);
  expect_order(trail, &lines, (size_t[]){1, 2, 2, 3, 4, 5, 6, 0}, "duplicated 3-3 2-2");
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 4, 5, 6, 1, 2, 3, 0}, "duplicated 7-9 1-3");
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 4, 5, 6, 1, 3, 0},
               "duplicated 7-7 1-1; duplicated 8-8 3-3");
  free_lines(&lines);
}

static void a_changed_byte_is_named_wherever_it_is(void **state) {
  struct trail *trail = *state;
  struct lines lines;
  char *line;
  size_t i, len;

  trail_fill(trail, 5);
  lines = take_lines(trail);
  line = lines.line[2];
  len = strlen(line);
  for (i = 0; i + 1 < len; i++) {
    char was = line[i];

    line[i] = was == '1' ? '2' : '1';
    expect_order(trail, &lines, (size_t[]){1, 2, 3, 4, 5, 0}, "edited 3-3 3-3");
    line[i] = was;
  }
  free_lines(&lines);
}

static void a_rewritten_line_with_a_fitting_hash_is_named_by_its_successor(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 5);
  lines = take_lines(trail);
  memcpy(strstr(lines.line[2], "alice"), "mario", 5);
  rehash(lines.line[2]);
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 4, 5, 0}, "edited 3-3 3-3");
  free_lines(&lines);
}

static void edits_of_several_lines_are_each_named(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 9);
  lines = take_lines(trail);
  memcpy(strstr(lines.line[1], "alice"), "mario", 5);
  memcpy(strstr(lines.line[4], "alice"), "mario", 5);
  memcpy(strstr(lines.line[5], "alice"), "mario", 5);
  lines.line[7][0] = 'x';
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 0},
               "edited 2-2 2-2; edited 5-6 5-6; edited 8-8 8-8");
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 5, 7, 8, 9, 0},
               "edited 2-2 2-2; edited 4-4 4-4; edited 6-6 8-8; removed 5-5 5-6");
  free_lines(&lines);
}

static void an_edited_first_or_last_line_is_named(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 3);
  lines = take_lines(trail);
  memcpy(strstr(lines.line[0], "alice"), "mario", 5);
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 0}, "edited 1-1 1-1");
  *(strstr(lines.line[0], "\"seq\":1") + 6) = '9';
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 0}, "edited 1-1 9-9");
  *(strstr(lines.line[0], "\"seq\":9") + 6) = '1';
  memcpy(strstr(lines.line[0], "mario"), "alice", 5);
  memcpy(strstr(lines.line[2], "alice"), "mario", 5);
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 0}, "edited 3-3 3-3");
  lines.line[2][0] = 'x';
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 0}, "edited 3-3 3-3");
  lines.line[0][0] = 'x';
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 0}, "edited 1-1 1-1; edited 3-3 3-3");
  free_lines(&lines);
}

static void lines_put_in_are_named(void **state) {
  struct trail *trail = *state;
  struct lines lines;

  trail_fill(trail, 3);
  lines = take_lines(trail);
  free(lines.line[2]);
  lines.line[2] = strdup("{\"event\":\"login\",\"decision\":\"allow\"}\n");
  expect_order(trail, &lines, (size_t[]){1, 3, 2, 0}, "edited 2-2 0-0");
  free_lines(&lines);
}

static void a_foreign_chain_put_behind_is_named(void **state) {
  struct trail *trail = *state, other;
  const char *files[] = {trail->file, other.file};
  struct verdict verdict;

  trail_fill(trail, 3);
  trail_start(&other);
  trail_fill(&other, 4);
  trail_verify(trail, files, 2, NULL, &verdict);
  assert_string_equal(verdict.text, "restarted 1-1 1-1");
  assert_false(verdict.summary.intact);
  trail_stop(&other);
}

static void a_cut_tail_shows_against_an_anchor_only(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct lines lines;
  struct verdict verdict;

  trail_fill(trail, 6);
  trail_verify(trail, files, 1, NULL, &verdict);
  lines = take_lines(trail);
  expect_order(trail, &lines, (size_t[]){1, 2, 3, 0}, "");
  {
    struct cortex_anchor anchor = {.seq = 6};
    struct cortex_audit_check check = {
        .files = files, .file_count = 1, .anchors = &anchor, .anchor_count = 1};
    struct cortex_audit_summary summary;

    memcpy(anchor.hash, verdict.summary.last_hash, sizeof anchor.hash);
    assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_OK);
    assert_false(summary.intact);
    assert_int_equal(summary.breaks, 1);
  }
  free_lines(&lines);
}

static void a_missing_file_is_an_error_and_not_intact(void **state) {
  struct trail *trail = *state;
  const char *files[] = {trail->file};
  struct cortex_audit_check check = {.files = files, .file_count = 1};
  struct cortex_audit_summary summary = {.intact = true};
  struct cortex_error error = CORTEX_ERROR_NONE;

  assert_int_equal(cortex_audit_verify(&check, &summary, &error), CORTEX_AUDIT_UNAVAILABLE);
  assert_false(summary.intact);
  assert_string_equal(error.source, trail->file);
  assert_int_equal(mkfifo(trail->file, 0600), 0);
  assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_AUDIT_UNAVAILABLE);
  files[0] = trail->folder;
  assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_AUDIT_UNAVAILABLE);
}

static void a_line_longer_than_any_record_is_passed_over(void **state) {
  struct trail *trail = *state;
  struct lines lines;
  size_t huge = 500000;

  trail_fill(trail, 2);
  lines = take_lines(trail);
  {
    char *bytes = malloc(huge + 4096);
    size_t len = strlen(lines.line[0]);

    assert_non_null(bytes);
    memcpy(bytes, lines.line[0], len);
    memset(bytes + len, '{', huge);
    len += huge;
    memcpy(bytes + len, lines.line[1], strlen(lines.line[1]));
    len += strlen(lines.line[1]);
    memcpy(bytes + len, lines.line[1], strlen(lines.line[1]));
    len += strlen(lines.line[1]);
    trail_write(trail->file, bytes, len);
    free(bytes);
  }
  trail_expect(trail, "edited 2-2 0-0");
  free_lines(&lines);
}

static void an_end_of_line_is_read_strictly(void **state) {
  static const char hex[] = "00000000000000000000000000000000"
                            "00000000000000000000000000000000";
  static const struct {
    const char *format;
    bool good;
  } cases[] = {
      {"{\"a\":1,\"seq\":7,\"prev\":\"%s\",\"hash\":\"%s\"}", true},
      {",\"seq\":7,\"prev\":\"%s\",\"hash\":\"%s\"}", true},
      {"\"seq\":7,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":0,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":07,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":-7,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":9223372036854775807,\"prev\":\"%s\",\"hash\":\"%s\"}", true},
      {"{\"a\":1,\"seq\":9223372036854775808,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":99999999999999999999,\"prev\":\"%s\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":7,\"prev\":\"%s\",\"hash\":\"%s\"} ", false},
      {"{\"a\":1,\"seq\":7,\"prev\":\"%s\", \"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":7,\"prev\":\"%sA\",\"hash\":\"%s\"}", false},
      {"{\"a\":1,\"seq\":7,\"prev\":\"%s\",\"hash\":\"%sG\"}", false},
      {"%.0s%.0s", false},
  };
  struct cx_chain_link link;
  char line[512];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, sizeof line, cases[i].format, hex, hex);
#pragma GCC diagnostic pop
    assert_int_equal(cx_chain_parse(line, strlen(line), &link), cases[i].good);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_setup, trail_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_untouched_chain_is_intact),
      TEST(an_empty_file_has_no_break_and_no_records),
      TEST(removed_lines_are_named),
      TEST(reordered_lines_are_named),
      TEST(duplicated_lines_are_named),
      TEST(a_changed_byte_is_named_wherever_it_is),
      TEST(a_rewritten_line_with_a_fitting_hash_is_named_by_its_successor),
      TEST(edits_of_several_lines_are_each_named),
      TEST(an_edited_first_or_last_line_is_named),
      TEST(lines_put_in_are_named),
      TEST(a_foreign_chain_put_behind_is_named),
      TEST(a_cut_tail_shows_against_an_anchor_only),
      TEST(a_missing_file_is_an_error_and_not_intact),
      TEST(a_line_longer_than_any_record_is_passed_over),
      cmocka_unit_test(an_end_of_line_is_read_strictly),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
