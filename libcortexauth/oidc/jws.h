/*
 * Signature algorithms (RFC 7518 3, RFC 8037 3.1): asymmetric ones only.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_JWS_H
#define CX_OIDC_JWS_H

#include <stdbool.h>
#include <stdint.h>

#include "oidc/key.h"
#include "util/signature.h"

#define CX_JWS_ALGORITHMS 10

/* What was signed, by which algorithm, and the signature; all borrowed. */
struct cx_jws {
  const struct cx_jws_algorithm *algorithm;
  const char *kid; /* NULL: the header has none */
  size_t kid_len;
  const char *input;
  size_t input_len;
  const uint8_t *signature;
  size_t signature_len;
};

struct cx_jws_algorithm {
  const char *name;
  const struct cx_key_type *key_type; /* the only one it may be used with */
  const struct cx_digest *digest;
  bool (*verify)(const struct cx_jws *jws, const struct cx_key *key);
};

/* The algorithm of exactly that name; NULL: not one of ours ("none" and HMAC never are). */
const struct cx_jws_algorithm *cx_jws_algorithm_find(const char *name);

/* By place, below CX_JWS_ALGORITHMS; and the place of one. */
const struct cx_jws_algorithm *cx_jws_algorithm_at(size_t index);
size_t cx_jws_algorithm_index(const struct cx_jws_algorithm *algorithm);

/* True when the signature is the key's over the input. A key of another type is false. */
bool cx_jws_verify(const struct cx_jws *jws, const struct cx_key *key);

#endif
