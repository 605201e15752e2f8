/*
 * SHA-256, the one hash of records, policies and token ids.
 * SPDX-License-Identifier: PostgreSQL
 */

/*
 * OpenSSL's SHA256_* calls, not EVP: a login comes in a fresh process, where
 * looking up a provider's implementation costs more than all else it computes.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "util/hash.h"

#include <openssl/sha.h>

#include "util/text.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct cx_hash), "OpenSSL's state has grown");

static SHA256_CTX *context(struct cx_hash *hash) {
  return (SHA256_CTX *)(void *)hash->state;
}

void cx_hash_init(struct cx_hash *hash) {
  SHA256_Init(context(hash));
}

void cx_hash_put(struct cx_hash *hash, const void *bytes, size_t len) {
  if (len > 0)
    SHA256_Update(context(hash), bytes, len);
}

void cx_hash_hex(struct cx_hash *hash, char hex_out[CX_HASH_HEX + 1]) {
  uint8_t digest[CX_HASH_BYTES];

  SHA256_Final(digest, context(hash));
  cx_text_hex(digest, sizeof digest, hex_out);
}
