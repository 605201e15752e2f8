/*
 * The one call to PostgreSQL that a login makes, in a shared object of its own: libpq is
 * loaded only where a role must be made ready.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SESSION_JIT_CALL_H
#define CX_SESSION_JIT_CALL_H

#include <cortexauth/reason.h>
#include <stdbool.h>

#define CX_JIT_CALL "cx_jit_call"
#define CX_JIT_VALUES 9

struct cx_jit_query {
  const char *const *keywords; /* of the connection; NULL at the end */
  const char *const *values;
  /* of cortex.login, as text; then the start of the login's own server, microseconds since 1970 */
  const char *parameters[CX_JIT_VALUES];
  int timeout;       /* milliseconds, for everything */
  char message[384]; /* out: why it failed, one line */
};

/*
 * Connects, calls cortex.login, disconnects. libpq's environment is put aside meanwhile.
 *   gives  true when the role is ready; else the message says why not
 */
typedef bool cx_jit_call_fn(struct cx_jit_query *query);
CORTEX_API cx_jit_call_fn cx_jit_call;

#endif
