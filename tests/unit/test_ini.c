/*
 * The INI reader: lines, quotes, comments, lists.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/ini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum cortex_reason note_section(void *context, unsigned line, const char *name,
                                       const char *label, struct cortex_error *error) {
  char *notes = context;

  (void)error;
  sprintf(notes + strlen(notes), "%u[%s|%s]", line, name, label != NULL ? label : "-");
  return CORTEX_OK;
}

static enum cortex_reason note_pair(void *context, unsigned line, const char *key,
                                    const char *value, struct cortex_error *error) {
  char *notes = context;

  (void)error;
  sprintf(notes + strlen(notes), "%u(%s|%s)", line, key, value);
  return CORTEX_OK;
}

static enum cortex_reason parse(const char *text, size_t len, char *notes,
                                struct cortex_error *error) {
  struct cx_ini_handler handler = {note_section, note_pair, notes};

  notes[0] = '\0';
  return cx_ini_parse("f", text, len, &handler, error);
}

static void sections_and_pairs_are_read_with_their_lines(void **state) {
  static const char text[] = "; comment\n# comment\n\n[a]\nkey = value\n  [oidc \"L.x\"] ; c\r\n"
                             "\tb=\"x ; y\" ; comment\nc = p;q ;r";
  struct cortex_error error = CORTEX_ERROR_NONE;
  char notes[512];

  (void)state;
  assert_int_equal(parse(text, strlen(text), notes, &error), CORTEX_OK);
  assert_string_equal(notes, "4[a|-]5(key|value)6[oidc|L.x]7(b|\"x ; y\")8(c|p;q)");
}

static void faults_name_file_and_line(void **state) {
  static const char *const bad[] = {
      "[a]\n[b",          "[a]\nkey",         "[a]\nkey =",
      "[a]\nkey = \"\"",  "[a]\nkey = ;none", "[a]\nkey = \"open",
      "[a]\nKey = v",     "[a]\nk y = v",     "[a]\n= v",
      "[a]\n[]",          "[a]\n[A]",         "[a]\n[a b]",
      "[a]\n[a \"b]",     "[a]\n[a\"b\"]",    "[a]\nkey : v",
      "[a]\n[a] x",       "[a]\nk = \xff",    "[a]\n\xef\xbb\xbfk = v",
      "[a]\n[a \"b\" c]", "[a]\n[a \"\\b\"]", "[a]\n[a \"b\"]]",
  };
  char notes[512];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct cortex_error error = CORTEX_ERROR_NONE;

    if (parse(bad[i], strlen(bad[i]), notes, &error) != CORTEX_CONFIG_INVALID)
      fail_msg("accepted: %s", bad[i]);
    assert_string_equal(error.source, "f");
    assert_int_equal(error.line, 2);
  }
}

static void nul_bytes_and_long_lines_are_refused(void **state) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  char notes[8192], text[CX_INI_LINE_MAX + 16];

  (void)state;
  assert_int_equal(parse("[a]\nk=v\0\n", 9, notes, &error), CORTEX_CONFIG_INVALID);
  memset(text, 'x', sizeof text);
  memcpy(text, "k=", 2);
  assert_int_equal(parse(text, CX_INI_LINE_MAX, notes, NULL), CORTEX_OK);
  assert_int_equal(parse(text, CX_INI_LINE_MAX + 1, notes, NULL), CORTEX_CONFIG_INVALID);
}

static void quotes_go_around_a_whole_value(void **state) {
  char good[] = "\"a \\\" b \\\\ \"";
  char plain[] = "a b";
  static const char *const bad[] = {"\"a\" b", "a \"b\"", "\"a\\n\"", "\"a", "\"a\\", "a\""};
  size_t i;

  (void)state;
  assert_int_equal(cx_ini_unquote(good, NULL), CORTEX_OK);
  assert_string_equal(good, "a \" b \\ ");
  assert_int_equal(cx_ini_unquote(plain, NULL), CORTEX_OK);
  assert_string_equal(plain, "a b");
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[32];

    strcpy(text, bad[i]);
    assert_int_equal(cx_ini_unquote(text, NULL), CORTEX_CONFIG_INVALID);
  }
}

static void lists_are_split_at_commas_outside_quotes(void **state) {
  char text[] = "a ,  \"b, c \",d e";
  char *cursor = text, *item = NULL;

  (void)state;
  assert_int_equal(cx_ini_split(&cursor, &item, NULL), CORTEX_OK);
  assert_string_equal(item, "a");
  assert_int_equal(cx_ini_split(&cursor, &item, NULL), CORTEX_OK);
  assert_string_equal(item, "b, c ");
  assert_int_equal(cx_ini_split(&cursor, &item, NULL), CORTEX_OK);
  assert_string_equal(item, "d e");
  assert_null(cursor);
}

static void empty_and_half_quoted_items_are_refused(void **state) {
  static const char *const bad[] = {",a", " , a", "\"\"", "\"a\"b", "a\"b\"", "\"a", "a,"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[32];
    char *cursor = text, *item = NULL;
    enum cortex_reason reason = CORTEX_OK;

    strcpy(text, bad[i]);
    while (cursor != NULL && reason == CORTEX_OK)
      reason = cx_ini_split(&cursor, &item, NULL);
    if (reason != CORTEX_CONFIG_INVALID)
      fail_msg("accepted: %s", bad[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sections_and_pairs_are_read_with_their_lines),
      cmocka_unit_test(faults_name_file_and_line),
      cmocka_unit_test(nul_bytes_and_long_lines_are_refused),
      cmocka_unit_test(quotes_go_around_a_whole_value),
      cmocka_unit_test(lists_are_split_at_commas_outside_quotes),
      cmocka_unit_test(empty_and_half_quoted_items_are_refused),
  };

  return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
