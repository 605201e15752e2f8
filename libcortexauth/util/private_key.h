/*
 * A private key out of a file that the operator keeps.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_PRIVATE_KEY_H
#define CX_UTIL_PRIVATE_KEY_H

#include <openssl/types.h>

#include "util/error.h"

/*
 * Reads an unencrypted PEM file through the strict open.
 *
 *   out  key_out: release with EVP_PKEY_free; NULL on failure
 *   gives  CORTEX_OK, or CORTEX_CONFIG_INVALID with the path
 */
CORTEX_MUSTCHECK enum cortex_reason cx_private_key_load(const char *path, EVP_PKEY **key_out,
                                                        struct cortex_error *error);

/* What a key is to open, which says of which kind it must be. */
enum cx_private_key_use {
  CX_OPENS_TOKENS,    /* RFC 7518 4: RSA, or EC on P-256, P-384 or P-521 */
  CX_OPENS_ASSERTIONS /* XML Encryption 5.5.2: RSA */
};

/* The same without keeping it: says only whether the file can be used, and for that. */
CORTEX_MUSTCHECK enum cortex_reason cx_private_key_check(const char *path,
                                                         enum cx_private_key_use use,
                                                         struct cortex_error *error);

#endif
