/*
 * What a verified token must say to be accepted (RFC 7519 4.1, OpenID Connect
 * Core 3.1.3.7, RFC 9068 4).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_CLAIMS_H
#define CX_OIDC_CLAIMS_H

#include "oidc/token.h"
#include "settings/settings.h"

/*
 * The claim of a name, looked up literally first, then as a dotted path into
 * objects, whose names may hold dots: the longest that leads on counts.
 * Borrowed; NULL: there is none.
 */
const cx_json *cx_claims_get(const cx_json *claims, const char *name);

/* A time of the token in seconds since 1970, fractions cut off; false: no such number. */
bool cx_claims_get_time(const cx_json *claims, const char *name, int64_t *seconds_out);

/*
 * Applies every rule that does not concern names: type of token, binding,
 * audience, times, subject, ages, required claims. The signature must have
 * been verified before.
 *
 *   in   now: seconds since 1970
 *   gives  CORTEX_OK, CORTEX_TOKEN_TYPE_REFUSED, CORTEX_BOUND_TOKEN_REFUSED,
 *          CORTEX_MISSING_CLAIM, CORTEX_CLAIM_MISMATCH, CORTEX_AUDIENCE_MISMATCH,
 *          CORTEX_TOKEN_EXPIRED, CORTEX_NOT_YET_VALID, CORTEX_ISSUED_IN_FUTURE,
 *          CORTEX_TOO_OLD
 */
CORTEX_MUSTCHECK enum cortex_reason cx_claims_check(const struct cx_token *token,
                                                    const struct cx_oidc_settings *settings,
                                                    int64_t now, struct cortex_error *error);

#endif
