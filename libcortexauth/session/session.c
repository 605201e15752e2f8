/*
 * Sessions as files: begun by logins, visited and judged by a reaper.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session/session.h"

#include <cortexauth/revocation.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity/identity.h"
#include "identity/role.h"
#include "state/folder.h"

#define NAME_ROOM 24 /* a pid in digits */

static void name_of(int64_t pid, char name[NAME_ROOM]) {
  snprintf(name, NAME_ROOM, "%" PRId64, pid);
}

enum cortex_reason cx_session_begin(const struct cortex_settings *settings,
                                    const struct cx_session_stamp *stamp,
                                    struct cortex_error *error) {
  char name[NAME_ROOM];
  struct cx_state state;
  struct cx_buf text;
  enum cortex_reason reason = cx_session_stamp_print(stamp, &text, error);

  if (reason != CORTEX_OK)
    return reason;
  name_of(stamp->pid, name);
  reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);
  if (reason == CORTEX_OK)
    reason = cx_state_write(&state, name, text.bytes, text.len, CX_STATE_QUICK, error);
  cx_state_close(&state);
  cx_buf_clear(&text);
  return reason;
}

static enum cortex_reason forget(const struct cortex_settings *settings, int64_t pid,
                                 struct cortex_error *error) {
  char name[NAME_ROOM];
  struct cx_state state;
  bool existed;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  name_of(pid, name);
  if (reason == CORTEX_OK)
    reason = cx_state_remove(&state, name, CX_STATE_QUICK, &existed, error);
  cx_state_close(&state);
  return reason;
}

void cx_session_drop(const struct cortex_settings *settings, int64_t pid) {
  (void)forget(settings, pid, NULL);
}

enum cortex_reason cortex_session_forget(const struct cortex_settings *settings, int64_t pid,
                                         struct cortex_error *error) {
  return forget(settings, pid, error);
}

/* ---- the reaper's note ---- */

enum cortex_reason cortex_session_mark_reaped(const struct cortex_settings *settings, int64_t when,
                                              const struct cortex_clock *clock,
                                              struct cortex_error *error) {
  const struct timespec times[2] = {{.tv_sec = (time_t)when}, {.tv_sec = (time_t)when}};
  const struct cx_wait wait = cx_wait_start(clock, 0);
  struct cx_state state;
  int lock = -1;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  if (reason == CORTEX_OK)
    reason = cx_state_lock(&state, &wait, &lock, error);
  if (reason == CORTEX_OK)
    reason = cx_state_write(&state, CX_SESSION_REAPED, "", 0, CX_STATE_QUICK, error);
  if (reason == CORTEX_OK &&
      utimensat(state.fd, CX_SESSION_REAPED, times, AT_SYMLINK_NOFOLLOW) != 0)
    reason = cx_state_refuse(&state, CX_SESSION_REAPED, error, strerror(errno));
  if (lock >= 0)
    close(lock);
  cx_state_close(&state);
  return reason;
}

enum cortex_reason cortex_session_reaped(const struct cortex_settings *settings, int64_t *when_out,
                                         struct cortex_error *error) {
  struct cx_state state;
  struct stat status;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  *when_out = 0;
  if (reason == CORTEX_OK &&
      fstatat(state.fd, CX_SESSION_REAPED, &status, AT_SYMLINK_NOFOLLOW) == 0)
    *when_out = status.st_mtim.tv_sec;
  cx_state_close(&state);
  return reason;
}

enum cortex_reason cx_session_check_reaper(const struct cortex_settings *settings, int64_t now,
                                           struct cortex_error *error) {
  int64_t age, reaped;
  enum cortex_reason reason;

  if (!settings->session.enforce)
    return CORTEX_OK;
  reason = cortex_session_reaped(settings, &reaped, error);
  if (reason != CORTEX_OK)
    return reason;
  if (reaped == 0)
    return cx_error_set(
        error, CORTEX_REAPER_STALE,
        "no run of cortex-sync --reap has ended well yet ([session] enforce = yes)");
  age = now - reaped;
  /* Both ways: a note from far ahead says that one of the clocks is wrong. */
  if (age <= settings->session.reaper_grace && age >= -settings->session.reaper_grace)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_REAPER_STALE,
                      "the last run of cortex-sync --reap ended %" PRId64 " s ago, at most %" PRId64
                      " s are allowed ([session] reaper_grace)",
                      age, settings->session.reaper_grace);
}

/* ---- visiting ---- */

struct visiting {
  cortex_session_visit visit;
  void *context;
};

static struct cortex_session plain_of(const struct cx_session_stamp *stamp) {
  return (struct cortex_session){
      stamp->pid,    stamp->backend_start, stamp->postmaster_start, stamp->session_until,
      stamp->levels, stamp->reference,     stamp->service,          stamp->database,
      stamp->role,   stamp->address,       stamp->identity};
}

static enum cortex_reason read_one(const struct cx_state *state, const char *name,
                                   struct cx_session_stamp_read *read_out, bool *is_gone,
                                   struct cortex_error *error) {
  struct cx_buf content;
  char expected[NAME_ROOM];
  enum cortex_reason reason = cx_state_read(state, name, CX_SESSION_STAMP_MAX, &content, error);

  *read_out = (struct cx_session_stamp_read){.facts = NULL};
  *is_gone = false;
  if (reason != CORTEX_OK)
    return reason;
  *is_gone = content.bytes == NULL;
  if (!*is_gone)
    reason = cx_session_stamp_parse(content.bytes, content.len, read_out, error);
  cx_buf_clear(&content);
  if (reason != CORTEX_OK || *is_gone)
    return reason;
  name_of(read_out->stamp.pid, expected);
  if (strcmp(name, expected) == 0)
    return CORTEX_OK;
  cx_session_stamp_clear(read_out);
  return cx_error_set(error, CORTEX_STATE_UNAVAILABLE, "a session stamp of another pid");
}

static enum cortex_reason visit_one(const struct cx_state *state, const char *name, void *context,
                                    struct cortex_error *error) {
  const struct visiting *visiting = context;
  struct cortex_error cause = CORTEX_ERROR_NONE;
  struct cx_session_stamp_read read;
  struct cortex_session session;
  bool is_gone, goes_on = true;
  enum cortex_reason reason;

  if (name[strspn(name, "0123456789")] != '\0')
    return CORTEX_OK;
  reason = read_one(state, name, &read, &is_gone, &cause);
  if (reason == CORTEX_INTERNAL)
    return cx_error_memory(error);
  if (reason != CORTEX_OK)
    goes_on = visiting->visit(NULL, name, &cause, visiting->context);
  else if (!is_gone) {
    session = plain_of(&read.stamp);
    goes_on = visiting->visit(&session, name, NULL, visiting->context);
  }
  cx_session_stamp_clear(&read);
  return goes_on ? CORTEX_OK : CORTEX_SESSION_EXPIRED;
}

enum cortex_reason cortex_session_each(const struct cortex_settings *settings,
                                       cortex_session_visit visit, void *context,
                                       struct cortex_error *error) {
  struct visiting visiting = {visit, context};
  struct cx_state state;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  if (reason == CORTEX_OK)
    reason = cx_state_each(&state, visit_one, &visiting, error);
  cx_state_close(&state);
  return reason == CORTEX_SESSION_EXPIRED ? CORTEX_OK : reason;
}

/* ---- judging ---- */

static enum cortex_reason ask_again(const struct cortex_session *session,
                                    const struct cortex_policy *policy, int64_t now,
                                    struct cortex_error *error) {
  const struct cortex_question question = {
      .identity = session->identity,
      .service = session->service,
      .role = session->role,
      .database = session->database,
      .address = session->address,
      .now = now,
  };
  struct cortex_decision *decision = NULL;
  enum cortex_reason reason = cortex_decide(policy, &question, &decision, error);

  if (reason == CORTEX_OK &&
      (cortex_decision_levels(decision) & session->levels) != session->levels)
    reason = cx_error_set(error, CORTEX_POLICY_DENIED,
                          "the policy no longer permits every level of this session");
  cortex_decision_free(&decision);
  return reason;
}

/* Its section may be called otherwise by now, or name another address; what metadata names cannot be told. */
static bool is_configured(const struct cortex_identity *identity,
                          const struct cortex_settings *settings) {
  const char *name;
  size_t i;

  if (identity->label == NULL || identity->issuer == NULL ||
      cx_settings_find_issuer(settings, identity->label) != NULL)
    return true;
  for (i = 0; i < settings->issuer_count; i++) {
    name = cx_issuer_name(&settings->issuers[i]);
    if (cx_issuer_is(&settings->issuers[i], identity->kind) &&
        (name == NULL || strcmp(name, identity->issuer) == 0))
      return true;
  }
  return false;
}

enum cortex_reason cortex_session_judge(const struct cortex_session *session,
                                        const struct cortex_settings *settings,
                                        const struct cortex_policy *policy, int64_t now,
                                        struct cortex_error *error) {
  enum cortex_reason reason;

  if (session->session_until <= now / 1000000)
    return cx_error_set(error, CORTEX_SESSION_EXPIRED, "%s",
                        cortex_reason_sentence(CORTEX_SESSION_EXPIRED));
  if (!is_configured(session->identity, settings))
    return cx_error_set(error, CORTEX_UNKNOWN_ISSUER, "%s",
                        cortex_reason_sentence(CORTEX_UNKNOWN_ISSUER));
  reason = cx_role_check(session->identity->username, &settings->roles.protected, error);
  if (reason == CORTEX_OK)
    reason = cortex_revocation_check(settings, session->identity, error);
  return reason == CORTEX_OK && policy != NULL ? ask_again(session, policy, now, error) : reason;
}
