/*
 * The keys' part of cortexctl doctor: what logins find in the cache, and whether it is kept fresh.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <inttypes.h>

#include "issuer_status.h"

static void judge(struct check *check, const struct issuer_status *status) {
  const char *label = cortex_issuer_label(status->issuer);
  struct check_place place = {check->config, cortex_issuer_line(status->issuer), 0};

  if (status->reason == CORTEX_KEYS_STALE)
    check_find(check, CHECK_KEYS_STALE, place, "\"%s\": %s", label, status->error.message);
  else if (status->reason != CORTEX_OK)
    check_find(check, CHECK_KEYS_UNAVAILABLE, place, "\"%s\": %s", label, status->error.message);
  if (status->reason != CORTEX_OK)
    check_fix(check, "cortexctl refresh --config %s --issuer %s", check->config, label);
  if (status->state.failures > 0) {
    check_find(check, CHECK_REFRESH_FAILING, place,
               "the refresh of \"%s\" failed %" PRId64 " times, last: %s", label,
               status->state.failures, status->state.error);
    check_fix(check, "cortexctl refresh --config %s --issuer %s --force", check->config, label);
  }
  if (status->is_late)
    check_find(check, CHECK_REFRESH_LATE, place, "the refresh of \"%s\" is late for %" PRId64 " s",
               label, status->now - status->state.next);
}

void doctor_keys(struct doctor *doctor) {
  struct check *check = &doctor->check;
  const struct cortex_issuer *issuer;
  struct issuer_status status;
  struct requests requests;
  size_t i;

  if (check->settings == NULL)
    return;
  if (requests_open(check->settings, false, &requests)) {
    for (i = 0; (issuer = cortex_settings_issuer(check->settings, i)) != NULL; i++) {
      issuer_status_look(check->settings, issuer, &requests, &status);
      if (status.is_fetched) /* an operator's file is looked at with the issuers */
        judge(check, &status);
    }
  }
  requests_close(&requests);
}
