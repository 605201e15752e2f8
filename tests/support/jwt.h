/*
 * Tokens and key sets for tests: keys made at run time, any bytes signed.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TESTS_SUPPORT_JWT_H
#define TESTS_SUPPORT_JWT_H

#include <jansson.h>
#include <stddef.h>

struct jwt_key;

/*
 * A fresh key. kind: "RSA", "RSA-3072", "RSA-1024", "RSA-e3", "P-256", "P-384",
 * "P-521", "secp256k1", "Ed25519". Every failure here ends the test program.
 */
struct jwt_key *jwt_key_new(const char *kind);
void jwt_key_free(struct jwt_key *key);

/* The public JWK (kty, crv, n, e, x, y) with a kid unless that is NULL. Owned by the caller. */
json_t *jwt_key_jwk(const struct jwt_key *key, const char *kid);

/* A JWK set of one key, as text; release with free(). */
char *jwt_key_set(const struct jwt_key *key, const char *kid);

/* base64url without padding; release with free(). */
char *jwt_encode(const void *bytes, size_t len);

/*
 * BASE64URL(header).BASE64URL(payload).BASE64URL(signature) of any bytes. alg
 * only says how to sign: RS*, PS*, "PS256-nosalt", ES*, EdDSA, "HS256" (with the public key's
 * PEM as secret) or "none" (empty). Release with free().
 */
struct jwt_bytes {
  const void *bytes;
  size_t len;
};
char *jwt_sign(const struct jwt_key *key, const char *alg, struct jwt_bytes header,
               struct jwt_bytes payload);

/* The same of two JSON objects. */
char *jwt_sign_json(const struct jwt_key *key, const char *alg, const json_t *header,
                    const json_t *payload);

/*
 * An encrypted token (RFC 7516) to the key's public half. header: its members
 * beside alg and enc, or NULL. Release with free().
 */
char *jwt_encrypt(const struct jwt_key *key, const char *alg, const char *enc,
                  const json_t *header, const char *plain);

/* Writes the private key as PEM, mode 0600. */
void jwt_key_write(const struct jwt_key *key, const char *path);

#endif
