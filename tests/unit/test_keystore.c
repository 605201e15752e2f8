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
  char cache[128]; /* what a refresh leaves, as text */
  char keys[128];  /* and compiled */
  struct cortex_issuer issuer;
  struct cx_trust trust;
};

static void write_bytes(const char *path, const void *bytes, size_t len, int64_t written) {
  struct timespec times[2] = {{.tv_sec = written}, {.tv_sec = written}};
  FILE *file = fopen(path, "w");

  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  assert_int_equal(chmod(path, 0640), 0);
}

static void write_file(const char *path, const char *text, int64_t written) {
  write_bytes(path, text, strlen(text), written);
}

/* As a refresh does. */
static void write_keys(const char *path, const char *set, int64_t written) {
  void *image;
  size_t len;

  assert_int_equal(cortex_keys_compile(set, strlen(set), &image, &len, NULL), CORTEX_OK);
  write_bytes(path, image, len, written);
  free(image);
}

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);

  strcpy(fixture->folder, "keystore.XXXXXX");
  assert_non_null(mkdtemp(fixture->folder));
  snprintf(fixture->file, sizeof fixture->file, "%s/own.json", fixture->folder);
  snprintf(fixture->cache, sizeof fixture->cache, "%s/main.jwks.json", fixture->folder);
  snprintf(fixture->keys, sizeof fixture->keys, "%s/main.keys", fixture->folder);
  fixture->issuer.label = strdup("main");
  fixture->trust = (struct cx_trust){&fixture->issuer, 1, fixture->folder, 3600};
  *state = fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;

  unlink(fixture->file);
  unlink(fixture->cache);
  unlink(fixture->keys);
  rmdir(fixture->folder);
  free(fixture->issuer.label);
  free(fixture);
  return 0;
}

/* A set that was read has no key of this kid: CORTEX_UNKNOWN_KID says that it was found. */
static enum cortex_reason try_open(const struct fixture *fixture,
                                   const struct cortex_keyring *keyring,
                                   struct cortex_error *error) {
  struct cortex_credential credential = {.bytes = "x",
                                         .len = 1,
                                         .keyring = keyring,
                                         .now = NOW + 999999,
                                         .real_now = NOW};
  const struct cx_jws jws = {cx_jws_algorithm_find("ES256"), "k", 1, "x", 1, NULL, 0};
  enum cortex_reason reason;

  *error = (struct cortex_error)CORTEX_ERROR_NONE;
  reason = cx_keystore_verify(&fixture->trust, &credential, &fixture->issuer, &jws, error);
  assert_string_equal(error->source, "main");
  return reason;
}

#define FOUND CORTEX_UNKNOWN_KID

static void nothing_there_is_keys_unavailable_and_names_the_label(void **state) {
  struct cortex_error error;

  assert_int_equal(try_open(*state, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
  assert_non_null(strstr(error.message, "main.jwks.json"));
}

static void fresh_cached_keys_are_used(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->cache, empty_set, NOW - 3600);
  assert_int_equal(try_open(fixture, NULL, &error), FOUND);
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
  assert_int_equal(try_open(fixture, NULL, &error), FOUND);
}

static void an_operators_file_never_grows_stale(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  fixture->issuer.oidc.jwks_file = fixture->file;
  write_file(fixture->file, empty_set, 1000);
  assert_int_equal(try_open(fixture, NULL, &error), FOUND);
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
  assert_int_equal(try_open(fixture, keyring, &error), FOUND);
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
  assert_int_equal(try_open(fixture, keyring, &error), FOUND);
  cortex_keyring_free(&keyring);
}

static void compiled_keys_go_before_the_text(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_keys(fixture->keys, empty_set, NOW);
  assert_int_equal(try_open(fixture, NULL, &error), FOUND);
  write_file(fixture->cache, "no set", NOW);
  assert_int_equal(try_open(fixture, NULL, &error), FOUND);
}

/* Fresh text beside them changes nothing: both were written by one refresh. */
static void compiled_keys_grow_stale_too(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->cache, empty_set, NOW);
  write_keys(fixture->keys, empty_set, NOW - 3601);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_STALE);
  write_keys(fixture->keys, empty_set, NOW + 3601);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_STALE);
}

static void damaged_compiled_keys_leave_the_text(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_file(fixture->keys, "no keys", NOW);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
  write_file(fixture->cache, empty_set, NOW);
  assert_int_equal(try_open(fixture, NULL, &error), FOUND);
}

static void compiled_keys_that_others_may_write_are_refused(void **state) {
  struct fixture *fixture = *state;
  struct cortex_error error;

  write_keys(fixture->keys, empty_set, NOW);
  assert_int_equal(chmod(fixture->keys, 0666), 0);
  assert_int_equal(try_open(fixture, NULL, &error), CORTEX_KEYS_UNAVAILABLE);
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
      TEST(compiled_keys_go_before_the_text),
      TEST(compiled_keys_grow_stale_too),
      TEST(damaged_compiled_keys_leave_the_text),
      TEST(compiled_keys_that_others_may_write_are_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
