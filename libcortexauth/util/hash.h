/*
 * SHA-256, the one hash of records, policies and token ids.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_HASH_H
#define CX_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define CX_HASH_BYTES 32
#define CX_HASH_HEX (2 * CX_HASH_BYTES)

/* A hash in the making; the caller's storage. */
struct cx_hash {
  uint64_t state[16]; /* OpenSSL's own, of at most this size and alignment */
};

void cx_hash_init(struct cx_hash *hash);
void cx_hash_put(struct cx_hash *hash, const void *bytes, size_t len);

/* Ends it: 64 lower-case digits and a NUL. */
void cx_hash_hex(struct cx_hash *hash, char hex_out[CX_HASH_HEX + 1]);

#endif
