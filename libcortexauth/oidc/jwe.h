/*
 * Encrypted tokens (RFC 7516 compact form) around signed ones.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_JWE_H
#define CX_OIDC_JWE_H

#include <stddef.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * Checks form and header and decrypts with one private key: RSA-OAEP(-256)
 * or ECDH-ES, AES-GCM or AES-CBC with HMAC. Compression is refused. Proves
 * nothing: anybody can encrypt to a public key.
 *
 *   in   key_file: PEM file of the private key
 *   out  plain: initialised here, release with cx_buf_clear; empty on failure
 *   gives  CORTEX_OK, CORTEX_MALFORMED, CORTEX_TOO_LARGE, CORTEX_BAD_ENCODING,
 *          CORTEX_UNSUPPORTED_CRITICAL, CORTEX_ALGORITHM_NOT_ALLOWED,
 *          CORTEX_KEY_MISMATCH (not encrypted to this key), CORTEX_CONFIG_INVALID
 *          (the key file), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_jwe_open(const char *key_file, const char *bytes, size_t len,
                                                struct cx_buf *plain, struct cortex_error *error);

#endif
