/*
 * The strict open: who may own and write a trusted file.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/file.h"

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

static const struct cx_file_rules rules = {CORTEX_CONFIG_INVALID, 16, false};

struct place {
  char folder[64];
  char file[96];
  char other[96];
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);

  strcpy(place->folder, "/tmp/cortex-test-XXXXXX");
  if (mkdtemp(place->folder) == NULL)
    return -1;
  snprintf(place->file, sizeof place->file, "%s/file", place->folder);
  snprintf(place->other, sizeof place->other, "%s/other", place->folder);
  *state = place;
  return 0;
}

static int remove_place(void **state) {
  struct place *place = *state;

  unlink(place->file);
  rmdir(place->file);
  unlink(place->other);
  rmdir(place->folder);
  free(place);
  return 0;
}

static void write_file(const char *path, const char *content, mode_t mode) {
  FILE *file = fopen(path, "w");

  assert_non_null(file);
  fputs(content, file);
  fclose(file);
  assert_int_equal(chmod(path, mode), 0);
}

static enum cortex_reason read_file(const char *path, struct cortex_error *error) {
  struct cx_buf content;
  enum cortex_reason reason = cx_file_read(path, &rules, &content, NULL, error);

  cx_buf_clear(&content);
  return reason;
}

static void a_sound_file_is_read_whole(void **state) {
  struct place *place = *state;
  struct cx_buf content;

  write_file(place->file, "0123456789abcdef", 0640);
  assert_int_equal(cx_file_read(place->file, &rules, &content, NULL, NULL), CORTEX_OK);
  assert_int_equal(content.len, 16);
  assert_string_equal(content.bytes, "0123456789abcdef");
  cx_buf_clear(&content);
}

static void an_empty_file_is_read_as_nothing(void **state) {
  struct place *place = *state;

  write_file(place->file, "", 0600);
  assert_int_equal(read_file(place->file, NULL), CORTEX_OK);
}

static void a_file_over_the_limit_is_refused(void **state) {
  struct place *place = *state;

  write_file(place->file, "0123456789abcdefX", 0600);
  assert_int_equal(read_file(place->file, NULL), CORTEX_CONFIG_INVALID);
}

static void a_missing_file_is_refused_with_its_name(void **state) {
  struct place *place = *state;
  struct cortex_error error = CORTEX_ERROR_NONE;

  assert_int_equal(read_file(place->file, &error), CORTEX_CONFIG_INVALID);
  assert_string_equal(error.source, place->file);
}

static void a_world_writable_file_is_refused(void **state) {
  struct place *place = *state;
  struct cortex_error error = CORTEX_ERROR_NONE;

  write_file(place->file, "x", 0602);
  assert_int_equal(read_file(place->file, &error), CORTEX_CONFIG_INVALID);
  assert_non_null(strstr(error.message, "writable by everybody"));
}

static void folders_and_devices_are_refused(void **state) {
  struct place *place = *state;

  assert_int_equal(mkdir(place->file, 0700), 0);
  assert_int_equal(read_file(place->file, NULL), CORTEX_CONFIG_INVALID);
  assert_int_equal(read_file("/dev/zero", NULL), CORTEX_CONFIG_INVALID);
}

/* A FIFO without a writer would block a plain open for ever. */
static void a_fifo_is_refused_at_once(void **state) {
  struct place *place = *state;

  assert_int_equal(mkfifo(place->file, 0600), 0);
  assert_int_equal(read_file(place->file, NULL), CORTEX_CONFIG_INVALID);
}

static void a_link_is_followed_and_its_target_judged(void **state) {
  struct place *place = *state;

  write_file(place->other, "x", 0600);
  assert_int_equal(symlink(place->other, place->file), 0);
  assert_int_equal(read_file(place->file, NULL), CORTEX_OK);
  assert_int_equal(chmod(place->other, 0666), 0);
  assert_int_equal(read_file(place->file, NULL), CORTEX_CONFIG_INVALID);
}

/* Only root can give a file away, so only root can see this refusal. */
static void a_stranger_s_file_and_a_group_s_file_are_refused(void **state) {
  struct place *place = *state;

  write_file(place->file, "x", 0660);
  assert_int_equal(read_file(place->file, NULL), CORTEX_OK);
  if (geteuid() != 0)
    return;
  assert_int_equal(chown(place->file, 65534, 65534), 0);
  assert_int_equal(chmod(place->file, 0600), 0);
  assert_int_equal(read_file(place->file, NULL), CORTEX_CONFIG_INVALID);
  assert_int_equal(chown(place->file, 0, 65534), 0);
  assert_int_equal(chmod(place->file, 0664), 0);
  assert_int_equal(seteuid(65534), 0);
  assert_int_equal(read_file(place->file, NULL), CORTEX_CONFIG_INVALID);
  assert_int_equal(seteuid(0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
      TEST(a_sound_file_is_read_whole),
      TEST(an_empty_file_is_read_as_nothing),
      TEST(a_file_over_the_limit_is_refused),
      TEST(a_missing_file_is_refused_with_its_name),
      TEST(a_world_writable_file_is_refused),
      TEST(folders_and_devices_are_refused),
      TEST(a_fifo_is_refused_at_once),
      TEST(a_link_is_followed_and_its_target_judged),
      TEST(a_stranger_s_file_and_a_group_s_file_are_refused),
  };

  return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
