/*
 * Just in time: a role is made ready for the session that is about to begin.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SESSION_JIT_H
#define CX_SESSION_JIT_H

#include <cortexauth/clock.h>
#include <cortexauth/decision.h>

#include "settings/settings.h"
#include "util/error.h"

struct cx_jit {
  const struct cortex_settings *settings;
  const struct cortex_policy *policy;
  const struct cortex_identity *identity;
  const char *service;
  const char *role;
  unsigned levels;   /* what this session is permitted */
  unsigned standing; /* of these, what every login is */
  int64_t postmaster_start;
  int64_t now; /* seconds since 1970 */
  const struct cortex_clock *clock;
  int64_t deadline; /* on clock->monotonic; 0: none */
};

/*
 * Sees to it that the role exists, may log in and holds what it may: by one call of the
 * extension's function cortex.login over a connection of its own, or by nothing where a
 * note of an earlier login says that all is in place. The session's stamp must be there
 * already: other logins of this role look for it.
 *
 *   gives  CORTEX_OK, CORTEX_ROLE_UNAVAILABLE, CORTEX_CONFIG_INVALID (the part of the library
 *          that connects is not installed), CORTEX_STATE_UNAVAILABLE,
 *          CORTEX_POLICY_UNAVAILABLE (the image changed meanwhile), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_jit_prepare(const struct cx_jit *jit,
                                                   struct cortex_error *error);

#endif
