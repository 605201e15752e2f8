/*
 * The helper's answer as an identity: what it says is checked as a stranger's.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "saml/profile.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/json.h"
#include "util/text.h"

struct profile {
  const struct cx_trust *trust;
  const cx_json *answer;
  const struct cortex_issuer *issuer;
  struct cortex_identity *identity;
  int64_t now;
};

#define NOT_UNDERSTOOD "the helper's answer is not one that is understood"

static bool is_name(const cx_json *value) {
  return cx_json_is_string(value) && cx_json_text_len(value) > 0 &&
         !cx_text_has_control(cx_json_text(value), cx_json_text_len(value));
}

enum cortex_reason cx_saml_profile_misunderstood(struct cortex_error *error) {
  return cx_error_set(error, CORTEX_HELPER_FAILED, NOT_UNDERSTOOD);
}

/* ---- refusals ---- */

/* A helper may refuse a credential or lack keys; it does not speak for policy or state. */
static bool is_helpers(enum cortex_reason reason) {
  switch (cortex_reason_class(reason)) {
  case CORTEX_CLASS_CREDENTIAL:
    return reason != CORTEX_REPLAYED && reason != CORTEX_REVOKED;
  case CORTEX_CLASS_KEYS:
    return true;
  case CORTEX_CLASS_IDENTITY:
    return reason == CORTEX_MISSING_USERNAME;
  case CORTEX_CLASS_INTERNAL:
    return reason == CORTEX_INTERNAL;
  case CORTEX_CLASS_OK:
  case CORTEX_CLASS_POLICY:
  case CORTEX_CLASS_STATE:
  case CORTEX_CLASS_CONFIG:
  case CORTEX_CLASSES:
    break;
  }
  return false;
}

static enum cortex_reason reason_named(const cx_json *name) {
  enum cortex_reason reason;
  const char *known;

  for (reason = CORTEX_OK; reason < CORTEX_REASONS; reason++) {
    known = cortex_reason_name(reason);
    if (cx_json_is_text(name, known, strlen(known)) && is_helpers(reason))
      return reason;
  }
  return CORTEX_OK;
}

enum cortex_reason cx_saml_profile_refuse(const cx_json *answer, struct cortex_error *error) {
  const cx_json *detail = cx_json_get(answer, "detail"), *label = cx_json_get(answer, "label");
  enum cortex_reason reason = reason_named(cx_json_get(answer, "error"));
  struct cx_place place = {cx_json_is_string(label) ? cx_json_text(label) : NULL, 0, 0};
  const char *text = cx_json_is_string(detail) ? cx_json_text(detail) : "";

  if (reason == CORTEX_OK)
    return cx_saml_profile_misunderstood(error);
  return cx_error_at(error, reason, place, "%s", text);
}

/* ---- identity ---- */

static const struct cortex_issuer *find_issuer(const struct cx_trust *trust, const cx_json *label) {
  size_t i;

  for (i = 0; i < trust->issuer_count; i++)
    if (cx_issuer_is(&trust->issuers[i], CX_KIND_SAML) &&
        cx_json_is_text(label, trust->issuers[i].label, strlen(trust->issuers[i].label)))
      return &trust->issuers[i];
  return NULL;
}

static enum cortex_reason copy_name(const struct profile *profile, const char *member,
                                    char **copy_out, struct cortex_error *error) {
  const cx_json *value = cx_json_get(profile->answer, member);

  if (!is_name(value))
    return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "the %s must be without control characters, found %s",
                        strcmp(member, "subject") == 0 ? "NameID" : member,
                        cx_json_show(value).text);
  *copy_out = strdup(cx_json_text(value));
  return *copy_out != NULL ? CORTEX_OK : cx_error_memory(error);
}

static bool is_oidc_issuer(const struct cx_trust *trust, const char *name) {
  size_t i;

  for (i = 0; i < trust->issuer_count; i++)
    if (cx_issuer_is(&trust->issuers[i], CX_KIND_OIDC) &&
        strcmp(trust->issuers[i].oidc.issuer, name) == 0)
      return true;
  return false;
}

/*
 * Names belong to an issuer by its name, and policies ask for it. A SAML provider's stands in metadata
 * that it writes itself: only the operator can say that it is an [oidc] section's as well.
 */
static enum cortex_reason read_issuer(struct profile *profile, struct cortex_error *error) {
  const char *own = profile->issuer->saml.idp_entity_id;
  struct cortex_identity *identity = profile->identity;
  enum cortex_reason reason = copy_name(profile, "issuer", &identity->issuer, error);

  identity->kind = CX_KIND_SAML;
  if (reason != CORTEX_OK)
    return reason;
  if (own != NULL && strcmp(own, identity->issuer) != 0)
    return cx_saml_profile_misunderstood(error);
  if (own == NULL && is_oidc_issuer(profile->trust, identity->issuer))
    return cx_error_at(error, CORTEX_UNKNOWN_ISSUER, (struct cx_place){profile->issuer->label, 0, 0},
                       "the issuer is that of an [oidc] section: idp_entity_id has to say that it is "
                       "this provider's too");
  identity->label = strdup(profile->issuer->label);
  return identity->label != NULL ? CORTEX_OK : cx_error_memory(error);
}

static const cx_json *attribute(const struct profile *profile, const char *name) {
  return cx_json_get(cx_json_get(profile->answer, "attributes"), name);
}

/*
 * Core 8.3.8: a transient name is another one in each session. To whom a username belongs is then
 * what the username's attribute says, so that a later login of the same person is the same subject.
 */
static enum cortex_reason read_subject(struct profile *profile, struct cortex_error *error) {
  struct cortex_identity *identity = profile->identity;
  enum cortex_reason reason = copy_name(profile, "subject", &identity->subject, error);

  if (reason != CORTEX_OK || !cx_json_is_true(cx_json_get(profile->answer, "transient")))
    return reason;
  identity->owner = strdup(identity->username);
  return identity->owner != NULL ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason read_username(struct profile *profile, struct cortex_error *error) {
  const struct cx_saml_settings *saml = &profile->issuer->saml;
  const cx_json *value = cx_json_get(profile->answer, "subject"), *values;

  if (strcmp(saml->username_attribute, CX_SAML_NAME_ID) != 0) {
    values = attribute(profile, saml->username_attribute);
    if (cx_json_count(values) == 0)
      return cx_error_set(error, CORTEX_MISSING_USERNAME,
                          "the assertion has no attribute \"%s\" (username_attribute)",
                          saml->username_attribute);
    value = cx_json_items(values);
    if (cx_json_count(values) > 1 || !cx_json_is_string(value))
      return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                          "the attribute %s must have one value, a text",
                          saml->username_attribute);
  }
  if (!cx_json_is_string(value))
    return cx_saml_profile_misunderstood(error);
  return cx_identity_map(&saml->naming, cx_json_text(value), cx_json_text_len(value),
                         &profile->identity->username, error);
}

/* Microsoft Entra: above 150 groups their attribute, whatever its name, gives way to a link. */
static bool is_overage(const struct profile *profile) {
  return attribute(profile, "http://schemas.microsoft.com/claims/groups.link") != NULL;
}

static enum cortex_reason read_groups(struct profile *profile, struct cortex_error *error) {
  const char *name = profile->issuer->saml.groups_attribute;
  const cx_json *values = attribute(profile, name), *value;

  profile->identity->groups_known = values != NULL;
  profile->identity->groups_overage = values == NULL && is_overage(profile);
  for (value = cx_json_items(values); value != NULL; value = value->next) {
    if (!is_name(value))
      return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                          "the attribute %s must hold texts, none empty, found %s", name,
                          cx_json_show(value).text);
    if (!cx_list_append(&profile->identity->groups, cx_json_text(value), cx_json_text_len(value)))
      return cx_error_memory(error);
  }
  return CORTEX_OK;
}

/* "=": the only value; "~=": one of them. */
static bool meets(const struct cx_claim_rule *rule, const cx_json *values) {
  const cx_json *value;

  if (!rule->is_member && cx_json_count(values) != 1)
    return false;
  for (value = cx_json_items(values); value != NULL; value = value->next)
    if (cx_json_is_text(value, rule->value, strlen(rule->value)))
      return true;
  return false;
}

static enum cortex_reason check_required(struct profile *profile, struct cortex_error *error) {
  const struct cx_claim_rules *rules = &profile->issuer->saml.required_attributes;
  size_t i;

  for (i = 0; i < rules->count; i++) {
    const cx_json *values = attribute(profile, rules->items[i].name);

    if (values == NULL)
      return cx_error_set(error, CORTEX_MISSING_CLAIM, "the assertion has no attribute \"%s\"",
                          rules->items[i].name);
    if (!meets(&rules->items[i], values))
      return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                          "the attribute %s does not meet required_attributes",
                          rules->items[i].name);
  }
  return CORTEX_OK;
}

static enum cortex_reason read_authentication(struct profile *profile,
                                              struct cortex_error *error) {
  struct cortex_identity *identity = profile->identity;
  enum cortex_reason reason = CORTEX_OK;

  if (cx_json_get(profile->answer, "acr") != NULL)
    reason = copy_name(profile, "acr", &identity->acr, error);
  if (reason == CORTEX_OK && is_name(cx_json_get(profile->answer, "sid")))
    reason = copy_name(profile, "sid", &identity->sid, error);
  identity->mfa =
      identity->acr != NULL && cx_list_has(&profile->issuer->saml.mfa_acr, identity->acr);
  identity->authenticated_at = cx_json_integer(cx_json_get(profile->answer, "authenticated_at"));
  /* Anything but a plain "no" is taken as the stricter. */
  identity->one_time = !cx_json_is_false(cx_json_get(profile->answer, "one_time"));
  return reason;
}

static bool is_time(const cx_json *value, int64_t least) {
  return cx_json_is_integer(value) && cx_json_integer(value) >= least &&
         cx_json_integer(value) <= CX_SAML_TIME_MAX;
}

/* The library keeps the times too: no answer opens a login that is over. */
static enum cortex_reason read_times(struct profile *profile, struct cortex_error *error) {
  const cx_json *until = cx_json_get(profile->answer, "usable_until");
  const cx_json *session = cx_json_get(profile->answer, "session_until");
  struct cortex_identity *identity = profile->identity;

  if (!is_time(until, 1) || !is_time(session, 0))
    return cx_saml_profile_misunderstood(error);
  identity->usable_until = cx_json_integer(until);
  identity->session_not_on_or_after = cx_json_integer(session);
  if (identity->usable_until <= profile->now - profile->issuer->saml.clock_skew)
    return cx_error_set(error, CORTEX_TOKEN_EXPIRED, "the assertion is over");
  return CORTEX_OK;
}

/* One name for one assertion: issuer and ID (core 1.3.4: an ID is never given twice). */
static enum cortex_reason read_token_id(struct profile *profile, struct cortex_error *error) {
  const cx_json *id = cx_json_get(profile->answer, "assertion_id");
  struct cx_hash hash;

  if (!cx_json_is_plain(id))
    return cx_saml_profile_misunderstood(error);
  cx_hash_init(&hash);
  cx_hash_put(&hash, profile->identity->issuer, strlen(profile->identity->issuer) + 1);
  cx_hash_put(&hash, cx_json_text(id), cx_json_text_len(id));
  cx_hash_hex(&hash, profile->identity->token_id);
  return CORTEX_OK;
}

/* Policies read attributes as claims: arrays of texts. */
static enum cortex_reason read_claims(struct profile *profile, struct cortex_error *error) {
  const cx_json *attributes = cx_json_get(profile->answer, "attributes"), *values, *value;

  for (values = cx_json_members(attributes); values != NULL; values = values->next) {
    if (!cx_json_is_array(values) || cx_json_has_nul(values))
      return cx_saml_profile_misunderstood(error);
    for (value = cx_json_items(values); value != NULL; value = value->next)
      if (!cx_json_is_string(value) && !cx_json_is_null(value))
        return cx_saml_profile_misunderstood(error);
  }
  profile->identity->claims = attributes;
  profile->identity->document = cx_json_hold(profile->answer);
  return CORTEX_OK;
}

static enum cortex_reason fill(struct profile *profile, struct cortex_error *error) {
  static enum cortex_reason (*const readers[])(struct profile *, struct cortex_error *) = {
      read_claims,   read_issuer, read_times,          read_token_id, check_required,
      read_username, read_groups, read_authentication, read_subject};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; i < sizeof readers / sizeof readers[0] && reason == CORTEX_OK; i++)
    reason = readers[i](profile, error);
  return reason;
}

enum cortex_reason cx_saml_profile_read(const struct cx_trust *trust, const struct cx_buf *answer,
                                        int64_t now, struct cortex_identity *identity,
                                        struct cortex_error *error) {
  struct profile profile = {.trust = trust, .identity = identity, .now = now};
  enum cortex_reason reason;
  const cx_json *json;

  if (cx_json_parse("helper's answer", answer->bytes, answer->len, &json, NULL) != CORTEX_OK)
    return cx_saml_profile_misunderstood(error);
  profile.answer = json;
  profile.issuer = find_issuer(trust, cx_json_get(json, "label"));
  if (!cx_json_is_true(cx_json_get(json, "ok")))
    reason = cx_saml_profile_refuse(json, error);
  else if (profile.issuer == NULL || !cx_json_is_object(cx_json_get(json, "attributes")))
    reason = cx_saml_profile_misunderstood(error);
  else
    reason = fill(&profile, error);
  cx_json_release(json);
  return reason;
}
