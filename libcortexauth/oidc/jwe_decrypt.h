/*
 * The object libcortexauth-jwe.so: the one call for which libcjose is loaded.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_JWE_DECRYPT_H
#define CX_OIDC_JWE_DECRYPT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decrypts a token whose form and header are checked already.
 *
 *   out  text_out: wipe, then release with free(); NULL on failure
 *   gives  false: not encrypted to this key, changed, or no memory
 */
typedef bool cx_jwe_decrypt_fn(const EVP_PKEY *pkey, const char *bytes, size_t len,
                               uint8_t **text_out, size_t *len_out);

/* Its name in the object; a change of the call above is a new name. */
#define CX_JWE_DECRYPT "cx_jwe_decrypt"
__attribute__((visibility("default"))) cx_jwe_decrypt_fn cx_jwe_decrypt;

#endif
