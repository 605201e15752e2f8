/*
 * One login: verify, admit, decide, record.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_LOGIN_H
#define CORTEXAUTH_LOGIN_H

#include <stddef.h>
#include <stdint.h>

#include <cortexauth/clock.h>
#include <cortexauth/decision.h>
#include <cortexauth/error.h>

/* Characters of a reference: the key by which log line, record and explain meet. */
#define CORTEX_REFERENCE_LEN 16

/* What the caller knows. Strings are NUL-terminated; NULL where said. */
struct cortex_request {
  const char *config; /* path of cortex.conf */
  const char *service;
  const char *role;     /* as the client asked for it, any bytes but NUL */
  const char *database; /* NULL: there is none; empty: which one cannot be told, which is refused */
  const char *address;  /* numeric IP; NULL: a Unix socket */
  const char *host;     /* name of this host, for the record */
  const void *credential;
  size_t credential_len;
  int64_t pid;
  int64_t backend_start; /* microseconds since 1970; 0: not known */
  /* The same of the server's first process; 0: the caller does not become a session,
     and no stamp is left (see session.h). */
  int64_t postmaster_start;
  const struct cortex_clock *clock;
  int64_t deadline; /* on clock->monotonic; 0: none */
};

/* The answer. All zero means: deny. */
struct cortex_outcome {
  enum cortex_effect effect;
  enum cortex_reason reason; /* CORTEX_OK exactly when effect is CORTEX_ALLOW */
  unsigned levels;           /* bits of enum cortex_level */
  int64_t session_until;     /* seconds since 1970 */
  char reference[CORTEX_REFERENCE_LEN + 1];
  struct cortex_error error;  /* for the server's log */
  struct cortex_error notice; /* for it too, whatever the answer is: what an operator should mend */
};

/*
 * Runs one login and writes its record before it answers. Where the record
 * cannot be written and [audit] required = yes, the answer is deny; a notice
 * says so of a deny for another reason, and of an allow with required = no.
 *
 *   in   request: every pointer must live during the call; the credential is
 *        neither kept nor logged, and wiping it stays the caller's task
 *   out  outcome: written always
 *   gives  outcome->reason
 *   no network, no threads, no fork for OIDC; reads configuration, keys, policy,
 *   revocations and bindings; an allowed one binds its username and, with
 *   one_use, uses the credential up; leaves a refresh request where keys lack
 *   or a policy image is not current, with a notice of the latter; appends to
 *   the audit file; ends near the deadline
 */
CORTEX_API enum cortex_reason cortex_login(const struct cortex_request *request,
                                           struct cortex_outcome *outcome);

#endif
