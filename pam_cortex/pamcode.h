/*
 * PAM code: what the application is answered.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_PAMCODE_H
#define CX_PAM_PAMCODE_H

#include <cortexauth/login.h>

/*
 * The PAM code of an outcome. PAM_SUCCESS takes both, effect allow and reason
 * OK; where the two disagree the answer is PAM_SYSTEM_ERR.
 */
int cx_pamcode_of(const struct cortex_outcome *outcome);

#endif
