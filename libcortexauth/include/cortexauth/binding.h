/*
 * Bindings: to which subject of which issuer a username belongs.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The first subject that a login is allowed for owns the username from then
 * on, so a name that is given to another person later, or that another issuer
 * uses too, does not open the first person's role. An operator can rebind it.
 */
#ifndef CORTEXAUTH_BINDING_H
#define CORTEXAUTH_BINDING_H

#include <cortexauth/clock.h>
#include <cortexauth/identity.h>

/* Strings are NUL-terminated UTF-8. */
struct cortex_binding {
  const char *role; /* the username, with its namespace */
  const char *issuer;
  const char *subject;
  const char *by; /* "login", or who rebound it; NULL: not known */
  int64_t since;  /* seconds since 1970 */
};

/*
 * Refuses an admitted identity whose username belongs to another subject.
 * Changes nothing.
 *
 *   out  is_bound_out: it belongs to this one; false: to nobody yet
 *   gives  CORTEX_OK, CORTEX_SUBJECT_MISMATCH, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_binding_check(const struct cortex_settings *settings,
                     const struct cortex_identity *identity, bool *is_bound_out,
                     struct cortex_error *error);

/*
 * Refuses an identity another subject's name as a role: a role that is assumed is a shared one, and
 * two people are never one role. Its own username, and what belongs to nobody, it may have. To be
 * asked when the policy has allowed it. Changes nothing.
 *
 *   in   role: NULL means the username
 *   gives  as cortex_binding_check
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_binding_check_role(const struct cortex_settings *settings,
                          const struct cortex_identity *identity, const char *role,
                          struct cortex_error *error);

/*
 * Binds a role to a subject, whoever owned it, durably.
 *   gives  CORTEX_OK, CORTEX_BAD_USERNAME and CORTEX_PROTECTED_ROLE (no role that
 *          a login opens), CORTEX_MALFORMED (an issuer or subject that is empty, not
 *          UTF-8 or has a control character), CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_binding_put(const struct cortex_settings *settings, const struct cortex_binding *binding,
                   const struct cortex_clock *clock, struct cortex_error *error);

/*
 * Lets a role belong to nobody: the next allowed login of that name owns it.
 *   out  existed_out: it belonged to somebody
 *   gives  CORTEX_OK, CORTEX_BAD_USERNAME, CORTEX_STATE_UNAVAILABLE
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_binding_release(const struct cortex_settings *settings, const char *role,
                       const struct cortex_clock *clock, bool *existed_out,
                       struct cortex_error *error);

/*
 * Visits the binding of one role, or for role NULL all, in no order; the
 * strings live during the visit.
 *   gives  CORTEX_OK (also when there is none), CORTEX_BAD_USERNAME,
 *          CORTEX_STATE_UNAVAILABLE (also for a file that is damaged), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_binding_each(const struct cortex_settings *settings, const char *role,
                    void (*visit)(void *context, const struct cortex_binding *binding),
                    void *context, struct cortex_error *error);

#endif
