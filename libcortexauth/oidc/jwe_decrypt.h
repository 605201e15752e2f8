/*
 * Decryption of the parts of an encrypted token (RFC 7516 5.2, RFC 7518 4 and 5).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_JWE_DECRYPT_H
#define CX_OIDC_JWE_DECRYPT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/json.h"

struct cx_jwe_bytes {
  const uint8_t *bytes;
  size_t len;
};

/* The parts, decoded but for the header, whose text is authenticated; all borrowed. */
struct cx_jwe {
  const cx_json *header;
  struct cx_jwe_bytes header_text, key, iv, text, tag;
};

/* How the content's key came here, and how the content was encrypted with it. */
struct cx_jwe_method {
  const struct cx_jwe_key_algorithm *key;
  const struct cx_jwe_content_algorithm *content;
};

/*
 * The algorithms that alg and enc of a header name: RSA-OAEP and ECDH-ES with
 * their variants, AES-GCM and AES-CBC with HMAC. What is not ours stays NULL:
 * RSA1_5, passwords, shared keys.
 */
struct cx_jwe_method cx_jwe_method_find(const cx_json *header);

/* Exact lengths of vector and tag: a shortened tag is easier to forge (CVE-2023-37464). */
bool cx_jwe_method_fits(const struct cx_jwe_method *method, const struct cx_jwe *jwe);

/*
 * Appends the plaintext. A failure leaves no hint of its cause: a key that does
 * not open is replaced by a random one and goes the same way (RFC 7516 11.5).
 *
 *   gives  false: not encrypted to this key, changed, or no memory
 */
bool cx_jwe_decrypt(const struct cx_jwe_method *method, const struct cx_jwe *jwe, EVP_PKEY *pkey,
                    struct cx_buf *plain);

#endif
