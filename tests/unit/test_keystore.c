/*
 * Where keys come from: keyring before file before cache, and when they are too old.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keystore.h"

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

#define NOW 1700000000

static const char empty_set[] = "{\"keys\":[]}";

struct fixture {
  char folder[64];
  char file[128];  /* jwks_file */
  char cache[128]; /* what a refresh leaves */
  struct cortex_issuer issuer;
  struct cx_trust trust;
};

static void write_file(const char *path, const char *text, int64_t written) {
  struct timespec times[2] = {{.tv_sec = written}, {.tv_sec = written}};
  FILE *file = fopen(path, "w");

  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  assert_int_equal(chmod(path, 0640), 0);
}

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);

  strcpy(fixture->folder, "keystore.XXXXXX");
  assert_non_null(mkdtemp(fixture->folder));
  snprintf(fixture->file, sizeof fixture->file, "%s/own.json", fixture->folder);
  snprintf(fixture->cache, sizeof fixture->cache, "%s/main.jwks.json", fixture->folder);
  fixture->issuer.label = strdup("main");
  fixture->trust = (struct cx_trust){&fixture->issuer, 1, fixture->folder, 3600};
  *state = fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;

  unlink(fixture->file);
  unlink(fixture->cache);
  rmdir(fixture->folder);
  free(fixture->issuer.label);
  free(fixture);
  return 0;
}

static enum cortex_reason try_open(const struct fixture *fixture,
                                   const struct cortex_keyring *keyring,
                                   struct cortex_error *error) {
  struct cortex_credential credential = {"x", 1, keyring, NOW + 999999, NOW};
  struct cx_keystore keystore;
  enum cortex_reason reason;

  *error = (struct cortex_error)CORTEX_ERROR_NONE;
  reason = cx_keystore_open(&fixture->trust, &credential, &fixture->issuer, &keystore, error);
  assert_true((reason == CORTEX_OK) == (keystore.keyset != NULL));
  cx_keystore_close(&keystore);
  if (reason != CORTEX_OK)
    assert_string_equal(error->source, "main");
  return reason;
}

static void nothing_there_is_keys_unavailable_and_names_the_label(void **state) {
  struct cortex_error error;

  assert_int_equal(try_open(*state, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
  assert_non_null(strstr(error.message, "main.jwks.json"));
}

static void fresh_cached_keys_are_used(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->cache, empty_set, NOW - 3600);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_OK);
}

static void cached_keys_grow_stale_by_the_real_clock(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->cache, empty_set, NOW - 3601);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_STALE);
  assert_non_null(strstr(error.message, "3601"));
}

static void cached_keys_from_far_ahead_are_stale_too(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->cache, empty_set, NOW + 3601);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_STALE);
  write_file(fixture->cache, empty_set, NOW + 5);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_OK);
}

static void an_operators_file_never_grows_stale(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  fixture->issuer.oidc.jwks_file = fixture->file;
  write_file(fixture->file, empty_set, 1000);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_OK);
}

static void a_missing_file_is_not_replaced_by_the_cache(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  fixture->issuer.oidc.jwks_file = fixture->file;
  write_file(fixture->cache, empty_set, NOW);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
}

static void a_file_that_others_may_write_is_refused(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  fixture->issuer.oidc.jwks_file = fixture->file;
  write_file(fixture->file, empty_set, NOW);
  assert_int_equal(chmod(fixture->file, 0666), 0);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
  assert_non_null(strstr(error.message, "writable"));
}

static void files_that_are_no_key_set_are_refused(void **state) {
  static const char *const texts[] = {"", "{", "[]", "{}", "{\"keys\":{}}", "keys"};
  struct fixture *fixture = *state;
  struct cortex_error error;
  size_t i;

  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    write_file(fixture->cache, texts[i], NOW);
    assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
  }
}

static void a_file_above_a_mebibyte_is_refused(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->cache, empty_set, NOW);
  assert_int_equal(truncate(fixture->cache, 1024 * 1024 + 1), 0);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
}

static void a_folder_or_fifo_in_the_files_place_is_refused(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  fixture->issuer.oidc.jwks_file = fixture->folder;
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
  fixture->issuer.oidc.jwks_file = fixture->file;
  assert_int_equal(mkfifo(fixture->file, 0600), 0);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
}

static void a_keyring_goes_before_files(void **state) {
  struct fixture *fixture = *state;
  struct cortex_keyring *keyring = cortex_keyring_new();
  struct cortex_error error;

  assert_int_equal(cortex_keyring_put(keyring, "main", empty_set, strlen(empty_set)), CORTEX_OK);
  assert_int_equal(try_open(fixture, keyring, &error), CORTEX_OK);
  assert_int_equal(cortex_keyring_put(keyring, "main", "x", 1), CORTEX_OK);
  write_file(fixture->cache, empty_set, NOW);
  assert_int_equal(try_open(fixture, keyring, &error), CORTEX_KEYS_UNAVAILABLE);
  cortex_keyring_free(&keyring);
}

static void a_keyring_without_the_label_leaves_the_cache(void **state) {
  struct fixture *fixture = *state;
  struct cortex_keyring *keyring = cortex_keyring_new();
  struct cortex_error error;

  assert_int_equal(cortex_keyring_put(keyring, "mai", empty_set, strlen(empty_set)), CORTEX_OK);
  assert_int_equal(try_open(fixture, keyring, &error), CORTEX_KEYS_UNAVAILABLE);
  write_file(fixture->cache, empty_set, NOW);
  assert_int_equal(try_open(fixture, keyring, &error), CORTEX_OK);
  cortex_keyring_free(&keyring);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(nothing_there_is_keys_unavailable_and_names_the_label),
      TEST(fresh_cached_keys_are_used),
      TEST(cached_keys_grow_stale_by_the_real_clock),
      TEST(cached_keys_from_far_ahead_are_stale_too),
      TEST(an_operators_file_never_grows_stale),
      TEST(a_missing_file_is_not_replaced_by_the_cache),
      TEST(a_file_that_others_may_write_is_refused),
      TEST(files_that_are_no_key_set_are_refused),
      TEST(a_file_above_a_mebibyte_is_refused),
      TEST(a_folder_or_fifo_in_the_files_place_is_refused),
      TEST(a_keyring_goes_before_files),
      TEST(a_keyring_without_the_label_leaves_the_cache),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
