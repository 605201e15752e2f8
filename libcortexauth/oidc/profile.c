/*
 * Who a verified token speaks of: its claims as an identity.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/profile.h"

#include <string.h>

#include "oidc/claims.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/text.h"

struct profile {
  const struct cx_token *token;
  const struct cortex_issuer *issuer;
  struct cortex_identity *identity;
};

static enum cortex_reason refuse(struct cortex_error *error, const char *name, const char *expected,
                                 const cx_json *value) {
  return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "the claim %s must be %s, found %s", name,
                      expected, cx_json_show(value).text);
}

/* A string that can be a name: something in it and no control character. */
static bool is_name(const cx_json *value) {
  return cx_json_is_string(value) && cx_json_text_len(value) > 0 &&
         !cx_text_has_control(cx_json_text(value), cx_json_text_len(value));
}

static enum cortex_reason read_issuer(struct profile *profile, struct cortex_error *error) {
  struct cortex_identity *identity = profile->identity;

  identity->kind = "oidc";
  identity->issuer = strdup(profile->issuer->oidc.issuer);
  identity->label = strdup(profile->issuer->label);
  return identity->issuer != NULL && identity->label != NULL ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason read_username(struct profile *profile, struct cortex_error *error) {
  const struct cx_oidc_settings *settings = &profile->issuer->oidc;
  const cx_json *value = cx_claims_get(profile->token->claims, settings->username_claim);

  if (value == NULL)
    return cx_error_set(error, CORTEX_MISSING_USERNAME,
                        "the token has no claim \"%s\" (username_claim)",
                        settings->username_claim);
  if (!cx_json_is_string(value))
    return refuse(error, settings->username_claim, "a string", value);
  return cx_identity_map(&settings->naming, cx_json_text(value), cx_json_text_len(value),
                         &profile->identity->username, error);
}

static enum cortex_reason read_subject(struct profile *profile, struct cortex_error *error) {
  const cx_json *value = cx_json_get(profile->token->claims, "sub");

  if (!is_name(value))
    return refuse(error, "sub", "a string without control characters", value);
  profile->identity->subject = strdup(cx_json_text(value));
  return profile->identity->subject != NULL ? CORTEX_OK : cx_error_memory(error);
}

/* A string is one element, an array of strings several; anything else is refused. */
static enum cortex_reason read_names(struct cx_list *list, const char *name, const cx_json *value,
                                     struct cortex_error *error) {
  bool is_array = cx_json_is_array(value);
  const cx_json *element = is_array ? cx_json_items(value) : value;

  for (; element != NULL; element = is_array ? element->next : NULL) {
    if (!is_name(element))
      return refuse(error, name, "a string or an array of strings, none empty", element);
    if (!cx_list_append(list, cx_json_text(element), cx_json_text_len(element)))
      return cx_error_memory(error);
  }
  return CORTEX_OK;
}

/* Microsoft Entra: too many groups leave a link in _claim_names, or hasgroups, instead. */
static bool is_overage(const cx_json *claims, const char *name) {
  const cx_json *moved = cx_json_get(claims, "_claim_names");
  const cx_json *has_groups = cx_json_get(claims, "hasgroups");

  if (cx_json_get(moved, name) != NULL)
    return true;
  return strcmp(name, "groups") == 0 && /* it speaks of no other claim */
         (cx_json_is_true(has_groups) || cx_json_is_text(has_groups, "true", strlen("true")));
}

static enum cortex_reason read_groups(struct profile *profile, struct cortex_error *error) {
  const char *name = profile->issuer->oidc.groups_claim;
  const cx_json *value = cx_claims_get(profile->token->claims, name);

  profile->identity->groups_known = value != NULL;
  profile->identity->groups_overage = value == NULL && is_overage(profile->token->claims, name);
  return read_names(&profile->identity->groups, name, value, error);
}

/* Blank-separated words, RFC 6749 3.3. */
static enum cortex_reason read_words(struct cx_list *list, const char *name, const cx_json *value,
                                     struct cortex_error *error) {
  const char *text = cx_json_text(value);
  size_t n;

  if (!cx_json_is_text(value, "", 0) && !is_name(value))
    return refuse(error, name, "a string of words or an array of strings", value);
  for (; *text != '\0'; text += n) {
    n = strcspn(text, " ");
    if (n > 0 && !cx_list_append(list, text, n))
      return cx_error_memory(error);
    n += text[n] == ' ';
  }
  return CORTEX_OK;
}

/* RFC 8693 4.2 scope; Okta and Entra write scp. */
static enum cortex_reason read_scopes(struct profile *profile, struct cortex_error *error) {
  static const char names[][6] = {"scope", "scp"};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; i < sizeof names / sizeof names[0] && reason == CORTEX_OK; i++) {
    const cx_json *value = cx_json_get(profile->token->claims, names[i]);

    if (cx_json_is_array(value))
      reason = read_names(&profile->identity->scopes, names[i], value, error);
    else if (value != NULL)
      reason = read_words(&profile->identity->scopes, names[i], value, error);
  }
  return reason;
}

static bool shares_one(const struct cx_list *left, const struct cx_list *right) {
  size_t i;

  for (i = 0; i < left->count; i++)
    if (cx_list_has(right, left->items[i]))
      return true;
  return false;
}

/* OpenID Connect Core 2: how (amr, acr) and when (auth_time) the user proved who they are. */
static enum cortex_reason read_authentication(struct profile *profile,
                                              struct cortex_error *error) {
  const struct cx_oidc_settings *settings = &profile->issuer->oidc;
  struct cortex_identity *identity = profile->identity;
  const cx_json *claims = profile->token->claims, *acr = cx_json_get(claims, "acr");
  enum cortex_reason reason = read_names(&identity->amr, "amr", cx_json_get(claims, "amr"), error);

  if (reason != CORTEX_OK)
    return reason;
  if (acr != NULL && !is_name(acr))
    return refuse(error, "acr", "a string that is not empty", acr);
  if (acr != NULL) {
    identity->acr = strdup(cx_json_text(acr));
    if (identity->acr == NULL)
      return cx_error_memory(error);
  }
  identity->mfa = shares_one(&identity->amr, &settings->mfa_amr) ||
                  (identity->acr != NULL && cx_list_has(&settings->mfa_acr, identity->acr));
  return CORTEX_OK;
}

static enum cortex_reason read_times(struct profile *profile, struct cortex_error *error) {
  const cx_json *claims = profile->token->claims;

  if (!cx_claims_get_time(claims, "exp", &profile->identity->usable_until))
    return refuse(error, "exp", "a number", cx_json_get(claims, "exp"));
  (void)cx_claims_get_time(claims, "auth_time", &profile->identity->authenticated_at);
  return CORTEX_OK;
}

/* OpenID Connect Front-Channel Logout 3: the session at the issuer. Other uses of sid are not ours. */
static enum cortex_reason read_session(struct profile *profile, struct cortex_error *error) {
  const cx_json *sid = cx_json_get(profile->token->claims, "sid");

  if (!cx_json_is_plain(sid))
    return CORTEX_OK;
  profile->identity->sid = strdup(cx_json_text(sid));
  return profile->identity->sid != NULL ? CORTEX_OK : cx_error_memory(error);
}

/*
 * One name for one token: issuer and jti (RFC 7519 4.1.7), else all that was
 * signed. Never the signature, which for ECDSA has two valid forms.
 */
static enum cortex_reason read_token_id(struct profile *profile, struct cortex_error *error) {
  const struct cx_token *token = profile->token;
  const cx_json *jti = cx_json_get(token->claims, "jti");
  const char *issuer = profile->issuer->oidc.issuer;
  struct cx_hash hash;

  (void)error;
  cx_hash_init(&hash);
  if (jti != NULL) {
    cx_hash_put(&hash, issuer, strlen(issuer) + 1);
    cx_hash_put(&hash, cx_json_text(jti), cx_json_text_len(jti));
  } else {
    cx_hash_put(&hash, token->input, token->input_len);
  }
  cx_hash_hex(&hash, profile->identity->token_id);
  return CORTEX_OK;
}

/* Policies read claims as C strings later: none of them may hold a NUL. */
static enum cortex_reason read_claims(struct profile *profile, struct cortex_error *error) {
  if (cx_json_has_nul(profile->token->claims))
    return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "a claim holds a NUL character");
  profile->identity->claims = profile->identity->document = cx_json_hold(profile->token->claims);
  return CORTEX_OK;
}

enum cortex_reason cx_profile_read(const struct cx_token *token,
                                   const struct cortex_issuer *issuer,
                                   struct cortex_identity *identity, struct cortex_error *error) {
  static enum cortex_reason (*const readers[])(struct profile *, struct cortex_error *) = {
      read_issuer, read_username,       read_subject, read_groups,
      read_scopes, read_authentication, read_times,   read_session,
      read_token_id, read_claims};
  struct profile profile = {token, issuer, identity};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; i < sizeof readers / sizeof readers[0] && reason == CORTEX_OK; i++)
    reason = readers[i](&profile, error);
  return reason;
}
