/*
 * Keys of a development issuer: made, kept as PEM, shown as JWK, used to sign.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "dev_key.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"

#define RSA_BITS 2048
#define COORDINATE 32 /* bytes of a P-256 coordinate, RFC 7518 6.2.1.2 */
#define THUMBPRINT_SHOWN 8

static const struct dev_algorithm algorithms[] = {
    {"RS256", "rs256", "SHA256", false, false}, {"RS384", "rs256", "SHA384", false, false},
    {"RS512", "rs256", "SHA512", false, false}, {"PS256", "rs256", "SHA256", true, false},
    {"PS384", "rs256", "SHA384", true, false},  {"PS512", "rs256", "SHA512", true, false},
    {"ES256", "es256", "SHA256", false, false}, {"EdDSA", "eddsa", NULL, false, false},
    {"HS256", "rs256", "SHA256", false, true},  {"none", NULL, NULL, false, false},
};

static const char *const key_names[] = {"rs256", "es256", "eddsa"};

const struct dev_algorithm *dev_algorithm_find(const char *name) {
  size_t i;

  for (i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
    if (strcmp(algorithms[i].name, name) == 0)
      return &algorithms[i];
  return NULL;
}

const char *dev_key_name(size_t index) {
  return index < sizeof key_names / sizeof key_names[0] ? key_names[index] : NULL;
}

EVP_PKEY *dev_key_new(const char *name) {
  EVP_PKEY *key;

  if (strcmp(name, "rs256") == 0)
    key = EVP_RSA_gen(RSA_BITS);
  else if (strcmp(name, "es256") == 0)
    key = EVP_EC_gen("P-256");
  else
    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  if (key == NULL)
    cli_complain("no key %s could be made", name);
  return key;
}

EVP_PKEY *dev_key_load(const char *folder, const char *name) {
  char path[PATH_MAX];
  char no_passphrase[] = "";
  EVP_PKEY *key;
  FILE *file;

  if (snprintf(path, sizeof path, "%s/%s.pem", folder, name) >= (int)sizeof path) {
    cli_complain("%s: the name is too long", folder);
    return NULL;
  }
  file = fopen(path, "re");
  if (file == NULL) {
    cli_complain("%s: %s", path, strerror(errno));
    return NULL;
  }
  /* A passphrase is given, so that nothing is asked at the terminal. */
  key = PEM_read_PrivateKey(file, NULL, NULL, no_passphrase);
  fclose(file);
  if (key == NULL)
    cli_complain("%s: this is no private key", path);
  return key;
}

/* ---- base64url without padding, RFC 7515 2 ---- */

static char *base64url(const void *bytes, size_t len) {
  char *text;
  size_t i, end;

  if (len > INT_MAX / 2 || (text = malloc(4 * (len / 3 + 1) + 1)) == NULL)
    return NULL;
  end = (size_t)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
  while (end > 0 && text[end - 1] == '=')
    end--;
  text[end] = '\0';
  for (i = 0; i < end; i++)
    if (text[i] == '+')
      text[i] = '-';
    else if (text[i] == '/')
      text[i] = '_';
  return text;
}

/* ---- JWK ---- */

static bool put_bytes(json_t *jwk, const char *member, const void *bytes, size_t len) {
  char *text = base64url(bytes, len);
  bool done = text != NULL && json_object_set_new(jwk, member, json_string(text)) == 0;

  free(text);
  return done;
}

/* width 0: as many bytes as the number has. */
static bool put_number(json_t *jwk, const char *member, const EVP_PKEY *key, const char *param,
                       int width) {
  unsigned char bytes[RSA_BITS / 8];
  BIGNUM *number = NULL;
  bool done = false;
  int len;

  if (EVP_PKEY_get_bn_param(key, param, &number) == 1) {
    len = width > 0 ? width : BN_num_bytes(number);
    done = len <= (int)sizeof bytes && BN_bn2binpad(number, bytes, len) == len &&
           put_bytes(jwk, member, bytes, (size_t)len);
  }
  BN_free(number);
  return done;
}

static bool put_public(json_t *jwk, const EVP_PKEY *key) {
  unsigned char raw[32];
  size_t len = sizeof raw;

  if (EVP_PKEY_is_a(key, "RSA"))
    return json_object_set_new(jwk, "kty", json_string("RSA")) == 0 &&
           put_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0) &&
           put_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
  if (EVP_PKEY_is_a(key, "EC"))
    return json_object_set_new(jwk, "kty", json_string("EC")) == 0 &&
           json_object_set_new(jwk, "crv", json_string("P-256")) == 0 &&
           put_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE) &&
           put_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE);
  return json_object_set_new(jwk, "kty", json_string("OKP")) == 0 &&
         json_object_set_new(jwk, "crv", json_string("Ed25519")) == 0 &&
         EVP_PKEY_get_raw_public_key(key, raw, &len) == 1 && put_bytes(jwk, "x", raw, len);
}

/* The start of the thumbprint (RFC 7638 3), so that every key has an id of its own. */
static bool put_kid(json_t *jwk, const char *name) {
  char *canonical = json_dumps(jwk, JSON_COMPACT | JSON_SORT_KEYS);
  unsigned char digest[32];
  char *print = NULL;
  bool done = false;

  if (canonical != NULL &&
      EVP_Digest(canonical, strlen(canonical), digest, NULL, EVP_sha256(), NULL) == 1 &&
      (print = base64url(digest, sizeof digest)) != NULL)
    done =
        json_object_set_new(
            jwk, "kid", json_sprintf(DEV_KID_PREFIX "%s-%.*s", name, THUMBPRINT_SHOWN, print)) == 0;
  free(print);
  free(canonical);
  return done;
}

json_t *dev_key_jwk(const char *name, const EVP_PKEY *key) {
  json_t *jwk = json_object();

  if (jwk != NULL && put_public(jwk, key) && put_kid(jwk, name) &&
      json_object_set_new(jwk, "use", json_string("sig")) == 0)
    return jwk;
  json_decref(jwk);
  return NULL;
}

/* ---- signatures ---- */

static unsigned char *digest_sign(const struct dev_algorithm *algorithm, EVP_PKEY *key,
                                  const char *input, size_t *len_out) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  EVP_PKEY_CTX *options = NULL; /* owned by the context */
  unsigned char *bytes = NULL;
  size_t len = 0;

  if (context == NULL ||
      EVP_DigestSignInit_ex(context, &options, algorithm->digest, NULL, NULL, key, NULL) != 1)
    goto fail;
  if (algorithm->pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
    goto fail;
  if (EVP_DigestSign(context, NULL, &len, (const unsigned char *)input, strlen(input)) != 1 ||
      (bytes = malloc(len)) == NULL ||
      EVP_DigestSign(context, bytes, &len, (const unsigned char *)input, strlen(input)) != 1)
    goto fail;
  EVP_MD_CTX_free(context);
  *len_out = len;
  return bytes;
fail:
  EVP_MD_CTX_free(context);
  free(bytes);
  return NULL;
}

/* RFC 7518 3.4: R and S side by side, not ASN.1. */
static bool join_ecdsa(unsigned char *bytes, size_t *len) {
  const unsigned char *at = bytes;
  ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)*len);
  unsigned char joined[2 * COORDINATE];
  bool done = false;

  if (pair != NULL && *len >= sizeof joined &&
      BN_bn2binpad(ECDSA_SIG_get0_r(pair), joined, COORDINATE) == COORDINATE &&
      BN_bn2binpad(ECDSA_SIG_get0_s(pair), joined + COORDINATE, COORDINATE) == COORDINATE) {
    memcpy(bytes, joined, sizeof joined);
    *len = sizeof joined;
    done = true;
  }
  ECDSA_SIG_free(pair);
  return done;
}

/* The old trick of RFC 8725 2.1: everybody knows the "secret". */
static unsigned char *hmac_with_public_key(EVP_PKEY *key, const char *input, size_t *len_out) {
  BIO *memory = BIO_new(BIO_s_mem());
  unsigned char *bytes = malloc(EVP_MAX_MD_SIZE);
  unsigned len = 0;
  char *pem = NULL;
  long pem_len;

  if (memory == NULL || bytes == NULL || PEM_write_bio_PUBKEY(memory, key) != 1 ||
      (pem_len = BIO_get_mem_data(memory, &pem)) <= 0 || pem_len > INT_MAX ||
      HMAC(EVP_sha256(), pem, (int)pem_len, (const unsigned char *)input, strlen(input), bytes,
           &len) == NULL) {
    free(bytes);
    bytes = NULL;
  }
  BIO_free(memory);
  *len_out = len;
  return bytes;
}

static char *make_signature(const struct dev_algorithm *algorithm, EVP_PKEY *key,
                            const char *input) {
  unsigned char *bytes;
  char *text = NULL;
  size_t len = 0;

  if (key == NULL)
    return strdup("");
  bytes = algorithm->hmac ? hmac_with_public_key(key, input, &len)
                          : digest_sign(algorithm, key, input, &len);
  if (bytes != NULL && (!EVP_PKEY_is_a(key, "EC") || join_ecdsa(bytes, &len)))
    text = base64url(bytes, len);
  free(bytes);
  return text;
}

static char *encode_json(const json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT);
  char *encoded = text == NULL ? NULL : base64url(text, strlen(text));

  free(text);
  return encoded;
}

static char *join(const char *left, const char *right) {
  size_t size = strlen(left) + strlen(right) + 2;
  char *text = malloc(size);

  if (text != NULL)
    snprintf(text, size, "%s.%s", left, right);
  return text;
}

char *dev_key_sign(const struct dev_algorithm *algorithm, EVP_PKEY *key, const json_t *header,
                   const json_t *claims) {
  char *head = encode_json(header), *body = encode_json(claims);
  char *input = head == NULL || body == NULL ? NULL : join(head, body);
  char *signature = input == NULL ? NULL : make_signature(algorithm, key, input);
  char *token = signature == NULL ? NULL : join(input, signature);

  if (token == NULL)
    cli_complain("no %s signature could be made", algorithm->name);
  free(signature);
  free(input);
  free(body);
  free(head);
  return token;
}
