/*
 * Identity: who a verified credential speaks of.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_IDENTITY_H
#define CORTEXAUTH_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cortexauth/settings.h>

/* Made by cortex_verify or cortex_identity_claim; owned by the caller. */
struct cortex_identity;

/* Frees, wipes and sets to NULL; NULL is fine. */
CORTEX_API void cortex_identity_free(struct cortex_identity **identity);

/*
 * An identity that nobody proved: for questions like "what could alice do?".
 * cortex_login never takes one.
 *
 *   in   username, groups: taken as they are, before any login rule
 *   out  identity_out: release with cortex_identity_free; NULL on failure
 *   gives  CORTEX_OK, CORTEX_BAD_USERNAME, CORTEX_CLAIM_MISMATCH, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_identity_claim(const char *username, const char *const *groups, size_t group_count,
                      struct cortex_identity **identity_out, struct cortex_error *error);

/*
 * Applies the rules of a login: the issuer's namespace is put before username
 * and groups; the username fits a role name (1-63 bytes, no "/"), is not
 * protected and does not reach into another issuer's namespace; the groups are
 * known in full. Call once per identity, before cortex_decide.
 *
 *   gives  CORTEX_OK, CORTEX_BAD_USERNAME, CORTEX_PROTECTED_ROLE,
 *          CORTEX_NAME_CONFLICT, CORTEX_GROUPS_OVERAGE, CORTEX_CONFIG_INVALID
 *          (two issuers share a namespace without saying so), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_identity_admit(struct cortex_identity *identity, const struct cortex_settings *settings,
                      struct cortex_error *error);

/* Borrowed strings, valid UTF-8, never NULL; empty when not known. */
CORTEX_API const char *cortex_identity_kind(const struct cortex_identity *identity);
CORTEX_API const char *cortex_identity_issuer(const struct cortex_identity *identity);
CORTEX_API const char *cortex_identity_label(const struct cortex_identity *identity);
CORTEX_API const char *cortex_identity_subject(const struct cortex_identity *identity);
CORTEX_API const char *cortex_identity_sid(const struct cortex_identity *identity);
CORTEX_API const char *cortex_identity_username(const struct cortex_identity *identity);

/* Groups in the credential's order; the one at an index below the count, else NULL. */
CORTEX_API size_t cortex_identity_group_count(const struct cortex_identity *identity);
CORTEX_API const char *cortex_identity_group(const struct cortex_identity *identity, size_t index);

/* False when the credential did not say which groups the user has. */
CORTEX_API bool cortex_identity_groups_known(const struct cortex_identity *identity);

/* The credential's own name: 64 digits of lower case hex, as in audit records; empty for none. */
CORTEX_API const char *cortex_identity_token_id(const struct cortex_identity *identity);

/* When the credential itself ends (seconds since 1970, without skew); 0: not known. */
CORTEX_API int64_t cortex_identity_usable_until(const struct cortex_identity *identity);

#endif
