/*
 * Key sets that a program fetched itself, by the issuer's label.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEYRING_H
#define CX_OIDC_KEYRING_H

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

#endif
