/*
 * State: what outlives a login, and whether its folders are as they must be.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_STATE_H
#define CORTEXAUTH_STATE_H

#include <cortexauth/settings.h>

/*
 * Looks at one folder of the state as a login of the calling user would meet it.
 *
 *   in   index: from 0 on
 *   out  name_out: "bindings" and so on, static; NULL past the last folder
 *   gives  CORTEX_OK (also past the last), CORTEX_STATE_UNAVAILABLE with the
 *          folder in the error: missing, not trusted, or logins write there and
 *          the caller cannot
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_state_check(const struct cortex_settings *settings, size_t index, const char **name_out,
                   struct cortex_error *error);

/*
 * A file of this name in the folder requests asks for a policy image, as one named by an issuer's
 * label, which holds no colon, asks for keys.
 */
#define CORTEX_REQUEST_IMAGE "policy:image"

#endif
