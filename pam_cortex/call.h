/*
 * Call: one call of a service function, from its arguments to its outcome.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_CALL_H
#define CX_PAM_CALL_H

#include <cortexauth/login.h>
#include <security/pam_modules.h>
#include <stdbool.h>

#include "args.h"
#include "conv.h"
#include "process.h"

/*
 * The longest that a role's name can be, in bytes. What is longer, where a program asks for the
 * name, may be the credential in the wrong place: it is never recorded, nor shown whole.
 */
#define CX_USER_MAX 63

struct cx_call {
  pam_handle_t *pamh;
  int flags;
  const char *user; /* PAM_USER, borrowed */
  struct cx_args args;
  struct cx_process process; /* pid 0: not read yet */
  struct cortex_outcome outcome;
};

/*
 * Starts a call: the outcome is a deny, user and arguments are read.
 *   gives  false with the outcome saying why: bad arguments, no user
 */
CORTEX_MUSTCHECK bool cx_call_begin(struct cx_call *call, pam_handle_t *pamh, int flags, int argc,
                                    const char **argv);

/*
 * Runs the login of a credential and leaves the library's answer in the outcome;
 * an allow is turned into a deny where this process or its client is not what
 * the library was told.
 */
void cx_call_login(struct cx_call *call, const struct cx_password *password);

/* Makes the outcome a deny with a reason and one sentence for the server's log. */
void cx_call_refuse(struct cx_call *call, enum cortex_reason reason, const char *sentence);

#endif
