/*
 * Key sets and metadata that a program fetched itself, by the issuer's label.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_CREDENTIAL_KEYRING_H
#define CX_CREDENTIAL_KEYRING_H

#include <cortexauth/credential.h>

#include "oidc/keyset.h"

/*
 * The key set of a label. CORTEX_OK with NULL: the keyring has none (or is
 * NULL itself).
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE (what was put in is not a key set)
 */
CORTEX_MUSTCHECK enum cortex_reason cx_keyring_get(const struct cortex_keyring *keyring,
                                                   const char *label,
                                                   const struct cx_keyset **keyset_out,
                                                   struct cortex_error *error);

/* What was put in for a label, as it is; false: nothing was. Borrowed from the keyring. */
bool cx_keyring_get_document(const struct cortex_keyring *keyring, const char *label,
                             const char **bytes_out, size_t *len_out);

#endif
