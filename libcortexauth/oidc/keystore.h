/*
 * Where an issuer's keys come from: keyring, file or cache.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEYSTORE_H
#define CX_OIDC_KEYSTORE_H

#include "credential/credential.h"
#include "oidc/keyset.h"

/* An issuer's key set: borrowed from the keyring, or read for this credential. */
struct cx_keystore {
  const struct cx_keyset *keyset;
  struct cx_keyset *read; /* owned; NULL when borrowed */
};

/*
 * Finds the issuer's key set: in the credential's keyring, else its jwks_file,
 * else the cache file that a refresh left, unless that is too old.
 *
 *   out  keystore_out: release with cx_keystore_close, on failure too
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE, CORTEX_KEYS_STALE,
 *          CORTEX_INTERNAL; error->source is the issuer's label
 */
CORTEX_MUSTCHECK enum cortex_reason
cx_keystore_open(const struct cx_trust *trust, const struct cortex_credential *credential,
                 const struct cortex_issuer *issuer, struct cx_keystore *keystore_out,
                 struct cortex_error *error);
void cx_keystore_close(struct cx_keystore *keystore);

#endif
