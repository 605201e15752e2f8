/*
 * Bytes that must not stay in memory.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

void cx_secret_free(void *bytes, size_t len) {
  if (bytes != NULL)
    explicit_bzero(bytes, len);
  free(bytes);
}

void cx_secret_free_text(char *text) {
  cx_secret_free(text, text != NULL ? strlen(text) : 0);
}

bool cx_secret_is_equal(const void *left, const void *right, size_t len) {
  return CRYPTO_memcmp(left, right, len) == 0;
}
