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
  const json_t *answer;
  const struct cortex_issuer *issuer;
  struct cortex_identity *identity;
  int64_t now;
};

#define NOT_UNDERSTOOD "the helper's answer is not one that is understood"

static bool is_name(const json_t *value) {
  return json_is_string(value) && json_string_length(value) > 0 &&
         !cx_text_has_control(json_string_value(value), json_string_length(value));
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

static enum cortex_reason reason_named(const json_t *name) {
  static const struct {
    const char *name;
    enum cortex_reason reason;
  } known[] = {
#define REASON(symbol, text, class, sentence) {#text, CORTEX_##symbol},
#include <cortexauth/reason.def>
#undef REASON
  };
  size_t i;

  for (i = 0; i < sizeof known / sizeof known[0]; i++)
    if (cx_json_is_text(name, known[i].name, strlen(known[i].name)) && is_helpers(known[i].reason))
      return known[i].reason;
  return CORTEX_OK;
}

enum cortex_reason cx_saml_profile_refuse(const json_t *answer, struct cortex_error *error) {
  const json_t *detail = json_object_get(answer, "detail"), *label = json_object_get(answer, "label");
  enum cortex_reason reason = reason_named(json_object_get(answer, "error"));
  struct cx_place place = {json_is_string(label) ? json_string_value(label) : NULL, 0, 0};
  const char *text = json_is_string(detail) ? json_string_value(detail) : "";

  if (reason == CORTEX_OK)
    return cx_saml_profile_misunderstood(error);
  return cx_error_at(error, reason, place, "%s", text);
}

/* ---- identity ---- */

static const struct cortex_issuer *find_issuer(const struct cx_trust *trust, const json_t *label) {
  size_t i;

  for (i = 0; i < trust->issuer_count; i++)
    if (cx_issuer_is(&trust->issuers[i], CX_KIND_SAML) &&
        cx_json_is_text(label, trust->issuers[i].label, strlen(trust->issuers[i].label)))
      return &trust->issuers[i];
  return NULL;
}

static enum cortex_reason copy_name(const struct profile *profile, const char *member,
                                    char **copy_out, struct cortex_error *error) {
  const json_t *value = json_object_get(profile->answer, member);

  if (!is_name(value))
    return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "the %s must be without control characters, found %s",
                        strcmp(member, "subject") == 0 ? "NameID" : member,
                        cx_json_show(value).text);
  *copy_out = strdup(json_string_value(value));
  return *copy_out != NULL ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason read_issuer(struct profile *profile, struct cortex_error *error) {
  struct cortex_identity *identity = profile->identity;
  enum cortex_reason reason = copy_name(profile, "issuer", &identity->issuer, error);

  identity->kind = CX_KIND_SAML;
  if (reason != CORTEX_OK)
    return reason;
  identity->label = strdup(profile->issuer->label);
  return identity->label != NULL ? CORTEX_OK : cx_error_memory(error);
}

static const json_t *attribute(const struct profile *profile, const char *name) {
  return json_object_get(json_object_get(profile->answer, "attributes"), name);
}

/*
 * Core 8.3.8: a transient name is another one in each session. To whom a username belongs is then
 * what the username's attribute says, so that a later login of the same person is the same subject.
 */
static enum cortex_reason read_subject(struct profile *profile, struct cortex_error *error) {
  struct cortex_identity *identity = profile->identity;
  enum cortex_reason reason = copy_name(profile, "subject", &identity->subject, error);

  if (reason != CORTEX_OK || !json_is_true(json_object_get(profile->answer, "transient")))
    return reason;
  identity->owner = strdup(identity->username);
  return identity->owner != NULL ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason read_username(struct profile *profile, struct cortex_error *error) {
  const struct cx_saml_settings *saml = &profile->issuer->saml;
  const json_t *value = json_object_get(profile->answer, "subject"), *values;

  if (strcmp(saml->username_attribute, CX_SAML_NAME_ID) != 0) {
    values = attribute(profile, saml->username_attribute);
    if (json_array_size(values) == 0)
      return cx_error_set(error, CORTEX_MISSING_USERNAME,
                          "the assertion has no attribute \"%s\" (username_attribute)",
                          saml->username_attribute);
    value = json_array_get(values, 0);
    if (json_array_size(values) > 1 || !json_is_string(value))
      return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                          "the attribute %s must have one value, a text",
                          saml->username_attribute);
  }
  if (!json_is_string(value))
    return cx_saml_profile_misunderstood(error);
  return cx_identity_map(&saml->naming, json_string_value(value), json_string_length(value),
                         &profile->identity->username, error);
}

static enum cortex_reason read_groups(struct profile *profile, struct cortex_error *error) {
  const char *name = profile->issuer->saml.groups_attribute;
  const json_t *values = attribute(profile, name), *value;
  size_t i;

  profile->identity->groups_known = values != NULL;
  json_array_foreach(values, i, value) {
    if (!is_name(value))
      return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                          "the attribute %s must hold texts, none empty, found %s", name,
                          cx_json_show(value).text);
    if (!cx_list_append(&profile->identity->groups, json_string_value(value),
                        json_string_length(value)))
      return cx_error_memory(error);
  }
  return CORTEX_OK;
}

/* "=": the only value; "~=": one of them. */
static bool meets(const struct cx_claim_rule *rule, const json_t *values) {
  const json_t *value;
  size_t i;

  if (!rule->is_member && json_array_size(values) != 1)
    return false;
  json_array_foreach(values, i, value)
    if (cx_json_is_text(value, rule->value, strlen(rule->value)))
      return true;
  return false;
}

static enum cortex_reason check_required(struct profile *profile, struct cortex_error *error) {
  const struct cx_claim_rules *rules = &profile->issuer->saml.required_attributes;
  size_t i;

  for (i = 0; i < rules->count; i++) {
    const json_t *values = attribute(profile, rules->items[i].name);

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

  if (json_object_get(profile->answer, "acr") != NULL)
    reason = copy_name(profile, "acr", &identity->acr, error);
  if (reason == CORTEX_OK && is_name(json_object_get(profile->answer, "sid")))
    reason = copy_name(profile, "sid", &identity->sid, error);
  identity->mfa =
      identity->acr != NULL && cx_list_has(&profile->issuer->saml.mfa_acr, identity->acr);
  identity->authenticated_at =
      json_integer_value(json_object_get(profile->answer, "authenticated_at"));
  /* Anything but a plain "no" is taken as the stricter. */
  identity->one_time = !json_is_false(json_object_get(profile->answer, "one_time"));
  return reason;
}

static bool is_time(const json_t *value, int64_t least) {
  return json_is_integer(value) && json_integer_value(value) >= least &&
         json_integer_value(value) <= CX_SAML_TIME_MAX;
}

/* The library keeps the times too: no answer opens a login that is over. */
static enum cortex_reason read_times(struct profile *profile, struct cortex_error *error) {
  const json_t *until = json_object_get(profile->answer, "usable_until");
  const json_t *session = json_object_get(profile->answer, "session_until");
  struct cortex_identity *identity = profile->identity;

  if (!is_time(until, 1) || !is_time(session, 0))
    return cx_saml_profile_misunderstood(error);
  identity->usable_until = json_integer_value(until);
  identity->session_not_on_or_after = json_integer_value(session);
  if (identity->usable_until <= profile->now - profile->issuer->saml.clock_skew)
    return cx_error_set(error, CORTEX_TOKEN_EXPIRED, "the assertion is over");
  return CORTEX_OK;
}

/* One name for one assertion: issuer and ID (core 1.3.4: an ID is never given twice). */
static enum cortex_reason read_token_id(struct profile *profile, struct cortex_error *error) {
  const json_t *id = json_object_get(profile->answer, "assertion_id");
  struct cx_hash hash;

  if (!cx_json_is_plain(id))
    return cx_saml_profile_misunderstood(error);
  cx_hash_init(&hash);
  cx_hash_put(&hash, profile->identity->issuer, strlen(profile->identity->issuer) + 1);
  cx_hash_put(&hash, json_string_value(id), json_string_length(id));
  cx_hash_hex(&hash, profile->identity->token_id);
  return CORTEX_OK;
}

/* Policies read attributes as claims: arrays of texts. */
static enum cortex_reason read_claims(struct profile *profile, struct cortex_error *error) {
  json_t *attributes = json_object_get(profile->answer, "attributes"), *values, *value;
  const char *name;
  size_t i;

  json_object_foreach(attributes, name, values) {
    if (!json_is_array(values) || cx_json_has_nul(values))
      return cx_saml_profile_misunderstood(error);
    json_array_foreach(values, i, value)
      if (!json_is_string(value) && !json_is_null(value))
        return cx_saml_profile_misunderstood(error);
  }
  profile->identity->claims = json_incref(attributes);
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
  struct profile profile = {.identity = identity, .now = now};
  enum cortex_reason reason;
  json_t *json;

  if (cx_json_parse("helper's answer", answer->bytes, answer->len, &json, NULL) != CORTEX_OK)
    return cx_saml_profile_misunderstood(error);
  profile.answer = json;
  profile.issuer = find_issuer(trust, json_object_get(json, "label"));
  if (!json_is_true(json_object_get(json, "ok")))
    reason = cx_saml_profile_refuse(json, error);
  else if (profile.issuer == NULL || !json_is_object(json_object_get(json, "attributes")))
    reason = cx_saml_profile_misunderstood(error);
  else
    reason = fill(&profile, error);
  json_decref(json);
  return reason;
}
