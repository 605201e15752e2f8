/*
 * Public keys that may have signed: out of certificates that the operator or the metadata names,
 * or as the metadata writes them out.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_KEY_H
#define SAML_KEY_H

#include <cortexauth/reason.h>
#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define SAML_KEYS_MAX 32

/* One of both, owned by its set. */
struct saml_key {
  RSA *rsa;
  EC_KEY *ec;
  size_t size; /* of a coordinate of ec, in bytes */
  int64_t end; /* of its certificate, seconds since 1970; 0: it has none */
};

/* All zero is an empty set; owned keys, strong and weak apart. */
struct saml_keys {
  struct saml_key keys[SAML_KEYS_MAX];
  size_t count;
  size_t weak;  /* keys that were left out because they are too weak */
  size_t other; /* and because they are of another kind, or cannot be read */
  const char *owner; /* what a message calls whose they are; NULL: the issuer */
};

/*
 * Adds a certificate's key (SAML metadata says nothing by the certificate's
 * dates or names; only its key counts). What is no certificate is left out.
 *   gives  CORTEX_OK, CORTEX_TOO_LARGE (more than SAML_KEYS_MAX), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason saml_keys_add_base64(struct saml_keys *keys, const char *text,
                                                         size_t len);

/* Adds an RSA key written out (XML-DSig 4.5.2.2), judged as a certificate's is; gives the same. */
CORTEX_MUSTCHECK enum cortex_reason saml_keys_add_rsa(struct saml_keys *keys, const char *modulus,
                                                      const char *exponent);

/* Adds the keys of all certificates in a PEM text. */
CORTEX_MUSTCHECK enum cortex_reason saml_keys_add_pem(struct saml_keys *keys, const char *text,
                                                      size_t len);

void saml_keys_clear(struct saml_keys *keys);

#endif
