/*
 * From an outcome to its PAM code, by the library's one table of classes.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pamcode.h"

#include <security/_pam_types.h>
#include <stdbool.h>

/*
 * Never PAM_IGNORE, PAM_USER_UNKNOWN or PAM_NEW_AUTHTOK_REQD, which common stacks
 * let pass. PAM_AUTHINFO_UNAVAIL is for what another attempt may find mended.
 */
static const int codes[] = {
#define CLASS(symbol, name, pam_code, exit_code) [CORTEX_CLASS_##symbol] = pam_code,
#include <cortexauth/class.def>
#undef CLASS
};

int cx_pamcode_of(const struct cortex_outcome *outcome) {
  bool is_ok = outcome->reason == CORTEX_OK;

  if (outcome->effect == CORTEX_ALLOW && is_ok)
    return PAM_SUCCESS;
  if (outcome->effect != CORTEX_DENY || is_ok)
    return PAM_SYSTEM_ERR;
  return codes[cortex_reason_class(outcome->reason)];
}
