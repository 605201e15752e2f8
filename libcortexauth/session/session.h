/*
 * A login's part in sessions: the stamp it leaves, the reaper it relies on.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SESSION_SESSION_H
#define CX_SESSION_SESSION_H

#include <cortexauth/session.h>

#include "session/stamp.h"

/* The reaper's note in the sessions folder; stamps have digits only. */
#define CX_SESSION_REAPED "reaped"

/*
 * Leaves the stamp of a session that is about to begin. One of the same pid is
 * that of a session which has ended.
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL: then there is none
 */
CORTEX_MUSTCHECK enum cortex_reason cx_session_begin(const struct cortex_settings *settings,
                                                     const struct cx_session_stamp *stamp,
                                                     struct cortex_error *error);

/* Takes back the stamp of a session that does not begin after all. */
void cx_session_drop(const struct cortex_settings *settings, int64_t pid);

/*
 * With [session] enforce = yes: CORTEX_REAPER_STALE unless a reaper has noted its
 * work within reaper_grace.
 *   in   now: seconds since 1970, the real time
 */
CORTEX_MUSTCHECK enum cortex_reason cx_session_check_reaper(const struct cortex_settings *settings,
                                                            int64_t now,
                                                            struct cortex_error *error);

#endif
