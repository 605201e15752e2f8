/*
 * Verdict: an allowed login, kept with the handle from auth to account.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_VERDICT_H
#define CX_PAM_VERDICT_H

#include <stdbool.h>

#include "call.h"

/*
 * Keeps "allowed" for the call's user, PAM service, service and configuration.
 * Only an allow is kept: no verdict means deny, and a refused login leaves
 * nothing in memory that only pam_end would free.
 */
CORTEX_MUSTCHECK bool cx_verdict_keep(const struct cx_call *call);

/* Forgets what an earlier login on this handle left. */
CORTEX_MUSTCHECK bool cx_verdict_drop(pam_handle_t *pamh);

/* Whether an allow is kept for exactly this call's user, services and configuration. */
bool cx_verdict_is_kept(const struct cx_call *call);

#endif
