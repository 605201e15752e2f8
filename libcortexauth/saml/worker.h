/*
 * Starting the helper that reads XML, asking it one question, and getting rid of it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SAML_WORKER_H
#define CX_SAML_WORKER_H

#include <cortexauth/clock.h>

#include "util/buf.h"
#include "util/error.h"

#define CX_SAML_QUESTION_MAX (16 * 1024 * 1024) /* metadata of all sections, 512 KiB each at most */
#define CX_SAML_ANSWER_MAX (256 * 1024)

/* Which program, and how long it may take. */
struct cx_saml_worker {
  const char *path;
  const struct cortex_clock *clock;
  int64_t deadline; /* on clock->monotonic */
};

/*
 * Runs the helper with no descriptor of ours but the one it talks through, an
 * empty environment and default signals; sends the question, reads the answer,
 * and leaves no process behind. An answer counts only when the helper then ends by
 * itself, with nothing more said and status 0. Safe beside threads and in a backend: no fork
 * of ours, no signal handler, no SIGPIPE, only its own process is waited for.
 *
 *   out  answer_out: made by this call; what it holds is not to be trusted
 *   gives  CORTEX_OK, CORTEX_HELPER_FAILED, CORTEX_HELPER_TIMEOUT, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_saml_worker_ask(const struct cx_saml_worker *worker,
                                                       const struct cx_buf *question,
                                                       struct cx_buf *answer_out,
                                                       struct cortex_error *error);

#endif
