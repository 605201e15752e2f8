/*
 * Sessions: what each login left for the session that it opened.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A login that is allowed in a PostgreSQL backend leaves a stamp in the folder
 * [session] path. The extension's SQL functions read it to say who a session
 * is; a reaper reads all of them to say which sessions must end.
 */
#ifndef CORTEXAUTH_SESSION_H
#define CORTEXAUTH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <cortexauth/clock.h>
#include <cortexauth/decision.h>
#include <cortexauth/error.h>
#include <cortexauth/settings.h>

/* One stamp. Strings are borrowed while it is visited. */
struct cortex_session {
  int64_t pid;
  int64_t backend_start;    /* microseconds since 1970, as pg_stat_activity has it */
  int64_t postmaster_start; /* the same of the server: tells clusters on one host apart */
  int64_t session_until;    /* seconds since 1970 */
  unsigned levels;          /* bits of enum cortex_level: what this session was permitted */
  const char *reference;    /* of the login's record */
  const char *service;
  const char *database; /* NULL: not known */
  const char *role;
  const char *address; /* NULL: a Unix socket */
  const struct cortex_identity *identity;
};

/*
 * Is called for each stamp, in no order. What cannot be read as one comes with
 * session NULL and the cause in the error; name is the file's.
 *   gives  false to stop
 */
typedef bool (*cortex_session_visit)(const struct cortex_session *session, const char *name,
                                     const struct cortex_error *cause, void *context);

/*
 * Visits every stamp of the folder. Stamps of sessions that have ended are among
 * them: nothing removes one when its backend goes.
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE with the folder in the error, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_each(const struct cortex_settings *settings, cortex_session_visit visit,
                    void *context, struct cortex_error *error);

/*
 * Whether a session may go on: it is not over, its issuer is still configured
 * and its username not protected, its credential, session and subject are not
 * revoked, and the policy still permits each level that it was given, asked with
 * the identity and address of its login and the time of now.
 *
 *   in   policy: NULL when it cannot be read: it refuses every login then, and ends nothing
 *   in   now: microseconds since 1970
 *   gives  CORTEX_OK, or why it must end: CORTEX_SESSION_EXPIRED, CORTEX_UNKNOWN_ISSUER,
 *          CORTEX_REVOKED, CORTEX_POLICY_DENIED, CORTEX_ASSUME_DENIED, CORTEX_SERVICE_UNKNOWN,
 *          CORTEX_PROTECTED_ROLE, …; CORTEX_STATE_UNAVAILABLE and CORTEX_INTERNAL
 *          when that cannot be told
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_judge(const struct cortex_session *session, const struct cortex_settings *settings,
                     const struct cortex_policy *policy, int64_t now, struct cortex_error *error);

/* Removes the stamp of a session that has ended; one that is gone is fine. */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_forget(const struct cortex_settings *settings, int64_t pid,
                      struct cortex_error *error);

/* A backend that is told to end. */
struct cortex_session_end {
  int64_t pid;
  int64_t backend_start; /* microseconds since 1970 */
  int64_t told_at;       /* seconds since 1970, when that was noted first; 0: it is not noted */
  bool is_recorded;      /* somebody has recorded it */
  bool is_over;          /* for cortex_session_record_ends: it was told, or its process is gone */
};

/*
 * Ends that are noted and not recorded: of one who was killed, who could not record, or who
 * is on the way from one to the other.
 *   out  ends_out: to be released with free; NULL where there are none
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_due_ends(const struct cortex_settings *settings,
                        struct cortex_session_end **ends_out, size_t *count_out,
                        struct cortex_error *error);

/*
 * Notes that sessions are about to be told to end, before they are: whoever is killed behind that
 * leaves the record to the next one who looks at the stamps.
 *
 *   out  ends: told_at and is_recorded
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL: then nothing new is noted
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_note_ends(const struct cortex_settings *settings, struct cortex_session_end *ends,
                         size_t count, const struct cortex_clock *clock,
                         struct cortex_error *error);

/* Records those of the ends that are over and not recorded. Gives false when that failed. */
typedef bool (*cortex_session_recorder)(const struct cortex_session_end *ends, size_t count,
                                        void *context);

/*
 * Has ends recorded and notes that, one caller at a time. A backend takes its time to end, or is
 * stopped, and is met by other reapers and the next rounds until then: each finds it recorded.
 * What is not over is noted no more. Where the recorder fails, or its caller is killed behind it,
 * the ends stay due: so each is recorded at least once, and twice only then.
 *
 *   in,out  ends: is_over is read; told_at and is_recorded are set before the recorder is called
 *   gives  CORTEX_OK, also where the recorder failed; CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_record_ends(const struct cortex_settings *settings, struct cortex_session_end *ends,
                           size_t count, cortex_session_recorder record, void *context,
                           const struct cortex_clock *clock, struct cortex_error *error);

typedef bool (*cortex_session_concern)(const char *role, void *context);

/*
 * Forgets what logins have noted of roles: that nothing had to change. For a program that
 * took something away from them, so that the next login of each looks again.
 *
 *   in   concern: whether a role is one of them
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_distrust(const struct cortex_settings *settings, cortex_session_concern concern,
                        void *context, struct cortex_error *error);

/*
 * Notes that a reaper has just done its work, which [session] enforce = yes asks of
 * every login. For the reaper alone.
 *   in   when: seconds since 1970, when it began
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_mark_reaped(const struct cortex_settings *settings, int64_t when,
                           const struct cortex_clock *clock, struct cortex_error *error);

/*
 * When the last round began that a reaper noted.
 *   out  when_out: seconds since 1970; 0: never
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_session_reaped(const struct cortex_settings *settings, int64_t *when_out,
                      struct cortex_error *error);

#endif
