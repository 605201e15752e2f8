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

/* The same without keeping it: says only whether the file can be used. */
CORTEX_MUSTCHECK enum cortex_reason cx_private_key_check(const char *path,
                                                         struct cortex_error *error);

#endif
