/*
 * The sessions' part of cortexctl doctor: does anybody end those that are over?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <inttypes.h>
#include <string.h>

#include <cortexauth/clock.h>
#include <cortexauth/session.h>

struct overdue {
  int64_t now;
  size_t count;
};

static bool count_overdue(const struct cortex_session *session, const char *name,
                          const struct cortex_error *cause, void *context) {
  struct overdue *overdue = context;

  (void)name;
  (void)cause;
  overdue->count += session != NULL && session->session_until + 60 < overdue->now;
  return true;
}

static bool is_enforced(const struct cortex_settings *settings) {
  return strcmp(cortex_settings_value(settings, "session", "enforce"), "yes") == 0;
}

/* Sections [cluster] are cortex-sync's alone: a reaper looks after the server of its own host. */
static void fix_reaper(struct check *check) {
  if (cortex_settings_value(check->settings, "sync", "conninfo") == NULL)
    check_fix(check,
              "conninfo in [sync] of %s and the lines for cortex_runner, see THE CLUSTER in "
              "cortex-sync(8); then systemctl enable --now cortex-reap.timer",
              check->config);
}

void doctor_reaper(struct doctor *doctor) {
  struct check *check = &doctor->check;
  const struct cortex_clock *clock = cortex_clock_system();
  struct overdue overdue = {clock->now(clock) / 1000000, 0};
  struct cortex_error error = CORTEX_ERROR_NONE;
  int64_t reaped, grace = 0;

  if (check->settings == NULL ||
      cortex_session_reaped(check->settings, &reaped, &error) != CORTEX_OK)
    return; /* the state's folders have their own findings */
  if (!cortex_duration_parse(cortex_settings_value(check->settings, "session", "reaper_grace"),
                             &grace))
    return;
  if (overdue.now - reaped <= grace && reaped - overdue.now <= grace)
    return;
  if (is_enforced(check->settings) && reaped == 0) {
    check_find(check, CHECK_REAPER_STALE, check_key_place(check, "session", "enforce"),
               "no reap has ended well yet");
    fix_reaper(check);
  } else if (is_enforced(check->settings)) {
    check_find(check, CHECK_REAPER_STALE, check_key_place(check, "session", "enforce"),
               "the last reap that ended well was %" PRId64 " s ago", overdue.now - reaped);
  } else if (cortex_session_each(check->settings, count_overdue, &overdue, &error) == CORTEX_OK &&
             overdue.count > 0) {
    check_find(check, CHECK_REAPER_ABSENT, check_key_place(check, "session", "path"),
               "%zu sessions are past their deadline, and the last reap was %s", overdue.count,
               reaped == 0 ? "never" : "too long ago");
    fix_reaper(check);
  }
}
