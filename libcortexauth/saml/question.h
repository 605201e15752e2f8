/*
 * The question to the helper: the response, and of each [saml] section whom it trusts.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SAML_QUESTION_H
#define CX_SAML_QUESTION_H

#include "credential/credential.h"
#include "util/buf.h"

/* The most bytes of one metadata document. */
#define CX_SAML_METADATA_MAX (512 * 1024)

/*
 * Reads the metadata of every [saml] section, from the keyring, its file or the
 * cache; what cannot be read is named in the question and hurts no other section.
 *
 *   out  question_out: made by this call; holds a private key where the response
 *        is encrypted: wipe with cx_buf_clear
 *   gives  CORTEX_OK, CORTEX_UNKNOWN_ISSUER (no [saml] section), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason
cx_saml_question_make(const struct cx_trust *trust, const struct cortex_credential *credential,
                      const struct cx_buf *xml, struct cx_buf *question_out,
                      struct cortex_error *error);

/*
 * The question what the metadata of one [saml] section holds.
 *
 *   in   keyring: may be NULL; real_now: seconds since 1970
 *   out  question_out: as above
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE (too large)
 */
CORTEX_MUSTCHECK enum cortex_reason cx_saml_question_inspect(const struct cx_trust *trust,
                                                             const struct cortex_keyring *keyring,
                                                             int64_t real_now,
                                                             const struct cortex_issuer *issuer,
                                                             struct cx_buf *question_out,
                                                             struct cortex_error *error);

#endif
