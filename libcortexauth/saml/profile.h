/*
 * The helper's answer as an identity: what it says is checked as a stranger's.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SAML_PROFILE_H
#define CX_SAML_PROFILE_H

#include "credential/credential.h"
#include "util/buf.h"

/*
 * Fills an identity from the answer, or passes on the refusal in it.
 *
 *   gives  CORTEX_OK; the helper's own code; CORTEX_HELPER_FAILED (no answer of
 *          the agreed form); CORTEX_MISSING_USERNAME, CORTEX_BAD_USERNAME,
 *          CORTEX_MISSING_CLAIM, CORTEX_CLAIM_MISMATCH, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_saml_profile_read(const struct cx_trust *trust,
                                                         const struct cx_buf *answer, int64_t now,
                                                         struct cortex_identity *identity,
                                                         struct cortex_error *error);

#endif
