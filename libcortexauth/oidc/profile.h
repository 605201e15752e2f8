/*
 * Who a verified token speaks of: its claims as an identity.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_PROFILE_H
#define CX_OIDC_PROFILE_H

#include "identity/identity.h"
#include "oidc/token.h"

/*
 * Fills an identity from claims that cx_claims_check has accepted: subject,
 * username, groups, authentication, times, token id. Takes a reference to the
 * claims.
 *
 *   gives  CORTEX_OK, CORTEX_MISSING_USERNAME, CORTEX_BAD_USERNAME,
 *          CORTEX_CLAIM_MISMATCH, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_profile_read(const struct cx_token *token,
                                                    const struct cortex_issuer *issuer,
                                                    struct cortex_identity *identity,
                                                    struct cortex_error *error);

#endif
