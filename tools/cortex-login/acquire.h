/*
 * A usable token for a profile: kept, renewed, or new.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_ACQUIRE_H
#define CORTEX_LOGIN_ACQUIRE_H

#include "profile.h"

struct acquire_how {
  bool fresh;      /* not one that was handed out before */
  bool unattended; /* nobody is there to log in */
};

/*
 * Gets the token that the profile hands over. What a provider issues is in the
 * cache before it is handed out, a rotated refresh token too.
 *
 *   out  token_out: release with wipe_free
 *   out  expires_out: epoch seconds; 0: nobody knows
 *   gives  CLI_DONE; after a complaint CLI_NO when provider or person said no or
 *          a person is needed, CLI_USAGE for a profile, cache or file that
 *          cannot be used, CLI_OUTSIDE for all else
 */
enum cli_exit acquire_token(const struct profile *profile, const struct acquire_how *how,
                            char **token_out, int64_t *expires_out);

#endif
