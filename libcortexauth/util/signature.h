/*
 * Signatures over bytes at hand, checked without OpenSSL's provider look-up.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_SIGNATURE_H
#define CX_UTIL_SIGNATURE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CX_DIGEST_MAX 64 /* bytes of the longest digest */

/* A hash as signatures use it. No SHA-1, no MD5. */
struct cx_digest {
  int nid;
  unsigned len;
  void (*compute)(const void *bytes, size_t len, uint8_t *digest_out);
  const EVP_MD *(*evp)(void);
};

extern const struct cx_digest cx_sha256;
extern const struct cx_digest cx_sha384;
extern const struct cx_digest cx_sha512;

/* What was signed, with which hash, and the signature; all borrowed. */
struct cx_signature {
  const struct cx_digest *digest;
  const void *input;
  size_t input_len;
  const uint8_t *bytes;
  size_t len;
};

/* RSASSA-PKCS1-v1_5 (RFC 8017 8.2). */
bool cx_signature_is_rsa(const struct cx_signature *signature, RSA *key);

/* RSASSA-PSS (RFC 8017 8.1): MGF1 of the same hash, salt of the hash's length. */
bool cx_signature_is_pss(const struct cx_signature *signature, RSA *key);

/* ECDSA with R and S side by side, each of size bytes (RFC 7518 3.4, XML-DSig 6.4.3). */
bool cx_signature_is_ecdsa(const struct cx_signature *signature, EC_KEY *key, size_t size);

#endif
