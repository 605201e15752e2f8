/*
 * Encrypted assertions (XML Encryption 1.1, SAML core 6).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_DECRYPT_H
#define SAML_DECRYPT_H

#include <libxml/tree.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * Opens an EncryptedAssertion with our private key: RSA-OAEP, then AES in CBC or
 * GCM. Algorithms are judged before anything is decrypted; from then on every
 * failure is the same one, so that no answer tells about a plaintext.
 *
 *   in   key: PEM
 *   out  plain_out: made by this call; wipe with cx_buf_clear
 *   gives  CORTEX_OK, CORTEX_ALGORITHM_NOT_ALLOWED, CORTEX_MALFORMED,
 *          CORTEX_SIGNATURE_INVALID (could not be decrypted)
 */
CORTEX_MUSTCHECK enum cortex_reason saml_decrypt(const xmlNode *encrypted, const char *key,
                                                 struct cx_buf *plain_out,
                                                 struct cortex_error *error);

#endif
