/*
 * The helper's answer as an identity: what it says is checked as a stranger's.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SAML_PROFILE_H
#define CX_SAML_PROFILE_H

#include "credential/credential.h"
#include "util/buf.h"
#include "util/json.h"

#define CX_SAML_TIME_MAX INT64_C(253402300799) /* the year 9999, so that sums stay in range */

/* The refusal in an answer, when the helper may speak of its reason; else CORTEX_HELPER_FAILED. */
CORTEX_MUSTCHECK enum cortex_reason cx_saml_profile_refuse(const cx_json *answer,
                                                           struct cortex_error *error);

/* CORTEX_HELPER_FAILED: an answer of no agreed form. */
CORTEX_MUSTCHECK enum cortex_reason cx_saml_profile_misunderstood(struct cortex_error *error);

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
