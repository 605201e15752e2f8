/*
 * An allocator that fails on demand, for the library, jansson and OpenSSL alike.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "failing.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static struct {
  bool is_on;
  bool all_after;
  bool has_failed;
  size_t left;
} failing;

static bool must_fail(void) {
  if (!failing.is_on)
    return false;
  if (failing.left > 0 && --failing.left > 0)
    return false;
  if (failing.has_failed && !failing.all_after)
    return false;
  failing.has_failed = true;
  return true;
}

void *__wrap_malloc(size_t size) {
  return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
  return must_fail() ? NULL : __real_realloc(old, size);
}

char *__wrap_strndup(const char *text, size_t len) {
  size_t used = strnlen(text, len);
  char *copy = __wrap_malloc(used + 1);

  if (copy != NULL) {
    memcpy(copy, text, used);
    copy[used] = '\0';
  }
  return copy;
}

char *__wrap_strdup(const char *text) {
  return __wrap_strndup(text, strlen(text));
}

static void *crypto_malloc(size_t size, const char *file, int line) {
  (void)file;
  (void)line;
  return __wrap_malloc(size);
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line) {
  (void)file;
  (void)line;
  return __wrap_realloc(old, size);
}

static void crypto_free(void *old, const char *file, int line) {
  (void)file;
  (void)line;
  free(old);
}

void failing_install(void) {
  json_set_alloc_funcs(__wrap_malloc, free);
  if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) == 1)
    return;
  printf("Bail out! OpenSSL has allocated before\n");
  exit(99);
}

void failing_start(size_t nth, bool all_after) {
  failing.all_after = all_after;
  failing.has_failed = false;
  failing.left = nth;
  failing.is_on = true;
}

bool failing_stop(void) {
  failing.is_on = false;
  return failing.has_failed;
}
