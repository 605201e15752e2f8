/*
 * One public key of an issuer, as OpenSSL can use it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEY_H
#define CX_OIDC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/json.h"

/* The longest number of a key, with a leading zero. */
#define CX_KEY_MEMBER_MAX 2049

struct cx_key_type;

/* A public key's numbers, big endian and borrowed: n and e, x and y, or x alone. */
struct cx_key_material {
  const uint8_t *first;
  size_t first_len;
  const uint8_t *second;
  size_t second_len;
};

/* Where they are decoded to. */
struct cx_key_room {
  uint8_t first[CX_KEY_MEMBER_MAX];
  uint8_t second[CX_KEY_MEMBER_MAX];
};

struct cx_key {
  const struct cx_key_type *type;
  void *handle; /* RSA, EC_KEY or EVP_PKEY as the type says */
};

/* Key type and curve together: an algorithm fits exactly one of these. */
struct cx_key_type {
  const char *kty;
  const char *crv; /* NULL: the type has no curves */
  const char *members[2]; /* of the JWK that are its numbers; NULL: one is all */
  size_t size;            /* bytes of a coordinate; 0 where the key decides */
  int nid;
  enum cortex_reason (*make)(const struct cx_key_type *type, const struct cx_key_material *material,
                             void **handle_out);
  void (*release)(void *handle);
};

extern const struct cx_key_type cx_key_rsa;
extern const struct cx_key_type cx_key_p256;
extern const struct cx_key_type cx_key_p384;
extern const struct cx_key_type cx_key_p521;
extern const struct cx_key_type cx_key_ed25519;

/* The type a JWK states by kty and crv (RFC 7518 6, RFC 8037 2); NULL: none that signs for us. */
const struct cx_key_type *cx_key_type_of(const cx_json *jwk);

/*
 * Decodes a JWK's public members; private ones are never read.
 *   gives  false when one is missing, no base64url or longer than its type allows
 */
bool cx_key_read(const struct cx_key_type *type, const cx_json *jwk, struct cx_key_room *room,
                 struct cx_key_material *material_out);

/*
 * Makes a key of its numbers, and judges it.
 *
 *   out  key_out: release with cx_key_clear; empty on failure
 *   gives  CORTEX_OK, CORTEX_WEAK_KEY (RSA below 2048 bits, even or small
 *          exponent, Ed25519 point of small order), CORTEX_KEY_MISMATCH (not a key
 *          of this type), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_key_make(const struct cx_key_type *type,
                                                const struct cx_key_material *material,
                                                struct cx_key *key_out);

/* Both in one: CORTEX_KEY_MISMATCH where the members are missing. */
CORTEX_MUSTCHECK enum cortex_reason cx_key_import(const struct cx_key_type *type,
                                                  const cx_json *jwk, struct cx_key *key_out);
void cx_key_clear(struct cx_key *key);

#endif
