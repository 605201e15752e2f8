/*
 * A credential from a file, verified with the issuer's keys.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_PROOF_H
#define CORTEXCTL_PROOF_H

#include <cortexauth/credential.h>

struct proof {
  char *bytes; /* wiped by proof_clear */
  size_t len;
  int64_t now; /* seconds since 1970 */
  bool offline;
};

/*
 * Reads a credential file, "-" for standard input, without its one final line
 * end. What is longer than any credential is read as far as shows that.
 *   gives  false, after a complaint, when it cannot be opened or read
 */
bool proof_read(const char *path, struct proof *proof);

void proof_clear(struct proof *proof);

/*
 * Verifies it as a login would; when the issuer's keys are missing they are
 * fetched once and it is asked again. Ends within five seconds.
 *   out  identity_out: release with cortex_identity_free; NULL on failure
 */
enum cortex_reason proof_verify(const struct proof *proof, const struct cortex_settings *settings,
                                struct cortex_identity **identity_out, struct cortex_error *error);

#endif
