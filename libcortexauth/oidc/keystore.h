/*
 * Where an issuer's keys come from: keyring, file or cache.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEYSTORE_H
#define CX_OIDC_KEYSTORE_H

#include "credential/credential.h"
#include "oidc/jws.h"

/*
 * Verifies a signature with the issuer's key: out of the credential's keyring,
 * else the issuer's jwks_file, else the cache that a refresh left, unless that
 * is too old.
 *
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE, CORTEX_KEYS_STALE,
 *          CORTEX_UNKNOWN_KID, CORTEX_KEY_MISMATCH, CORTEX_WEAK_KEY,
 *          CORTEX_SIGNATURE_INVALID, CORTEX_INTERNAL; error->source is the
 *          issuer's label
 */
CORTEX_MUSTCHECK enum cortex_reason
cx_keystore_verify(const struct cx_trust *trust, const struct cortex_credential *credential,
                   const struct cortex_issuer *issuer, const struct cx_jws *jws,
                   struct cortex_error *error);

#endif
