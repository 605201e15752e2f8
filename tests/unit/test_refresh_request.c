/*
 * What a login leaves when it lacks keys: one empty file for an issuer, and never trouble.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/refresh_request.h"

#include <fcntl.h>
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

struct place {
  char state[64];
  char folder[96];
  char file[128];
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);

  strcpy(place->state, "/tmp/cortex-test-XXXXXX");
  if (mkdtemp(place->state) == NULL)
    return -1;
  snprintf(place->folder, sizeof place->folder, "%s/requests", place->state);
  snprintf(place->file, sizeof place->file, "%s/main", place->folder);
  *state = place;
  return mkdir(place->folder, 0700);
}

static int remove_place(void **state) {
  struct place *place = *state;

  unlink(place->file);
  rmdir(place->folder);
  rmdir(place->state);
  free(place);
  return 0;
}

static void one_empty_file_is_left(void **state) {
  struct place *place = *state;
  struct stat status;

  assert_true(cx_refresh_request_leave(place->state, "main"));
  assert_int_equal(stat(place->file, &status), 0);
  assert_int_equal(status.st_size, 0);
  assert_int_equal(status.st_mode & 0777, 0640 & ~umask(umask(0)));
}

static void one_that_is_there_is_left_alone(void **state) {
  struct place *place = *state;
  struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  struct stat status;
  FILE *file = fopen(place->file, "w");

  fputs("earlier", file);
  fclose(file);
  assert_int_equal(utimensat(AT_FDCWD, place->file, old, 0), 0);
  assert_false(cx_refresh_request_leave(place->state, "main"));
  assert_int_equal(stat(place->file, &status), 0);
  assert_int_equal(status.st_size, 7);
  assert_int_equal(status.st_mtime, 1000);
}

static void a_link_is_not_followed(void **state) {
  struct place *place = *state;
  char target[128];

  snprintf(target, sizeof target, "%s/target", place->state);
  assert_int_equal(symlink(target, place->file), 0);
  assert_false(cx_refresh_request_leave(place->state, "main"));
  assert_int_equal(access(target, F_OK), -1);
}

static void a_missing_folder_is_no_trouble(void **state) {
  struct place *place = *state;
  char deep[5000];

  assert_int_equal(rmdir(place->folder), 0);
  assert_false(cx_refresh_request_leave(place->state, "main"));
  assert_int_equal(access(place->folder, F_OK), -1);
  memset(deep, 'a', sizeof deep);
  deep[sizeof deep - 1] = '\0';
  assert_false(cx_refresh_request_leave(deep, "main"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(one_empty_file_is_left),
      TEST(one_that_is_there_is_left_alone),
      TEST(a_link_is_not_followed),
      TEST(a_missing_folder_is_no_trouble),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
