/*
 * Encrypted tokens (RFC 7516 compact form) around signed ones.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/jwe.h"

#include <cortexauth/credential.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "oidc/jwe_decrypt.h"
#include "oidc/token.h"
#include "util/base64url.h"
#include "util/json.h"
#include "util/object.h"
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

/* One answer for every way to fail, so that nobody learns from the difference. */
static enum cortex_reason decrypt(const EVP_PKEY *pkey, const char *bytes, size_t len,
                                  struct cx_buf *plain, struct cortex_error *error) {
  cx_jwe_decrypt_fn *call;
  uint8_t *text = NULL;
  size_t text_len = 0;
  enum cortex_reason reason =
      cx_object_find("jwe", CX_JWE_DECRYPT, (cx_object_call **)&call, error);

  if (reason != CORTEX_OK)
    return reason;
  if (call(pkey, bytes, len, &text, &text_len))
    cx_buf_put(plain, text, text_len);
  else
    reason = CORTEX_KEY_MISMATCH;
  cx_secret_free(text, text_len);
  if (reason != CORTEX_OK || plain->failed)
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
