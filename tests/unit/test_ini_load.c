/*
 * Reading a file for a program: strict open, unquoted values, refusals with their place.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/ini.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct notes {
  char text[512];
  const char *refused; /* a key or section that is refused */
};

static enum cortex_reason note(struct notes *notes, const char *name, const char *value,
                               char *message, size_t size) {
  size_t len = strlen(notes->text);

  snprintf(notes->text + len, sizeof notes->text - len, "(%s|%s)", name, value);
  if (notes->refused == NULL || strcmp(notes->refused, name) != 0)
    return CORTEX_OK;
  snprintf(message, size, "%s is not wanted", name);
  return CORTEX_CONFIG_INVALID;
}

static enum cortex_reason on_section(void *context, unsigned line, const char *name,
                                     const char *label, char *message, size_t size) {
  assert_true(line > 0);
  return note(context, name, label != NULL ? label : "-", message, size);
}

static enum cortex_reason on_pair(void *context, unsigned line, const char *key, const char *value,
                                  char *message, size_t size) {
  assert_true(line > 1);
  return note(context, key, value, message, size);
}

static enum cortex_reason load(const char *content, mode_t mode, struct notes *notes,
                               struct cortex_error *error) {
  struct cortex_ini_handler handler = {on_section, on_pair, notes};
  char path[] = "/tmp/cortex-ini.XXXXXX";
  enum cortex_reason reason;
  int fd = mkstemp(path);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
  notes->text[0] = '\0';
  *error = (struct cortex_error)CORTEX_ERROR_NONE;
  reason = cortex_ini_load(path, &handler, error);
  if (reason != CORTEX_OK)
    assert_string_equal(error->source, path);
  unlink(path);
  return reason;
}

static void values_come_without_their_quotes(void **state) {
  struct notes notes = {.refused = NULL};
  struct cortex_error error;

  (void)state;
  assert_int_equal(
      load("[p \"a.b\"]\nk = \"x ; \\\"y\\\"\" ; why\nl = plain\n", 0600, &notes, &error),
      CORTEX_OK);
  assert_string_equal(notes.text, "(p|a.b)(k|x ; \"y\")(l|plain)");
}

static void refusals_name_their_line(void **state) {
  struct notes notes = {.refused = "l"};
  struct cortex_error error;

  (void)state;
  assert_int_equal(load("[p]\nk = 1\nl = 2\nm = 3\n", 0600, &notes, &error), CORTEX_CONFIG_INVALID);
  assert_int_equal(error.line, 3);
  assert_string_equal(error.message, "l is not wanted");
  assert_string_equal(notes.text, "(p|-)(k|1)(l|2)");
  notes.refused = "p";
  assert_int_equal(load("\n[p]\nk = 1\n", 0600, &notes, &error), CORTEX_CONFIG_INVALID);
  assert_int_equal(error.line, 2);
  assert_string_equal(error.message, "p is not wanted");
}

static void half_quoted_value_is_refused_with_its_key(void **state) {
  struct notes notes = {.refused = NULL};
  struct cortex_error error;

  (void)state;
  assert_int_equal(load("[p]\nk = \"a\" b\n", 0600, &notes, &error), CORTEX_CONFIG_INVALID);
  assert_int_equal(error.line, 2);
  assert_int_equal(strncmp(error.message, "k: quotes ", 10), 0);
  assert_string_equal(notes.text, "(p|-)");
}

static void file_that_others_may_write_is_refused(void **state) {
  struct notes notes = {.refused = NULL};
  struct cortex_error error;

  (void)state;
  assert_int_equal(load("[p]\nk = 1\n", 0602, &notes, &error), CORTEX_CONFIG_INVALID);
  assert_string_equal(notes.text, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_come_without_their_quotes),
      cmocka_unit_test(refusals_name_their_line),
      cmocka_unit_test(half_quoted_value_is_refused_with_its_key),
      cmocka_unit_test(file_that_others_may_write_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
