/*
 * Encrypted tokens (RFC 7516 compact form) around signed ones.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/jwe.h"

#include <cjose/cjose.h>
#include <cortexauth/credential.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "oidc/token.h"
#include "util/base64url.h"
#include "util/json.h"
#include "util/private_key.h"
#include "util/secret.h"

enum { HEADER, KEY, IV, TEXT, TAG, PARTS };

/* What cjose offers and is not broken by design: no RSA1_5, no password, no shared key. */
static const char *const key_algorithms[] = {"RSA-OAEP", "ECDH-ES", NULL};
static const struct {
  const char *name;
  size_t iv_len;
  size_t tag_len;
} content_algorithms[] = {{"A128GCM", 12, 16},       {"A192GCM", 12, 16},
                          {"A256GCM", 12, 16},       {"A128CBC-HS256", 16, 16},
                          {"A192CBC-HS384", 16, 24}, {"A256CBC-HS512", 16, 32}};

struct part {
  const char *text;
  size_t len;
  size_t size; /* decoded */
};

/* cjose reads base64 leniently, so each part is checked here first. */
static enum cortex_reason split(const char *bytes, size_t len, struct part parts[PARTS],
                                uint8_t *room, struct cortex_error *error) {
  const char *end = bytes + len, *dot;
  int i;

  for (i = PARTS - 1; i >= 0; i--) {
    for (dot = end; dot > bytes && dot[-1] != '.'; dot--)
      ;
    parts[i] = (struct part){dot, (size_t)(end - dot), 0};
    if (!cx_base64url_decode(dot, parts[i].len, room, &parts[i].size))
      return cx_error_set(error, CORTEX_BAD_ENCODING,
                          "the encrypted token is not strict base64url without padding");
    end = dot - 1;
  }
  if (parts[HEADER].size == 0 || parts[HEADER].size > CX_TOKEN_HEADER_MAX)
    return cx_error_set(error, parts[HEADER].size == 0 ? CORTEX_MALFORMED : CORTEX_TOO_LARGE,
                        "the encrypted token's header has %zu bytes, 1 to %d are read",
                        parts[HEADER].size, CX_TOKEN_HEADER_MAX);
  return CORTEX_OK; /* the room holds the header: it was decoded last */
}

static bool is_key_algorithm(const json_t *value) {
  size_t i;

  for (i = 0; key_algorithms[i] != NULL; i++)
    if (cx_json_is_text(value, key_algorithms[i], strlen(key_algorithms[i])))
      return true;
  return false;
}

/* Exact lengths: a shortened tag is easier to forge (CVE-2023-37464). */
static bool is_content_algorithm(const json_t *value, const struct part parts[PARTS]) {
  size_t i;

  for (i = 0; i < sizeof content_algorithms / sizeof content_algorithms[0]; i++)
    if (cx_json_is_text(value, content_algorithms[i].name, strlen(content_algorithms[i].name)))
      return parts[IV].size == content_algorithms[i].iv_len &&
             parts[TAG].size == content_algorithms[i].tag_len;
  return false;
}

/* RFC 8725 3.6: compressed plaintext gives away its content by its length. */
static enum cortex_reason check_header(const json_t *header, const struct part parts[PARTS],
                                       struct cortex_error *error) {
  const json_t *alg = json_object_get(header, "alg"), *enc = json_object_get(header, "enc");

  if (json_object_get(header, "crit") != NULL || json_object_get(header, "zip") != NULL)
    return cx_error_set(error, CORTEX_UNSUPPORTED_CRITICAL,
                        "the encrypted token's header has crit or zip, neither is supported");
  if (!is_key_algorithm(alg))
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the key was encrypted by %s, expected RSA-OAEP or ECDH-ES",
                        cx_json_show(alg).text);
  if (!is_content_algorithm(enc, parts))
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the token was encrypted by %s (vector of %zu bytes, tag of %zu), expected "
                        "AES-GCM or AES-CBC with HMAC",
                        cx_json_show(enc).text, parts[IV].size, parts[TAG].size);
  return CORTEX_OK;
}

struct number {
  const char *name;
  uint8_t **bytes;
  size_t *len;
};

/* Numbers of a private key as cjose takes them; the caller frees them either way. */
static bool get_numbers(const EVP_PKEY *pkey, const struct number *numbers, size_t count) {
  size_t i;

  for (i = 0; i < count; i++) {
    BIGNUM *value = NULL;

    if (EVP_PKEY_get_bn_param(pkey, numbers[i].name, &value) != 1)
      return false;
    *numbers[i].len = (size_t)BN_num_bytes(value);
    *numbers[i].bytes = malloc(*numbers[i].len + 1);
    if (*numbers[i].bytes != NULL)
      BN_bn2bin(value, *numbers[i].bytes);
    BN_clear_free(value);
    if (*numbers[i].bytes == NULL)
      return false;
  }
  return true;
}

static void free_numbers(const struct number *numbers, size_t count) {
  size_t i;

  for (i = 0; i < count; i++)
    cx_secret_free(*numbers[i].bytes, *numbers[i].len);
}

static cjose_jwk_t *make_rsa(const EVP_PKEY *pkey) {
  cjose_jwk_rsa_keyspec spec = {0};
  const struct number numbers[] = {{OSSL_PKEY_PARAM_RSA_N, &spec.n, &spec.nlen},
                                   {OSSL_PKEY_PARAM_RSA_E, &spec.e, &spec.elen},
                                   {OSSL_PKEY_PARAM_RSA_D, &spec.d, &spec.dlen}};
  cjose_jwk_t *jwk = NULL;
  cjose_err cause;

  if (get_numbers(pkey, numbers, 3))
    jwk = cjose_jwk_create_RSA_spec(&spec, &cause);
  free_numbers(numbers, 3);
  return jwk;
}

static cjose_jwk_t *make_ec(const EVP_PKEY *pkey) {
  cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_INVALID};
  const struct number numbers[] = {{OSSL_PKEY_PARAM_EC_PUB_X, &spec.x, &spec.xlen},
                                   {OSSL_PKEY_PARAM_EC_PUB_Y, &spec.y, &spec.ylen},
                                   {OSSL_PKEY_PARAM_PRIV_KEY, &spec.d, &spec.dlen}};
  char group[64];
  cjose_jwk_t *jwk = NULL;
  cjose_err cause;

  if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1)
    return NULL;
  spec.crv = (cjose_jwk_ec_curve)OBJ_txt2nid(group);
  if (get_numbers(pkey, numbers, 3))
    jwk = cjose_jwk_create_EC_spec(&spec, &cause);
  free_numbers(numbers, 3);
  return jwk;
}

/* One answer for every way to fail, so that nobody learns from the difference. */
static enum cortex_reason decrypt(const EVP_PKEY *pkey, const char *bytes, size_t len,
                                  struct cx_buf *plain, struct cortex_error *error) {
  cjose_jwk_t *key = EVP_PKEY_is_a(pkey, "RSA") ? make_rsa(pkey) : make_ec(pkey);
  cjose_jwe_t *jwe;
  uint8_t *text = NULL;
  size_t text_len = 0;
  cjose_err cause;

  jwe = key != NULL ? cjose_jwe_import(bytes, len, &cause) : NULL;
  if (jwe != NULL)
    text = cjose_jwe_decrypt(jwe, key, &text_len, &cause);
  if (text != NULL)
    cx_buf_put(plain, text, text_len);
  cx_secret_free(text, text_len);
  cjose_jwe_release(jwe);
  cjose_jwk_release(key);
  if (text == NULL || plain->failed)
    return cx_error_set(error, CORTEX_KEY_MISMATCH,
                        "the token is not encrypted to a configured key, or was changed");
  return CORTEX_OK;
}

enum cortex_reason cx_jwe_open(const char *key_file, const char *bytes, size_t len,
                               struct cx_buf *plain, struct cortex_error *error) {
  uint8_t *room = malloc(len + 1);
  struct part parts[PARTS];
  json_t *header = NULL;
  EVP_PKEY *pkey = NULL;
  enum cortex_reason reason;

  cx_buf_init(plain, CORTEX_CREDENTIAL_MAX);
  if (room == NULL)
    return cx_error_memory(error);
  reason = split(bytes, len, parts, room, error);
  if (reason == CORTEX_OK)
    reason = cx_json_parse("encrypted token's header", (const char *)room, parts[HEADER].size,
                           &header, error);
  if (reason == CORTEX_OK)
    reason = check_header(header, parts, error);
  if (reason == CORTEX_OK)
    reason = cx_private_key_load(key_file, &pkey, error);
  if (reason == CORTEX_OK) {
    ERR_set_mark();
    reason = decrypt(pkey, bytes, len, plain, error);
    ERR_pop_to_mark();
  }
  EVP_PKEY_free(pkey);
  json_decref(header);
  free(room);
  if (reason != CORTEX_OK)
    cx_buf_clear(plain);
  return reason;
}
