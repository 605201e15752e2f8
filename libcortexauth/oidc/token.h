/*
 * The compact form of a JWT (RFC 7515 7.1, RFC 7519 7.2): three parts, read strictly.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_TOKEN_H
#define CX_OIDC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oidc/jws.h"
#include "util/error.h"
#include "util/json.h"

/* Decoded; a chain of certificates (x5c) is the longest that issuers send. */
#define CX_TOKEN_HEADER_MAX 16384

/* What a token says before anybody proved it. Borrows the bytes it was parsed from. */
struct cx_token {
  const char *input; /* header and payload with their dot: what is signed */
  size_t input_len;
  const cx_json *header;
  const cx_json *claims;
  uint8_t *decoded; /* all parts' bytes, owned */
  size_t decoded_len;
  const uint8_t *signature; /* inside decoded */
  size_t signature_len;
  const struct cx_jws_algorithm *algorithm; /* one of ours */
  const char *kid; /* inside header; NULL: none */
  size_t kid_len;
  bool is_access; /* typ at+jwt, RFC 9068 2.1 */
};

/* How many parts there are between dots: 3 is a signed token, 5 an encrypted one. */
size_t cx_token_count_parts(const char *bytes, size_t len);

/*
 * Splits, decodes and reads a signed token; checks form and header, proves nothing.
 *
 *   out  token_out: release with cx_token_clear, on failure too
 *   gives  CORTEX_OK, CORTEX_MALFORMED, CORTEX_TOO_LARGE, CORTEX_BAD_ENCODING,
 *          CORTEX_CLAIM_MISMATCH (a number out of range),
 *          CORTEX_ALGORITHM_NOT_ALLOWED (none of ours: "none", HMAC),
 *          CORTEX_UNSUPPORTED_CRITICAL, CORTEX_TOKEN_TYPE_REFUSED, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_token_parse(const char *bytes, size_t len,
                                                   struct cx_token *token_out,
                                                   struct cortex_error *error);
void cx_token_clear(struct cx_token *token);

#endif
