/*
 * Fuzzes the reader of key sets, and the making and choosing of keys.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdint.h>

#include "oidc/keyset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verify(const struct cx_keyset *keyset, const struct cx_jws *jws) {
  struct cx_choice choice = {.count = 0};

  cx_keyset_choose(keyset, jws, &choice);
  (void)!cx_choice_verify(&choice, jws, NULL);
  cx_choice_clear(&choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const names[] = {"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"};
  static const uint8_t signature[256] = {1};
  struct cx_jws jws = {.kid = "k", .kid_len = 1, .input = "i", .input_len = 1,
                       .signature = signature};
  struct cx_keyset *keyset;
  size_t i, kid;

  if (cx_keyset_parse((const char *)data, size, &keyset, NULL) != CORTEX_OK)
    return 0;
  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    for (kid = 0; kid < 2; kid++) {
      jws.algorithm = cx_jws_algorithm_find(names[i]);
      jws.kid = kid == 0 ? "k" : NULL;
      jws.signature_len = i < 2 ? 256 : 64;
      verify(keyset, &jws);
    }
  cx_keyset_prepare(keyset);
  cx_keyset_free(&keyset);
  return 0;
}
