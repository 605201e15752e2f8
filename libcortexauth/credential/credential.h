/*
 * The kinds of credential: an array of interfaces, one for each.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_CREDENTIAL_CREDENTIAL_H
#define CX_CREDENTIAL_CREDENTIAL_H

#include <cortexauth/credential.h>

#include "identity/identity.h"

/* Whom to trust, as plain values out of the settings. */
struct cx_trust {
  const struct cortex_issuer *issuers;
  size_t issuer_count;
  const char *cache_path;
  int64_t stale; /* seconds after which fetched keys are too old */
};

struct cx_credential_kind {
  const char *name;
  /* Cheap look at the bytes; says nothing of their validity. */
  bool (*recognises)(const char *bytes, size_t len);
  enum cortex_reason (*verify)(const struct cx_trust *trust,
                               const struct cortex_credential *credential,
                               struct cortex_identity **identity_out, struct cortex_error *error);
};

#endif
