/*
 * The words that the requests of logins are made of, and those that most tokens have.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy/policy.h"

/* An array of arrays: a table of pointers would be relocated in every login. */
static const char words[][24] = {
    /* types, actions, service and principal, as policy/request.c and policy/service.c name them */
    "User", "Group", "Service", "Role", "Action", "read", "write", "admin", "assume", "username",
    "issuer", "subject", "email", "database", "environment", "host", "audience", "port", "grants",
    /* the context */
    "service", "role", "now", "mfa", "groups_known", "address", "acr", "authenticated_at", "amr",
    "scopes",
    /* annotations */
    "id", "reason", "max_session",
    /* claims: RFC 7519 section 4.1, OpenID Connect core sections 2 and 5.1, RFC 9068, vendors */
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "azp", "name",
    "given_name", "family_name", "preferred_username", "email_verified", "locale", "updated_at",
    "groups", "roles", "scope", "scp", "client_id", "sid", "tid", "oid", "upn", "ver", "typ",
    /* their values */
    "true", "false", "openid", "profile", "offline_access", "pwd", "otp", "hwk", "Bearer", "1"};

bool cx_policy_expect(struct cedar_store *store) {
  size_t i;

  for (i = 0; i < sizeof words / sizeof words[0]; i++)
    if (cedar_store_expect(store, cx_cedar_text(words[i])) != CEDAR_OK)
      return false;
  return true;
}
