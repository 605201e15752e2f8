/*
 * A client's signed assertion (private_key_jwt: RFC 7523 3, OpenID Connect Core 9).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_ASSERTION_H
#define CORTEX_LOGIN_ASSERTION_H

#include "profile.h"

/*
 * Signs with the profile's key: RS256, ES256, ES384, ES512 or EdDSA, as the key is.
 *   out  assertion_out: release with wipe_free
 *   gives  CLI_DONE; CLI_USAGE after a complaint when the key cannot be used
 */
enum cli_exit assertion_make(const struct profile *profile, const char *audience,
                             char **assertion_out);

#endif
