/*
 * Signature algorithms (RFC 7518 3, RFC 8037 3.1): asymmetric ones only.
 * SPDX-License-Identifier: PostgreSQL
 */

#include "oidc/jws.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

static struct cx_signature signature_of(const struct cx_jws *jws) {
  return (struct cx_signature){jws->algorithm->digest, jws->input, jws->input_len, jws->signature,
                               jws->signature_len};
}

/* RSASSA-PKCS1-v1_5, RFC 7518 3.3. */
static bool verify_rs(const struct cx_jws *jws, const struct cx_key *key) {
  struct cx_signature signature = signature_of(jws);

  return cx_signature_is_rsa(&signature, key->handle);
}

/* RSASSA-PSS, RFC 7518 3.5. */
static bool verify_ps(const struct cx_jws *jws, const struct cx_key *key) {
  struct cx_signature signature = signature_of(jws);

  return cx_signature_is_pss(&signature, key->handle);
}

/* ECDSA, RFC 7518 3.4. */
static bool verify_es(const struct cx_jws *jws, const struct cx_key *key) {
  struct cx_signature signature = signature_of(jws);

  return cx_signature_is_ecdsa(&signature, key->handle, key->type->size);
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
    {"RS256", &cx_key_rsa, &cx_sha256, verify_rs},     {"RS384", &cx_key_rsa, &cx_sha384, verify_rs},
    {"RS512", &cx_key_rsa, &cx_sha512, verify_rs},     {"PS256", &cx_key_rsa, &cx_sha256, verify_ps},
    {"PS384", &cx_key_rsa, &cx_sha384, verify_ps},     {"PS512", &cx_key_rsa, &cx_sha512, verify_ps},
    {"ES256", &cx_key_p256, &cx_sha256, verify_es},    {"ES384", &cx_key_p384, &cx_sha384, verify_es},
    {"ES512", &cx_key_p521, &cx_sha512, verify_es},    {"EdDSA", &cx_key_ed25519, NULL, verify_ed},
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
