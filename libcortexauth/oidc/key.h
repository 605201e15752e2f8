/*
 * One public key of an issuer, as OpenSSL can use it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEY_H
#define CX_OIDC_KEY_H

#include <jansson.h>
#include <stddef.h>

#include "util/error.h"

struct cx_key_type;

struct cx_key {
  const struct cx_key_type *type;
  void *handle; /* RSA, EC_KEY or EVP_PKEY as the type says */
};

/* Key type and curve together: an algorithm fits exactly one of these. */
struct cx_key_type {
  const char *kty;
  const char *crv; /* NULL: the type has no curves */
  size_t size;     /* bytes of a coordinate; 0 where the key decides */
  int nid;
  enum cortex_reason (*import)(const struct cx_key_type *type, const json_t *jwk,
                               void **handle_out);
  void (*release)(void *handle);
};

extern const struct cx_key_type cx_key_rsa;
extern const struct cx_key_type cx_key_p256;
extern const struct cx_key_type cx_key_p384;
extern const struct cx_key_type cx_key_p521;
extern const struct cx_key_type cx_key_ed25519;

/* The type a JWK states by kty and crv (RFC 7518 6, RFC 8037 2); NULL: none that signs for us. */
const struct cx_key_type *cx_key_type_of(const json_t *jwk);

/*
 * Makes a key of a JWK's public members; private ones are never read.
 *
 *   out  key_out: release with cx_key_clear; empty on failure
 *   gives  CORTEX_OK, CORTEX_WEAK_KEY (RSA below 2048 bits, even or small
 *          exponent, Ed25519 point of small order), CORTEX_KEY_MISMATCH (members missing or not a key of
 *          this type), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_key_import(const struct cx_key_type *type,
                                                  const json_t *jwk, struct cx_key *key_out);
void cx_key_clear(struct cx_key *key);

#endif
