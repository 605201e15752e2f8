/*
 * Signatures over bytes at hand, checked without OpenSSL's provider look-up.
 * SPDX-License-Identifier: PostgreSQL
 */

/*
 * OpenSSL's own RSA and EC_KEY types, not EVP_PKEY: a login comes in a fresh
 * process, where looking up a provider's implementation costs ten times the
 * signature check itself.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "util/signature.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#define RSA_BYTES_MAX 2048

static void compute_sha256(const void *bytes, size_t len, uint8_t *digest_out) {
  SHA256_CTX state;

  SHA256_Init(&state);
  SHA256_Update(&state, bytes, len);
  SHA256_Final(digest_out, &state);
}

static void compute_sha384(const void *bytes, size_t len, uint8_t *digest_out) {
  SHA512_CTX state;

  SHA384_Init(&state);
  SHA384_Update(&state, bytes, len);
  SHA384_Final(digest_out, &state);
}

static void compute_sha512(const void *bytes, size_t len, uint8_t *digest_out) {
  SHA512_CTX state;

  SHA512_Init(&state);
  SHA512_Update(&state, bytes, len);
  SHA512_Final(digest_out, &state);
}

const struct cx_digest cx_sha256 = {NID_sha256, 32, compute_sha256, EVP_sha256};
const struct cx_digest cx_sha384 = {NID_sha384, 48, compute_sha384, EVP_sha384};
const struct cx_digest cx_sha512 = {NID_sha512, 64, compute_sha512, EVP_sha512};

bool cx_signature_is_rsa(const struct cx_signature *signature, RSA *key) {
  uint8_t computed[CX_DIGEST_MAX];

  if (signature->len != (size_t)RSA_size(key))
    return false;
  signature->digest->compute(signature->input, signature->input_len, computed);
  return RSA_verify(signature->digest->nid, computed, signature->digest->len, signature->bytes,
                    (unsigned)signature->len, key) == 1;
}

bool cx_signature_is_pss(const struct cx_signature *signature, RSA *key) {
  const EVP_MD *hash = signature->digest->evp();
  uint8_t computed[CX_DIGEST_MAX], encoded[RSA_BYTES_MAX];
  int len = RSA_size(key);

  if (signature->len != (size_t)len || (size_t)len > sizeof encoded ||
      RSA_public_decrypt(len, signature->bytes, encoded, key, RSA_NO_PADDING) != len)
    return false;
  signature->digest->compute(signature->input, signature->input_len, computed);
  return RSA_verify_PKCS1_PSS_mgf1(key, computed, hash, hash, encoded, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool cx_signature_is_ecdsa(const struct cx_signature *signature, EC_KEY *key, size_t size) {
  uint8_t computed[CX_DIGEST_MAX];
  ECDSA_SIG *pair;
  BIGNUM *r, *s;
  bool is_good = false;

  if (size == 0 || signature->len != 2 * size)
    return false;
  pair = ECDSA_SIG_new();
  r = BN_bin2bn(signature->bytes, (int)size, NULL);
  s = BN_bin2bn(signature->bytes + size, (int)size, NULL);
  if (pair == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
    BN_free(r);
    BN_free(s);
    goto out;
  }
  signature->digest->compute(signature->input, signature->input_len, computed);
  is_good = ECDSA_do_verify(computed, (int)signature->digest->len, pair, key) == 1;
out:
  ECDSA_SIG_free(pair);
  return is_good;
}
