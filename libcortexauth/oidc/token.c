/*
 * The compact form of a JWT (RFC 7515 7.1, RFC 7519 7.2): three parts, read strictly.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/token.h"

#include <stdlib.h>
#include <string.h>

#include "util/base64url.h"
#include "util/json.h"
#include "util/secret.h"
#include "util/text.h"

enum { HEADER, PAYLOAD, SIGNATURE, PARTS };

struct part {
  const char *text;
  size_t len;
  uint8_t *bytes;
  size_t bytes_len;
};

size_t cx_token_count_parts(const char *bytes, size_t len) {
  size_t i, count = 1;

  for (i = 0; i < len; i++)
    count += bytes[i] == '.';
  return count;
}

static enum cortex_reason split(const char *bytes, size_t len, struct part parts[PARTS],
                                struct cortex_error *error) {
  size_t count = cx_token_count_parts(bytes, len), i;
  const char *end = bytes + len, *dot;

  if (count != PARTS)
    return cx_error_set(error, CORTEX_MALFORMED, "a signed JWT has 3 parts, this has %zu", count);
  for (i = 0; i < PARTS; i++) {
    dot = i + 1 < PARTS ? memchr(bytes, '.', (size_t)(end - bytes)) : end;
    parts[i] = (struct part){bytes, (size_t)(dot - bytes), NULL, 0};
    bytes = dot + 1;
  }
  if (CX_BASE64URL_SIZE(parts[HEADER].len) > CX_TOKEN_HEADER_MAX)
    return cx_error_set(error, CORTEX_TOO_LARGE, "the token's header has more than %d bytes",
                        CX_TOKEN_HEADER_MAX);
  return CORTEX_OK;
}

/* One allocation holds all parts, so that one wipe removes them. */
static enum cortex_reason decode(struct cx_token *token, struct part parts[PARTS],
                                 struct cortex_error *error) {
  static const char *const names[PARTS] = {"header", "payload", "signature"};
  uint8_t *room;
  size_t i;

  for (i = 0; i < PARTS; i++)
    token->decoded_len += CX_BASE64URL_SIZE(parts[i].len);
  room = token->decoded = malloc(token->decoded_len + 1); /* + 1: three empty parts */
  if (room == NULL)
    return cx_error_memory(error);
  for (i = 0; i < PARTS; i++) {
    parts[i].bytes = room;
    if (!cx_base64url_decode(parts[i].text, parts[i].len, room, &parts[i].bytes_len))
      return cx_error_set(error, CORTEX_BAD_ENCODING,
                          "the token's %s is not strict base64url without padding", names[i]);
    room += parts[i].bytes_len;
  }
  token->signature = parts[SIGNATURE].bytes;
  token->signature_len = parts[SIGNATURE].bytes_len;
  return CORTEX_OK;
}

/* RFC 7515 4.1.4: exact, any characters; matched with its length later. */
static enum cortex_reason read_kid(struct cx_token *token, struct cortex_error *error) {
  const cx_json *kid = cx_json_get(token->header, "kid");

  if (kid == NULL)
    return CORTEX_OK;
  if (!cx_json_is_string(kid))
    return cx_error_set(error, CORTEX_MALFORMED, "the header's kid is not a string");
  token->kid = cx_json_text(kid);
  token->kid_len = cx_json_text_len(kid);
  return CORTEX_OK;
}

/* RFC 8725 3.11: other kinds of JWT (logout, DPoP, events) state a typ of their own. */
static enum cortex_reason read_type(struct cx_token *token, struct cortex_error *error) {
  static const char prefix[] = "application/";
  const cx_json *typ = cx_json_get(token->header, "typ");
  char folded[32] = "";
  const char *name = folded;

  if (typ == NULL)
    return CORTEX_OK;
  if (cx_json_is_plain(typ) && cx_json_text_len(typ) < sizeof folded)
    memcpy(folded, cx_json_text(typ), cx_json_text_len(typ) + 1);
  cx_text_lower(folded);
  if (strncmp(name, prefix, strlen(prefix)) == 0)
    name += strlen(prefix);
  token->is_access = strcmp(name, "at+jwt") == 0;
  if (token->is_access || strcmp(name, "jwt") == 0)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_TOKEN_TYPE_REFUSED,
                      "the header's typ is %s, expected JWT, at+jwt or none",
                      cx_json_show(typ).text);
}

/*
 * RFC 7515 4.1: keys and links to keys in the header (jwk, jku, x5u, x5c) are
 * never looked at; extensions that must be understood (crit, RFC 7797 b64) are
 * refused.
 */
static enum cortex_reason read_header(struct cx_token *token, struct cortex_error *error) {
  const cx_json *algorithm = cx_json_get(token->header, "alg");
  enum cortex_reason reason;

  if (cx_json_get(token->header, "crit") != NULL || cx_json_get(token->header, "b64") != NULL)
    return cx_error_set(error, CORTEX_UNSUPPORTED_CRITICAL,
                        "the header has crit or b64, no extension is supported");
  if (!cx_json_is_plain(algorithm))
    return cx_error_set(error, CORTEX_MALFORMED, "the header's alg is missing or not a name");
  token->algorithm = cx_jws_algorithm_find(cx_json_text(algorithm));
  if (token->algorithm == NULL)
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the token's algorithm is %s, which no issuer may allow",
                        cx_json_show(algorithm).text);
  reason = read_kid(token, error);
  return reason == CORTEX_OK ? read_type(token, error) : reason;
}

enum cortex_reason cx_token_parse(const char *bytes, size_t len, struct cx_token *token_out,
                                  struct cortex_error *error) {
  struct part parts[PARTS];
  enum cortex_reason reason;

  *token_out = (struct cx_token){.input = bytes};
  reason = split(bytes, len, parts, error);
  if (reason != CORTEX_OK)
    return reason;
  token_out->input_len = (size_t)(parts[PAYLOAD].text + parts[PAYLOAD].len - bytes);
  reason = decode(token_out, parts, error);
  if (reason == CORTEX_OK)
    reason = cx_json_parse("token's header", (const char *)parts[HEADER].bytes,
                           parts[HEADER].bytes_len, &token_out->header, error);
  if (reason == CORTEX_OK)
    reason = read_header(token_out, error);
  if (reason == CORTEX_OK)
    reason = cx_json_parse("token's payload", (const char *)parts[PAYLOAD].bytes,
                           parts[PAYLOAD].bytes_len, &token_out->claims, error);
  return reason;
}

void cx_token_clear(struct cx_token *token) {
  cx_json_release(token->header);
  cx_json_release(token->claims);
  cx_secret_free(token->decoded, token->decoded_len);
  *token = (struct cx_token){.input = NULL};
}
