/*
 * Signature algorithms (RFC 7518 3, RFC 8037 3.1): asymmetric ones only.
 * SPDX-License-Identifier: PostgreSQL
 */

/* For the reason that key.c gives: no provider is looked up for RS* and ES*. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "oidc/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <string.h>


#define RSA_BYTES_MAX 2048

struct cx_jws_digest {
  int nid;
  unsigned len;
  void (*compute)(const void *bytes, size_t len, uint8_t *digest_out);
  const EVP_MD *(*evp)(void);
};

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

static const struct cx_jws_digest sha256 = {NID_sha256, 32, compute_sha256, EVP_sha256};
static const struct cx_jws_digest sha384 = {NID_sha384, 48, compute_sha384, EVP_sha384};
static const struct cx_jws_digest sha512 = {NID_sha512, 64, compute_sha512, EVP_sha512};

/* RSASSA-PKCS1-v1_5, RFC 7518 3.3. */
static bool verify_rs(const struct cx_jws *jws, const struct cx_key *key) {
  const struct cx_jws_digest *digest = jws->algorithm->digest;
  uint8_t computed[EVP_MAX_MD_SIZE];

  digest->compute(jws->input, jws->input_len, computed);
  return RSA_verify(digest->nid, computed, digest->len, jws->signature,
                    (unsigned)jws->signature_len, key->handle) == 1;
}

/* RSASSA-PSS, RFC 7518 3.5: MGF1 of the same digest, salt of the digest's length. */
static bool verify_ps(const struct cx_jws *jws, const struct cx_key *key) {
  const struct cx_jws_digest *digest = jws->algorithm->digest;
  uint8_t computed[EVP_MAX_MD_SIZE], encoded[RSA_BYTES_MAX];
  int len = RSA_size(key->handle);

  if (jws->signature_len != (size_t)len || (size_t)len > sizeof encoded ||
      RSA_public_decrypt(len, jws->signature, encoded, key->handle, RSA_NO_PADDING) != len)
    return false;
  digest->compute(jws->input, jws->input_len, computed);
  return RSA_verify_PKCS1_PSS_mgf1(key->handle, computed, digest->evp(), digest->evp(), encoded,
                                   RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* ECDSA, RFC 7518 3.4: R and S side by side, each of the curve's full size. */
static bool verify_es(const struct cx_jws *jws, const struct cx_key *key) {
  const struct cx_jws_digest *digest = jws->algorithm->digest;
  int size = (int)key->type->size;
  uint8_t computed[EVP_MAX_MD_SIZE];
  ECDSA_SIG *pair;
  BIGNUM *r, *s;
  bool is_good = false;

  if (jws->signature_len != 2 * key->type->size)
    return false;
  pair = ECDSA_SIG_new();
  r = BN_bin2bn(jws->signature, size, NULL);
  s = BN_bin2bn(jws->signature + size, size, NULL);
  if (pair == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
    BN_free(r);
    BN_free(s);
    goto out;
  }
  digest->compute(jws->input, jws->input_len, computed);
  is_good = ECDSA_do_verify(computed, (int)digest->len, pair, key->handle) == 1;
out:
  ECDSA_SIG_free(pair);
  return is_good;
}

/* Ed25519, RFC 8037 3.1. */
static bool verify_ed(const struct cx_jws *jws, const struct cx_key *key) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool is_good = context != NULL &&
                 EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->handle) == 1 &&
                 EVP_DigestVerify(context, jws->signature, jws->signature_len,
                                  (const uint8_t *)jws->input, jws->input_len) == 1;

  EVP_MD_CTX_free(context);
  return is_good;
}

/* The order is part of the key cache's format: new ones go to the end. */
static const struct cx_jws_algorithm algorithms[CX_JWS_ALGORITHMS] = {
    {"RS256", &cx_key_rsa, &sha256, verify_rs},     {"RS384", &cx_key_rsa, &sha384, verify_rs},
    {"RS512", &cx_key_rsa, &sha512, verify_rs},     {"PS256", &cx_key_rsa, &sha256, verify_ps},
    {"PS384", &cx_key_rsa, &sha384, verify_ps},     {"PS512", &cx_key_rsa, &sha512, verify_ps},
    {"ES256", &cx_key_p256, &sha256, verify_es},    {"ES384", &cx_key_p384, &sha384, verify_es},
    {"ES512", &cx_key_p521, &sha512, verify_es},    {"EdDSA", &cx_key_ed25519, NULL, verify_ed},
};

const struct cx_jws_algorithm *cx_jws_algorithm_at(size_t index) {
  return &algorithms[index];
}

size_t cx_jws_algorithm_index(const struct cx_jws_algorithm *algorithm) {
  return (size_t)(algorithm - algorithms);
}

const struct cx_jws_algorithm *cx_jws_algorithm_find(const char *name) {
  size_t i;

  for (i = 0; i < CX_JWS_ALGORITHMS; i++)
    if (strcmp(algorithms[i].name, name) == 0)
      return &algorithms[i];
  return NULL;
}

/* OpenSSL's error queue belongs to the host program: what we add is taken off again. */
bool cx_jws_verify(const struct cx_jws *jws, const struct cx_key *key) {
  bool is_good;

  if (key->type != jws->algorithm->key_type)
    return false;
  ERR_set_mark();
  is_good = jws->algorithm->verify(jws, key);
  ERR_pop_to_mark();
  return is_good;
}
