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
#include "util/private_key.h"

enum { HEADER, KEY, IV, TEXT, TAG, PARTS };

/* All parts decoded into one room; the header's own text is what was authenticated. */
static enum cortex_reason split(const char *bytes, size_t len, uint8_t *room,
                                struct cx_jwe_bytes parts[PARTS], struct cortex_error *error) {
  const char *end = bytes + len, *dot;
  size_t i, used;

  for (i = 0; i < PARTS; i++) {
    dot = i + 1 < PARTS ? memchr(bytes, '.', (size_t)(end - bytes)) : end;
    if (!cx_base64url_decode(bytes, (size_t)(dot - bytes), room, &used))
      return cx_error_set(error, CORTEX_BAD_ENCODING,
                          "the encrypted token is not strict base64url without padding");
    parts[i] = (struct cx_jwe_bytes){room, used};
    room += used;
    bytes = dot + 1;
  }
  if (parts[HEADER].len == 0 || parts[HEADER].len > CX_TOKEN_HEADER_MAX)
    return cx_error_set(error, parts[HEADER].len == 0 ? CORTEX_MALFORMED : CORTEX_TOO_LARGE,
                        "the encrypted token's header has %zu bytes, 1 to %d are read",
                        parts[HEADER].len, CX_TOKEN_HEADER_MAX);
  return CORTEX_OK;
}

/* RFC 8725 3.6: compressed plaintext gives away its content by its length. */
static enum cortex_reason check_header(const struct cx_jwe *jwe, struct cx_jwe_method *method_out,
                                       struct cortex_error *error) {
  const cx_json *header = jwe->header;

  *method_out = cx_jwe_method_find(header);
  if (cx_json_get(header, "crit") != NULL || cx_json_get(header, "zip") != NULL)
    return cx_error_set(error, CORTEX_UNSUPPORTED_CRITICAL,
                        "the encrypted token's header has crit or zip, neither is supported");
  if (method_out->key == NULL)
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the key was encrypted by %s, expected RSA-OAEP, RSA-OAEP-256, ECDH-ES or "
                        "ECDH-ES with AES key wrap",
                        cx_json_show(cx_json_get(header, "alg")).text);
  if (method_out->content == NULL || !cx_jwe_method_fits(method_out, jwe))
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the token was encrypted by %s (vector of %zu bytes, tag of %zu), expected "
                        "AES-GCM or AES-CBC with HMAC",
                        cx_json_show(cx_json_get(header, "enc")).text, jwe->iv.len, jwe->tag.len);
  return CORTEX_OK;
}

/* One answer for every way to fail, so that nobody learns from the difference. */
static enum cortex_reason decrypt(const char *key_file, const struct cx_jwe *jwe,
                                  struct cx_buf *plain, struct cortex_error *error) {
  struct cx_jwe_method method;
  EVP_PKEY *pkey = NULL;
  enum cortex_reason reason = check_header(jwe, &method, error);

  if (reason == CORTEX_OK)
    reason = cx_private_key_load(key_file, &pkey, error);
  if (reason != CORTEX_OK)
    return reason;
  ERR_set_mark();
  if (!cx_jwe_decrypt(&method, jwe, pkey, plain))
    reason = cx_error_set(error, CORTEX_KEY_MISMATCH,
                          "the token is not encrypted to a configured key, or was changed");
  ERR_pop_to_mark();
  EVP_PKEY_free(pkey);
  return reason;
}

enum cortex_reason cx_jwe_open(const char *key_file, const char *bytes, size_t len,
                               struct cx_buf *plain, struct cortex_error *error) {
  uint8_t *room = malloc(len + 1);
  struct cx_jwe_bytes parts[PARTS];
  const cx_json *header = NULL;
  enum cortex_reason reason;

  cx_buf_init(plain, 2 * CORTEX_CREDENTIAL_MAX);
  if (room == NULL)
    return cx_error_memory(error);
  reason = split(bytes, len, room, parts, error);
  if (reason == CORTEX_OK)
    reason = cx_json_parse("encrypted token's header", (const char *)parts[HEADER].bytes,
                           parts[HEADER].len, &header, error);
  if (reason == CORTEX_OK) {
    const char *dot = memchr(bytes, '.', len);
    const struct cx_jwe jwe = {header,      {(const uint8_t *)bytes, (size_t)(dot - bytes)},
                               parts[KEY],  parts[IV],
                               parts[TEXT], parts[TAG]};

    reason = decrypt(key_file, &jwe, plain, error);
  }
  cx_json_release(header);
  free(room);
  if (reason != CORTEX_OK)
    cx_buf_clear(plain);
  return reason;
}
