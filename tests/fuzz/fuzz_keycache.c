/*
 * Fuzzes the compiled key set, as a file that somebody damaged.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The header states the true size, so that damage gets past the first check.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oidc/keycache.h"

#define SIZE_AT 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(int fd, size_t size, const char *kid) {
  static const char *const names[] = {"RS256", "PS512", "ES256", "ES512", "EdDSA"};
  static const uint8_t signature[256] = {1};
  struct cx_jws jws = {.kid = kid, .kid_len = kid != NULL ? 1 : 0, .input = "i", .input_len = 1,
                       .signature = signature};
  size_t i;

  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct cx_choice choice = {.count = 0};

    jws.algorithm = cx_jws_algorithm_find(names[i]);
    jws.signature_len = i < 2 ? 256 : 64;
    if (cx_keycache_choose(fd, size, &jws, &choice, NULL) == CORTEX_OK)
      (void)!cx_choice_verify(&choice, &jws, NULL);
    cx_choice_clear(&choice);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cortex_key_count count;
  uint32_t own_size = (uint32_t)size;
  int fd = memfd_create("keys", MFD_CLOEXEC);

  if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
      (size >= SIZE_AT + sizeof own_size &&
       pwrite(fd, &own_size, sizeof own_size, SIZE_AT) != (ssize_t)sizeof own_size))
    abort();
  ask(fd, size, "k");
  ask(fd, size, NULL);
  (void)!cx_keycache_count(fd, size, UINT32_MAX, &count, NULL);
  close(fd);
  return 0;
}
