/*
 * Keys of a development issuer: made, kept as PEM, shown as JWK, used to sign.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_DEV_KEY_H
#define CORTEXCTL_DEV_KEY_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* By this member of its key set, and by this start of its key ids, `check` knows a development
 * issuer. */
#define DEV_MEMBER "cortex_dev"
#define DEV_KID_PREFIX "dev-"

/* What a signature is made with (RFC 7518 3.1, RFC 8037 3.1). */
struct dev_algorithm {
  const char *name;
  const char *key;    /* which of the issuer's keys; NULL: none is used */
  const char *digest; /* NULL: the key's own */
  bool pss;
  bool hmac; /* the public key taken for a shared secret (RFC 8725 2.1): for tests */
};

/* NULL when there is none of that name. */
const struct dev_algorithm *dev_algorithm_find(const char *name);

/* Names of the keys: "rs256", "es256", "eddsa"; NULL past the last. */
const char *dev_key_name(size_t index);

/* A new key of that name's type; NULL, after a complaint, on failure. Release with EVP_PKEY_free.
 */
EVP_PKEY *dev_key_new(const char *name);

/* Reads DIR/NAME.pem; NULL, after a complaint, on failure. */
EVP_PKEY *dev_key_load(const char *folder, const char *name);

/* The public half as a JWK with its kid (RFC 7517 4); NULL without memory. */
json_t *dev_key_jwk(const char *name, const EVP_PKEY *key);

/*
 * Signs header and claims (RFC 7515 7.1).
 *   in   key: NULL exactly where the algorithm uses none
 *   out  gives the compact form, release with free; NULL, after a complaint, on failure
 */
char *dev_key_sign(const struct dev_algorithm *algorithm, EVP_PKEY *key, const json_t *header,
                   const json_t *claims);

#endif
