/*
 * Conversation: asking the application for the credential, telling it a line.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_CONV_H
#define CX_PAM_CONV_H

#include <cortexauth/reason.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>

/* Borrowed from the handle's PAM_AUTHTOK, which libpam wipes after the last module. */
struct cx_password {
  const char *bytes;
  size_t len;
};

/*
 * Gets the credential: what an earlier module left in PAM_AUTHTOK, else the
 * answer to one prompt, which is left there for later modules. The answer itself
 * is wiped. Logs nothing: psql's first attempt, made before it asks its user,
 * comes here without a password.
 *
 *   out  password_out: empty on failure
 *   gives  PAM_SUCCESS; PAM_CONV_ERR: no answer; PAM_AUTH_ERR: an empty one;
 *          PAM_BUF_ERR
 */
CORTEX_MUSTCHECK int cx_conv_ask(pam_handle_t *pamh, struct cx_password *password_out);

/*
 * Gives the application a line as PAM_ERROR_MSG; PostgreSQL writes it to its log.
 *   gives  false when there is no conversation or it fails
 */
bool cx_conv_tell(pam_handle_t *pamh, const char *line);

#endif
