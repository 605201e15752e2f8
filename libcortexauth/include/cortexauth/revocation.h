/*
 * Revocations: subjects, sessions and tokens that open nothing any more.
 * SPDX-License-Identifier: PostgreSQL
 *
 * They are files in `revoked` of the state folder, see cortex.conf(5), and
 * count from the next login on, whenever the credential was issued.
 */
#ifndef CORTEXAUTH_REVOCATION_H
#define CORTEXAUTH_REVOCATION_H

#include <cortexauth/clock.h>
#include <cortexauth/identity.h>

enum cortex_revocation_kind {
  CORTEX_REVOCATION_SUBJECT, /* every credential of one subject of one issuer */
  CORTEX_REVOCATION_SID,     /* those of one session at the issuer */
  CORTEX_REVOCATION_TOKEN,   /* one credential, by its id */
  CORTEX_REVOCATION_KINDS
};

/* "subject", "sid", "token"; NULL outside the enum. Static storage. */
CORTEX_API const char *cortex_revocation_kind_name(enum cortex_revocation_kind kind);

/* Strings are NUL-terminated UTF-8. */
struct cortex_revocation {
  enum cortex_revocation_kind kind;
  const char *issuer; /* the credential's own: iss or entityID. For a token it is a note only */
  const char *value;  /* subject, session, or 64 digits of lower case hex (cortex_identity_token_id) */
  const char *by;     /* who revoked it, for the list; NULL: not known */
  int64_t since;      /* seconds since 1970 */
  int64_t until;      /* when it may be forgotten; 0: when it is lifted */
};

/*
 * Refuses a verified identity that was revoked, by subject, session or token.
 * The cost does not grow with the number of revocations.
 *
 *   gives  CORTEX_OK, CORTEX_REVOKED, CORTEX_STATE_UNAVAILABLE (the folder is
 *          missing or cannot be trusted), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_revocation_check(const struct cortex_settings *settings,
                        const struct cortex_identity *identity, struct cortex_error *error);

/*
 * Revokes, durably: in effect when the call ends. What can be forgotten by the
 * time of `since` is removed on the way.
 *
 *   out  existed_out: it was revoked before; that revocation is replaced
 *   gives  CORTEX_OK, CORTEX_MALFORMED (a token id that is none, an empty value or
 *          one with a control character), CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_revocation_put(const struct cortex_settings *settings,
                      const struct cortex_revocation *revocation, const struct cortex_clock *clock,
                      bool *existed_out, struct cortex_error *error);

/*
 * Lifts a revocation.
 *   in   revocation: kind, issuer and value count
 *   out  existed_out: there was one
 *   gives  as cortex_revocation_put, but takes control characters
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_revocation_lift(const struct cortex_settings *settings,
                       const struct cortex_revocation *revocation, bool *existed_out,
                       struct cortex_error *error);

/*
 * Visits all revocations, in no order; the strings live during the visit.
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE (also for a file that is damaged:
 *          it revokes all the same, and all others are visited), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_revocation_each(const struct cortex_settings *settings,
                       void (*visit)(void *context, const struct cortex_revocation *revocation),
                       void *context, struct cortex_error *error);

#endif
