/*
 * A throwaway folder: made, filled, removed.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

void scratch_make(char path[static SCRATCH_PATH]) {
  const char *where = getenv("TMPDIR");

  snprintf(path, SCRATCH_PATH, "%.40s/cortex-test-XXXXXX", where != NULL ? where : "/tmp");
  assert_non_null(mkdtemp(path));
}

void scratch_write(const char *folder, const char *name, const void *bytes, size_t len) {
  char path[256], hidden[256];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  snprintf(hidden, sizeof hidden, "%s/.new", folder);
  file = fopen(hidden, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(hidden, 0600), 0);
  assert_int_equal(rename(hidden, path), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)status;
  (void)kind;
  (void)where;
  return remove(path);
}

void scratch_remove(const char *path) {
  assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
