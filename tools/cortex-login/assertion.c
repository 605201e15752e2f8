/*
 * A client's signed assertion (private_key_jwt: RFC 7523 3, OpenID Connect Core 9).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "assertion.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/file.h>

#include "provider.h"
#include "text.h"
#include "wipe.h"

#define KEY_FILE_MAX (64 * 1024)
#define LIFETIME 60
#define ID_BYTES 16

/* ---- the key ---- */

/* There is nobody to ask for a passphrase. */
static int no_passphrase(char *buffer, int size, int writing, void *context) {
  (void)buffer, (void)size, (void)writing, (void)context;
  return -1;
}

static EVP_PKEY *read_key(const char *file) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  EVP_PKEY *key = NULL;
  char *bytes = NULL;
  size_t len = 0;
  BIO *memory;

  if (cortex_file_load(file, KEY_FILE_MAX, &bytes, &len, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    return NULL;
  }
  memory = BIO_new_mem_buf(bytes, (int)len);
  if (memory != NULL)
    key = PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL);
  BIO_free(memory);
  explicit_bzero(bytes, len);
  free(bytes);
  if (key == NULL)
    cli_complain("%s: no private key in PEM without a passphrase", file);
  return key;
}

struct algorithm {
  const char *name;
  const char *type;
  int bits; /* of an EC key; 0: any */
  const char *digest;
};

/* RFC 7518 3.1, RFC 8037 3.1 */
static const struct algorithm *algorithm_of(const EVP_PKEY *key) {
  static const struct algorithm algorithms[] = {
      {"RS256", "RSA", 0, "SHA256"},  {"ES256", "EC", 256, "SHA256"},
      {"ES384", "EC", 384, "SHA384"}, {"ES512", "EC", 521, "SHA512"},
      {"EdDSA", "ED25519", 0, NULL},
  };
  size_t i;

  for (i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
    if (EVP_PKEY_is_a(key, algorithms[i].type) &&
        (algorithms[i].bits == 0 || algorithms[i].bits == EVP_PKEY_get_bits(key)))
      return &algorithms[i];
  return NULL;
}

/* ---- the signature ---- */

/* RFC 7518 3.4: R and S side by side, not ASN.1. */
static bool put_ecdsa(struct text *text, const unsigned char *bytes, size_t len, int bits) {
  unsigned char joined[2 * 66];
  int half = (bits + 7) / 8;
  ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &bytes, (long)len);
  bool done = pair != NULL && 2 * (size_t)half <= sizeof joined &&
              BN_bn2binpad(ECDSA_SIG_get0_r(pair), joined, half) == half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), joined + half, half) == half;

  if (done)
    text_put_base64url(text, joined, 2 * (size_t)half);
  ECDSA_SIG_free(pair);
  return done;
}

static bool put_signature(struct text *text, EVP_PKEY *key, const struct algorithm *algorithm) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  const unsigned char *input = (const unsigned char *)text->bytes;
  size_t input_len = text->len, len = 0;
  unsigned char *bytes = NULL;
  bool done = false;

  if (context != NULL &&
      EVP_DigestSignInit_ex(context, NULL, algorithm->digest, NULL, NULL, key, NULL) == 1 &&
      EVP_DigestSign(context, NULL, &len, input, input_len) == 1 &&
      (bytes = wipe_alloc(len)) != NULL &&
      EVP_DigestSign(context, bytes, &len, input, input_len) == 1) {
    text_put(text, ".");
    done = algorithm->bits == 0 || put_ecdsa(text, bytes, len, algorithm->bits);
    if (algorithm->bits == 0)
      text_put_base64url(text, bytes, len);
  }
  wipe_free(bytes);
  EVP_MD_CTX_free(context);
  return done;
}

/* ---- the assertion ---- */

static bool put_json(struct text *text, json_t *object) {
  char *json = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
  bool done = json != NULL;

  if (done)
    text_put_base64url(text, (const unsigned char *)json, strlen(json));
  wipe_free(json); /* jansson's memory is ours */
  json_decref(object);
  return done;
}

static bool put_parts(struct text *text, const struct profile *profile, const char *audience,
                      const struct algorithm *algorithm) {
  unsigned char bytes[ID_BYTES];
  struct text id = {0};
  int64_t now = provider_now();
  bool done;

  if (RAND_bytes(bytes, sizeof bytes) != 1)
    return false;
  text_put_base64url(&id, bytes, sizeof bytes);
  if (text_end(&id) == NULL)
    return false;
  done = put_json(text, json_pack("{s:s, s:s, s:s*}", "alg", algorithm->name, "typ", "JWT", "kid",
                                  profile->client_key_id));
  text_put(text, ".");
  done = done &&
         put_json(text, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", profile->client_id,
                                  "sub", profile->client_id, "aud", audience, "jti", id.bytes,
                                  "iat", (json_int_t)now, "exp", (json_int_t)(now + LIFETIME)));
  text_clear(&id);
  return done && text_end(text) != NULL;
}

enum cli_exit assertion_make(const struct profile *profile, const char *audience,
                             char **assertion_out) {
  EVP_PKEY *key = read_key(profile->client_key_file);
  const struct algorithm *algorithm = key != NULL ? algorithm_of(key) : NULL;
  struct text text = {0};

  *assertion_out = NULL;
  if (key != NULL && algorithm == NULL)
    cli_complain("%s: expected an RSA, P-256, P-384, P-521 or Ed25519 key",
                 profile->client_key_file);
  else if (key != NULL && (!put_parts(&text, profile, audience, algorithm) ||
                           !put_signature(&text, key, algorithm)))
    cli_complain("%s: the key cannot sign", profile->client_key_file);
  else if (key != NULL)
    *assertion_out = text_take(&text);
  text_clear(&text);
  EVP_PKEY_free(key);
  return *assertion_out != NULL ? CLI_DONE : CLI_USAGE;
}
