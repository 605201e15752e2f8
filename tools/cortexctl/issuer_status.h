/*
 * What logins find of an issuer's keys, and how the refresh of these does.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_ISSUER_STATUS_H
#define CORTEXCTL_ISSUER_STATUS_H

#include "refresh_kind.h"
#include "refresh_state.h"
#include "requests.h"

struct issuer_status {
  const struct cortex_issuer *issuer;
  bool is_fetched;
  bool is_requested;
  bool is_late; /* the refresh does not run */
  int64_t now;
  int64_t age; /* of the cached keys; -1: there are none */
  enum cortex_reason reason;
  struct cortex_error error;
  struct refresh_found found;
  struct refresh_state state;
};

/* Looks at the cache or the operator's file; no network. */
void issuer_status_look(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                        const struct requests *requests, struct issuer_status *status_out);

/* It has keys that logins can use, and the refresh runs and succeeds. */
bool issuer_status_is_well(const struct issuer_status *status);

#endif
