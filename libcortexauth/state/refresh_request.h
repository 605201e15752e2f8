/*
 * Asking for a refresh: what a login leaves when it lacks an issuer's keys or a policy image.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_STATE_REFRESH_REQUEST_H
#define CX_STATE_REFRESH_REQUEST_H

#include <stdbool.h>

/*
 * Leaves the empty file requests/LABEL below the state folder, which
 * cortexctl refresh serves and removes. One that is there already is left
 * alone: however many logins fail, there is one request for an issuer, and
 * nothing of the credential is in it. Failing to leave it changes no verdict.
 *
 *   in   label: of a configured issuer, never a name out of a credential, or CORTEX_REQUEST_IMAGE
 *   gives  true: this call left it, so that what is to be said once can be said
 */
bool cx_refresh_request_leave(const char *state_path, const char *label);

#endif
