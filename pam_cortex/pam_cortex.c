/*
 * The service functions of the PAM module.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <security/pam_modules.h>

#include "call.h"
#include "conv.h"
#include "pamcode.h"
#include "report.h"
#include "verdict.h"

/*
 * The whole login. The credential comes first: without one there is nothing to
 * decide, to log or to record, and no file is opened.
 */
CORTEX_API int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  struct cx_password password;
  struct cx_call call;
  const char *user;
  int code;

  if (!cx_verdict_drop(pamh))
    return PAM_SYSTEM_ERR;
  code = pam_get_user(pamh, &user, NULL);
  if (code != PAM_SUCCESS)
    return code;
  code = cx_conv_ask(pamh, &password);
  if (code != PAM_SUCCESS)
    return code;
  if (cx_call_begin(&call, pamh, flags, argc, argv))
    cx_call_login(&call, &password);
  if (cx_pamcode_of(&call.outcome) == PAM_SUCCESS && !cx_verdict_keep(&call))
    cx_call_refuse(&call, CORTEX_INTERNAL, "no memory to keep the verdict");
  cx_report(&call);
  return cx_pamcode_of(&call.outcome);
}

/* Everything after auth stands on its verdict: without one the answer is failure. */
static int require_verdict(pam_handle_t *pamh, int flags, int argc, const char **argv,
                           int failure) {
  struct cx_call call;

  if (cx_call_begin(&call, pamh, flags, argc, argv)) {
    if (cx_verdict_is_kept(&call))
      return PAM_SUCCESS;
    cx_call_refuse(&call, CORTEX_CONFIG_INVALID,
                   "no login was allowed on this handle by an auth line of pam_cortex with the "
                   "same user, service and config");
  }
  cx_report(&call);
  return failure;
}

CORTEX_API int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  return require_verdict(pamh, flags, argc, argv, PAM_PERM_DENIED);
}

/* No credentials are kept for the application: these only stay shut. */
CORTEX_API int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  return require_verdict(pamh, flags, argc, argv, PAM_CRED_UNAVAIL);
}

CORTEX_API int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  return require_verdict(pamh, flags, argc, argv, PAM_SESSION_ERR);
}

CORTEX_API int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  return require_verdict(pamh, flags, argc, argv, PAM_SESSION_ERR);
}
