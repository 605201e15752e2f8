/*
 * Tokens and key sets for tests: keys made at run time, any bytes signed.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "jwt.h"

#include <cjose/cjose.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NEED(condition) need((condition), #condition, __LINE__)

struct jwt_key {
  EVP_PKEY *pkey;
};

static void need(bool is_met, const char *what, int line) {
  if (is_met)
    return;
  printf("Bail out! jwt.c:%d: %s\n", line, what);
  exit(99);
}

static EVP_PKEY *generate_rsa(unsigned bits, unsigned exponent) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
  OSSL_PARAM parameters[] = {OSSL_PARAM_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                             OSSL_PARAM_uint(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_END};
  EVP_PKEY *pkey = NULL;

  NEED(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_params(context, parameters) == 1 &&
       EVP_PKEY_generate(context, &pkey) == 1);
  EVP_PKEY_CTX_free(context);
  return pkey;
}

struct jwt_key *jwt_key_new(const char *kind) {
  static const struct {
    const char *kind;
    unsigned bits;
    unsigned exponent;
  } sizes[] = {{"RSA", 2048, 65537}, {"RSA-3072", 3072, 65537}, {"RSA-1024", 1024, 65537},
               {"RSA-e3", 2048, 3}};
  struct jwt_key *key = calloc(1, sizeof *key);
  size_t i;

  NEED(key != NULL);
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    if (strcmp(kind, sizes[i].kind) == 0)
      key->pkey = generate_rsa(sizes[i].bits, sizes[i].exponent);
  if (key->pkey == NULL)
    key->pkey = strcmp(kind, "Ed25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                             : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
  NEED(key->pkey != NULL);
  return key;
}

void jwt_key_free(struct jwt_key *key) {
  if (key != NULL)
    EVP_PKEY_free(key->pkey);
  free(key);
}

char *jwt_encode(const void *bytes, size_t len) {
  char *text = malloc(4 * (len / 3 + 1) + 1), *at;

  NEED(text != NULL);
  EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
  for (at = text; *at != '\0' && *at != '='; at++)
    *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
  *at = '\0';
  return text;
}

static void set_encoded(json_t *jwk, const char *name, const void *bytes, size_t len) {
  char *text = jwt_encode(bytes, len);

  NEED(json_object_set_new(jwk, name, json_string(text)) == 0);
  free(text);
}

/* size: bytes to pad to; 0: as many as the number needs. */
static void set_number(json_t *jwk, const char *name, const struct jwt_key *key,
                       const char *parameter, int size) {
  unsigned char bytes[2048];
  BIGNUM *number = NULL;

  NEED(EVP_PKEY_get_bn_param(key->pkey, parameter, &number) == 1);
  if (size == 0)
    size = BN_num_bytes(number);
  NEED(BN_bn2binpad(number, bytes, size) == size);
  set_encoded(jwk, name, bytes, (size_t)size);
  BN_free(number);
}

static json_t *make_ec(const struct jwt_key *key) {
  int bits = EVP_PKEY_get_bits(key->pkey);
  char group[32];
  size_t len;
  json_t *jwk;

  NEED(EVP_PKEY_get_group_name(key->pkey, group, sizeof group, &len) == 1);
  jwk = json_pack("{ss ss}", "kty", "EC", "crv",
                  strcmp(group, "secp256k1") == 0 ? "secp256k1"
                  : bits == 256                   ? "P-256"
                  : bits == 384                   ? "P-384"
                                                  : "P-521");
  set_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, (bits + 7) / 8);
  set_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, (bits + 7) / 8);
  return jwk;
}

static json_t *make_rsa(const struct jwt_key *key) {
  json_t *jwk = json_pack("{ss}", "kty", "RSA");

  set_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
  set_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
  return jwk;
}

static json_t *make_okp(const struct jwt_key *key) {
  json_t *jwk = json_pack("{ss ss}", "kty", "OKP", "crv", "Ed25519");
  unsigned char bytes[32];
  size_t len = sizeof bytes;

  NEED(EVP_PKEY_get_raw_public_key(key->pkey, bytes, &len) == 1);
  set_encoded(jwk, "x", bytes, len);
  return jwk;
}

json_t *jwt_key_jwk(const struct jwt_key *key, const char *kid) {
  json_t *jwk = EVP_PKEY_is_a(key->pkey, "RSA")  ? make_rsa(key)
                : EVP_PKEY_is_a(key->pkey, "EC") ? make_ec(key)
                                                 : make_okp(key);

  NEED(jwk != NULL);
  if (kid != NULL)
    NEED(json_object_set_new(jwk, "kid", json_string(kid)) == 0);
  return jwk;
}

char *jwt_key_set(const struct jwt_key *key, const char *kid) {
  json_t *set = json_pack("{s[o]}", "keys", jwt_key_jwk(key, kid));
  char *text = json_dumps(set, JSON_COMPACT);

  NEED(text != NULL);
  json_decref(set);
  return text;
}

static const char *digest_of(const char *alg) {
  static const char *const names[] = {"SHA256", "SHA384", "SHA512"};
  size_t i;

  for (i = 0; i < 3; i++)
    if (strlen(alg) >= 5 && strncmp(alg + 2, names[i] + 3, 3) == 0)
      return names[i];
  return NULL;
}

/* RFC 7518 3.4 wants R and S side by side where OpenSSL writes DER. */
static size_t flatten(const struct jwt_key *key, unsigned char *signature, size_t len) {
  int size = (EVP_PKEY_get_bits(key->pkey) + 7) / 8;
  const unsigned char *der = signature;
  ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);

  NEED(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, size) == size &&
       BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + size, size) == size);
  ECDSA_SIG_free(pair);
  return 2 * (size_t)size;
}

static size_t sign_hmac(const struct jwt_key *key, const char *input, unsigned char *signature) {
  BIO *pem = BIO_new(BIO_s_mem());
  unsigned len = 0;
  char *secret;
  long secret_len;

  NEED(PEM_write_bio_PUBKEY(pem, key->pkey) == 1);
  secret_len = BIO_get_mem_data(pem, &secret);
  NEED(HMAC(EVP_sha256(), secret, (int)secret_len, (const unsigned char *)input, strlen(input),
            signature, &len) != NULL);
  BIO_free(pem);
  return len;
}

static size_t sign_pkey(const struct jwt_key *key, const char *alg, const char *input,
                        unsigned char *signature) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  EVP_PKEY_CTX *options = NULL;
  size_t len = 2048;

  NEED(EVP_DigestSignInit_ex(context, &options, digest_of(alg), NULL, NULL, key->pkey, NULL) == 1);
  if (alg[0] == 'P')
    NEED(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(
             options, strstr(alg, "-nosalt") != NULL ? 0 : RSA_PSS_SALTLEN_DIGEST) == 1);
  NEED(EVP_DigestSign(context, signature, &len, (const unsigned char *)input, strlen(input)) == 1);
  EVP_MD_CTX_free(context);
  return EVP_PKEY_is_a(key->pkey, "EC") ? flatten(key, signature, len) : len;
}

static char *join(char *left, char *right) {
  char *both = malloc(strlen(left) + strlen(right) + 2);

  NEED(both != NULL);
  sprintf(both, "%s.%s", left, right);
  free(left);
  free(right);
  return both;
}

char *jwt_sign(const struct jwt_key *key, const char *alg, struct jwt_bytes header,
               struct jwt_bytes payload) {
  char *input = join(jwt_encode(header.bytes, header.len), jwt_encode(payload.bytes, payload.len));
  unsigned char signature[2048];
  size_t len = 0;

  if (strcmp(alg, "HS256") == 0)
    len = sign_hmac(key, input, signature);
  else if (strcmp(alg, "none") != 0)
    len = sign_pkey(key, alg, input, signature);
  return join(input, jwt_encode(signature, len));
}

char *jwt_sign_json(const struct jwt_key *key, const char *alg, const json_t *header,
                    const json_t *payload) {
  char *head = json_dumps(header, JSON_COMPACT), *body = json_dumps(payload, JSON_COMPACT);
  char *token;

  NEED(head != NULL && body != NULL);
  token = jwt_sign(key, alg, (struct jwt_bytes){head, strlen(head)},
                   (struct jwt_bytes){body, strlen(body)});
  free(head);
  free(body);
  return token;
}

char *jwt_encrypt(const struct jwt_key *key, const char *alg, const char *enc,
                  const json_t *header, const char *plain) {
  json_t *public = jwt_key_jwk(key, NULL);
  cjose_err cause; /* cjose's ECDH writes here without asking whether it may */
  char *text = json_dumps(public, JSON_COMPACT), *token;
  cjose_header_t *all = cjose_header_new(&cause);
  cjose_jwk_t *jwk = cjose_jwk_import(text, strlen(text), &cause);
  const char *name;
  cjose_jwe_t *jwe;
  json_t *value;

  NEED(all != NULL && jwk != NULL && cjose_header_set(all, "alg", alg, &cause) &&
       cjose_header_set(all, "enc", enc, &cause));
  json_object_foreach((json_t *)header, name, value) {
    char *raw = json_dumps(value, JSON_ENCODE_ANY);

    NEED(cjose_header_set_raw(all, name, raw, &cause));
    free(raw);
  }
  jwe = cjose_jwe_encrypt(jwk, all, (const uint8_t *)plain, strlen(plain), &cause);
  NEED(jwe != NULL);
  token = cjose_jwe_export(jwe, &cause);
  NEED(token != NULL);
  cjose_jwe_release(jwe);
  cjose_jwk_release(jwk);
  cjose_header_release(all);
  json_decref(public);
  free(text);
  return token;
}

void jwt_key_write(const struct jwt_key *key, const char *path) {
  FILE *file = fopen(path, "w");

  NEED(file != NULL && fchmod(fileno(file), 0600) == 0);
  NEED(PEM_write_PrivateKey(file, key->pkey, NULL, NULL, 0, NULL, NULL) == 1);
  NEED(fclose(file) == 0);
}
