/*
 * The verified identity, as the modules see it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_IDENTITY_IDENTITY_H
#define CX_IDENTITY_IDENTITY_H

#include <cortexauth/identity.h>

#include "settings/settings.h"
#include "util/error.h"
#include "util/json.h"

/* All strings are heap copies, valid UTF-8, free of NUL; NULL only where said. */
struct cortex_identity {
  const char *kind; /* static: "oidc"; "" when nobody proved it */
  char *issuer;
  char *label;
  char *subject;
  char *owner; /* who a username belongs to, where the subject changes with each session; NULL: the subject */
  char *sid;      /* the session at the issuer: OpenID Connect sid, SAML SessionIndex; NULL: none */
  char *username; /* after map and case; after cortex_identity_admit with its namespace */
  struct cx_list groups;
  bool groups_known;
  bool groups_overage; /* the credential says that it left groups out */
  const cx_json *claims;   /* the verified claims object, inside document; NULL: none */
  const cx_json *document; /* owned; NULL: none */
  struct cx_list amr;
  struct cx_list scopes;
  char *acr; /* NULL: none */
  bool mfa;
  int64_t authenticated_at;        /* seconds since 1970; 0: not known */
  int64_t usable_until;            /* seconds since 1970, without skew */
  int64_t session_not_on_or_after; /* SAML; 0: none */
  bool one_time;                   /* the issuer demands a single use (SAML OneTimeUse) */
  char token_id[65]; /* SHA-256 of issuer and jti, else of the credential; hex; "" for none */
};

/* What stands for the person when it is asked whose a username is. */
static inline const char *cx_identity_owner(const struct cortex_identity *identity) {
  return identity->owner != NULL ? identity->owner : identity->subject;
}

/* An empty identity, or NULL without memory. */
struct cortex_identity *cx_identity_new(void);

/*
 * The username of a raw value: first matching map (none matching is a refusal
 * when there are maps), then the case rule. The result is not empty, valid
 * UTF-8 and free of control characters.
 *
 *   in   raw: bytes from the credential, already known to hold no NUL
 *   out  username_out: release with free; NULL on failure
 *   gives  CORTEX_OK, CORTEX_MISSING_USERNAME, CORTEX_BAD_USERNAME, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_identity_map(const struct cx_naming *naming, const char *raw,
                                                    size_t len, char **username_out,
                                                    struct cortex_error *error);

#endif
