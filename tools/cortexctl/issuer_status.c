/*
 * What logins find of an issuer's keys, and how the refresh of these does.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "issuer_status.h"

#include <stdio.h>
#include <sys/stat.h>

#include <cortexauth/clock.h>

/* A refresh that is this much late does not run. */
#define LATE 600

static int64_t age_of(const struct cache_place *place, const struct refresh_kind *kind,
                      int64_t now) {
  const char *const *suffix = kind->suffixes;
  char path[4096];
  struct stat found;

  while (suffix[1] != NULL)
    suffix++;
  snprintf(path, sizeof path, "%s/%s.%s", place->folder, place->label, *suffix);
  return stat(path, &found) == 0 ? now - found.st_mtime : -1;
}

void issuer_status_look(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                        const struct requests *requests, struct issuer_status *status) {
  const struct refresh_kind *kind = refresh_kind_of(issuer);
  const struct cortex_clock *clock = cortex_clock_system();
  const struct cache_place place = {cortex_settings_value(settings, "cache", "path"),
                                    cortex_issuer_label(issuer)};

  *status = (struct issuer_status){.issuer = issuer,
                                   .is_fetched = cortex_issuer_is_fetched(issuer),
                                   .now = clock->now(clock) / 1000000,
                                   .age = -1,
                                   .error = CORTEX_ERROR_NONE};
  if (kind == NULL)
    return;
  status->reason = kind->look(settings, issuer, status->now, &status->found, &status->error);
  if (!status->is_fetched)
    return;
  refresh_state_load(&place, &status->state);
  status->age = age_of(&place, kind, status->now);
  status->is_requested = requests_has(requests, place.label);
  status->is_late = status->state.next > 0 && status->state.next + LATE < status->now;
}

bool issuer_status_is_well(const struct issuer_status *status) {
  return status->reason == CORTEX_OK && status->found.count.usable > 0 &&
         status->state.failures == 0 && !status->is_late;
}
