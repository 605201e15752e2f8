/*
 * An issuer's key set (RFC 7517 5) and the choice of one key in it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEYSET_H
#define CX_OIDC_KEYSET_H

#include <cortexauth/credential.h>

#include "oidc/jws.h"
#include "util/list.h"

#define CX_KEYSET_SIZE_MAX (1024 * 1024)

struct cx_keyset;

/*
 * Reads a JWK set. Single keys that cannot be used do not spoil it (RFC 7517 5:
 * they are ignored); keys are made only when a token asks for them.
 *
 *   out  keyset_out: release with cx_keyset_free; NULL on failure
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE (not a JWK set), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_keyset_parse(const char *bytes, size_t len,
                                                    struct cx_keyset **keyset_out,
                                                    struct cortex_error *error);
void cx_keyset_free(struct cx_keyset **keyset);

/* Makes all keys now, for a set that is asked many times. */
void cx_keyset_prepare(struct cx_keyset *keyset);

/* Sorts the set's keys by what one of the algorithms (by name) could do with them. */
CORTEX_MUSTCHECK enum cortex_reason cx_keyset_count(const struct cx_keyset *keyset,
                                                    const struct cx_list *algorithms,
                                                    struct cortex_key_count *count_out);

/*
 * Verifies a signature with the set's key: the one of exactly the header's kid,
 * or without a kid the only usable one that fits the algorithm. A key fits when
 * type, curve, use, key_ops and alg all allow it.
 *
 *   gives  CORTEX_OK, CORTEX_UNKNOWN_KID, CORTEX_KEY_MISMATCH, CORTEX_WEAK_KEY,
 *          CORTEX_SIGNATURE_INVALID, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_keyset_verify(const struct cx_keyset *keyset,
                                                     const struct cx_jws *jws,
                                                     struct cortex_error *error);

#endif
