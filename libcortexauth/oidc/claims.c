/*
 * What a verified token must say to be accepted (RFC 7519 4.1, OpenID Connect
 * Core 3.1.3.7, RFC 9068 4).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/claims.h"

#include <inttypes.h>
#include <string.h>

#include "util/json.h"

/* The last second of the year 9999: milliseconds in place of seconds lie far above. */
#define TIME_MAX 253402300799.0

/* Longer names are no paths: each dot is one more way to cut. */
#define PATH_MAX_LEN 255

struct check {
  const struct cx_token *token;
  const struct cx_oidc_settings *settings;
  int64_t now;
};

/*
 * As one name first; else every way to cut it at a dot, longest name first, as
 * names hold dots themselves ("kubernetes.io", a client of Keycloak). A place in
 * the token is reached by one cut only, so this ends after at most one visit of
 * each object; the depth of JSON bounds the recursion.
 */
static const cx_json *find(const cx_json *object, const char *path, size_t len) {
  const cx_json *value = cx_json_get_n(object, path, len);
  size_t dot;

  if (!cx_json_is_object(object))
    return NULL;
  for (dot = len; value == NULL && dot > 0; dot--)
    if (path[dot - 1] == '.')
      value = find(cx_json_get_n(object, path, dot - 1), path + dot, len - dot);
  return value;
}

const cx_json *cx_claims_get(const cx_json *claims, const char *name) {
  size_t len = strlen(name);

  return len <= PATH_MAX_LEN ? find(claims, name, len) : cx_json_get(claims, name);
}

static bool is_time(const cx_json *value) {
  double seconds = cx_json_number(value);

  return cx_json_is_number(value) && seconds >= -TIME_MAX && seconds <= TIME_MAX;
}

bool cx_claims_get_time(const cx_json *claims, const char *name, int64_t *seconds_out) {
  const cx_json *value = cx_json_get(claims, name);

  *seconds_out = 0;
  if (!is_time(value))
    return false;
  *seconds_out = (int64_t)cx_json_number(value);
  return true;
}

static enum cortex_reason refuse_type(struct cortex_error *error, const char *name,
                                      const char *expected, const cx_json *value) {
  return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "the claim %s must be %s, found %s", name,
                      expected, cx_json_show(value).text);
}

static enum cortex_reason refuse_missing(struct cortex_error *error, const char *name) {
  return cx_error_set(error, CORTEX_MISSING_CLAIM, "the token has no claim \"%s\"", name);
}

/* A claim that must be a string with something in it. */
static enum cortex_reason check_text(const struct check *check, const char *name, bool is_required,
                                     struct cortex_error *error) {
  const cx_json *value = cx_json_get(check->token->claims, name);

  if (value == NULL)
    return is_required ? refuse_missing(error, name) : CORTEX_OK;
  if (!cx_json_is_plain(value))
    return refuse_type(error, name, "a string that is not empty", value);
  return CORTEX_OK;
}

/*
 * RFC 8725 3.12: kinds of tokens must not pass for each other. What has events
 * reports (OpenID Connect Back-Channel Logout 2.4, RFC 8417); Keycloak names in
 * the payload what it made to be exchanged or to end a session.
 */
static enum cortex_reason check_kind(const struct check *check, struct cortex_error *error) {
  static const char others[][8] = {"Refresh", "Offline", "Logout"};
  const cx_json *body_type = cx_json_get(check->token->claims, "typ");
  size_t i;

  if (cx_json_get(check->token->claims, "events") != NULL)
    return cx_error_set(error, CORTEX_TOKEN_TYPE_REFUSED,
                        "the token has the claim events: a logout or event token");
  for (i = 0; i < sizeof others / sizeof others[0]; i++)
    if (cx_json_is_text(body_type, others[i], strlen(others[i])))
      return cx_error_set(error, CORTEX_TOKEN_TYPE_REFUSED,
                          "the claim typ is %s: neither an ID nor an access token", others[i]);
  return CORTEX_OK;
}

/* RFC 7800: a password message carries no proof of possession. */
static enum cortex_reason check_binding(const struct check *check, struct cortex_error *error) {
  if (cx_json_get(check->token->claims, "cnf") == NULL)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_BOUND_TOKEN_REFUSED,
                      "the token has the claim cnf: it is bound to a key");
}

static bool is_audience(const struct cx_list *ours, const cx_json *value) {
  size_t i;

  for (i = 0; i < ours->count; i++)
    if (cx_json_is_text(value, ours->items[i], strlen(ours->items[i])))
      return true;
  return false;
}

/* RFC 7519 4.1.3: a string or an array of strings, one of them ours. */
static enum cortex_reason check_audience(const struct check *check, struct cortex_error *error) {
  const cx_json *audience = cx_json_get(check->token->claims, "aud");
  const struct cx_list *ours = &check->settings->audience;
  const cx_json *shown = audience, *element;
  bool is_ours = is_audience(ours, audience);

  if (audience == NULL)
    return refuse_missing(error, "aud");
  if (!cx_json_is_string(audience) && !cx_json_is_array(audience))
    return refuse_type(error, "aud", "a string or an array of strings", audience);
  for (element = cx_json_items(audience); element != NULL; element = element->next) {
    if (!cx_json_is_string(element))
      return refuse_type(error, "aud", "an array of strings only", element);
    is_ours = is_ours || is_audience(ours, element);
    shown = cx_json_items(audience);
  }
  if (is_ours)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_AUDIENCE_MISMATCH, "the token is for audience %s%s, not for %s",
                      cx_json_show(shown).text, cx_json_count(audience) > 1 ? " and others" : "",
                      ours->count > 0 ? cx_quote(ours->items[0], strlen(ours->items[0])).text
                                      : "any that is configured");
}

struct time_rule {
  char name[10];
  bool is_required;
  bool is_end; /* an end must lie ahead, a start must not */
  enum cortex_reason reason;
};

static enum cortex_reason check_time(const struct check *check, const struct time_rule *rule,
                                     struct cortex_error *error) {
  const cx_json *value = cx_json_get(check->token->claims, rule->name);
  double skew = (double)check->settings->clock_skew, now = (double)check->now, seconds;

  if (value == NULL)
    return rule->is_required ? refuse_missing(error, rule->name) : CORTEX_OK;
  if (!is_time(value))
    return refuse_type(error, rule->name, "a number of seconds since 1970", value);
  seconds = cx_json_number(value);
  if (rule->is_end ? seconds > now - skew : seconds <= now + skew)
    return CORTEX_OK;
  return cx_error_set(error, rule->reason,
                      "%s is %s, now is %" PRId64 ", clock_skew is %" PRId64 " s", rule->name,
                      cx_json_show(value).text, check->now, check->settings->clock_skew);
}

static enum cortex_reason check_times(const struct check *check, struct cortex_error *error) {
  static const struct time_rule rules[] = {
      {"exp", true, true, CORTEX_TOKEN_EXPIRED},
      {"nbf", false, false, CORTEX_NOT_YET_VALID},
      {"iat", true, false, CORTEX_ISSUED_IN_FUTURE},
      {"auth_time", false, false, CORTEX_CLAIM_MISMATCH},
  };
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; i < sizeof rules / sizeof rules[0] && reason == CORTEX_OK; i++)
    reason = check_time(check, &rules[i], error);
  return reason;
}

static enum cortex_reason check_subject(const struct check *check, struct cortex_error *error) {
  return check_text(check, "sub", true, error);
}

/* RFC 9068 2.2 requires them of access tokens; elsewhere jti only has to be well formed. */
static enum cortex_reason check_access(const struct check *check, struct cortex_error *error) {
  bool is_access = check->token->is_access;
  enum cortex_reason reason = CORTEX_OK;

  if (is_access)
    reason = check_text(check, "client_id", true, error);
  return reason == CORTEX_OK ? check_text(check, "jti", is_access, error) : reason;
}

static enum cortex_reason check_party(const struct check *check, struct cortex_error *error) {
  return check_text(check, "azp", false, error);
}

static bool has_claim(const struct check *check, const char *name) {
  return cx_json_get(check->token->claims, name) != NULL;
}

/* ID and access tokens of one issuer may share key, audience and typ. */
static enum cortex_reason check_use(const struct check *check, struct cortex_error *error) {
  const cx_json *body_type = cx_json_get(check->token->claims, "typ");
  bool is_access = check->token->is_access || cx_json_is_text(body_type, "Bearer", 6) ||
                   has_claim(check, "client_id") || has_claim(check, "scope") ||
                   has_claim(check, "scp");
  enum cx_token_use use = is_access ? CX_TOKEN_ACCESS : CX_TOKEN_ID;

  if (check->settings->token_use == CX_TOKEN_ANY || check->settings->token_use == use)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_TOKEN_TYPE_REFUSED,
                      is_access ? "this is an access token, token_use asks for an ID token"
                                : "this is an ID token, token_use asks for an access token");
}

static enum cortex_reason check_age(const struct check *check, const char *name, int64_t max,
                                    struct cortex_error *error) {
  int64_t since;

  if (max == 0)
    return CORTEX_OK;
  if (!cx_claims_get_time(check->token->claims, name, &since))
    return refuse_missing(error, name);
  if (check->now - since <= max + check->settings->clock_skew)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_TOO_OLD,
                      "%s is %" PRId64 " s ago, at most %" PRId64 " s are allowed", name,
                      check->now - since, max);
}

static enum cortex_reason check_ages(const struct check *check, struct cortex_error *error) {
  enum cortex_reason reason = check_age(check, "iat", check->settings->token_max_age, error);

  if (reason != CORTEX_OK)
    return reason;
  return check_age(check, "auth_time", check->settings->auth_max_age, error);
}

/* Strings as they are, numbers and booleans as their JSON text. */
static bool is_equal(const cx_json *value, const char *text) {
  if (cx_json_is_string(value))
    return cx_json_is_text(value, text, strlen(text));
  return (cx_json_is_number(value) || cx_json_is_boolean(value)) &&
         strcmp(cx_json_word(value).text, text) == 0;
}

static bool has_word(const cx_json *value, const char *word) {
  const char *text = cx_json_text(value);
  const char *end = text + cx_json_text_len(value);
  size_t len = strlen(word), n;

  for (; text < end; text += n + 1) {
    n = strcspn(text, " ");
    if (n == len && memcmp(text, word, len) == 0)
      return true;
  }
  return false;
}

static bool has_member(const cx_json *value, const char *text) {
  const cx_json *element;

  if (cx_json_is_plain(value))
    return has_word(value, text);
  for (element = cx_json_items(value); element != NULL; element = element->next)
    if (is_equal(element, text))
      return true;
  return false;
}

static enum cortex_reason check_required(const struct check *check, struct cortex_error *error) {
  const struct cx_claim_rules *rules = &check->settings->required_claims;
  size_t i;

  for (i = 0; i < rules->count; i++) {
    const struct cx_claim_rule *rule = &rules->items[i];
    const cx_json *value = cx_claims_get(check->token->claims, rule->name);

    if (value == NULL)
      return refuse_missing(error, rule->name);
    if (!(rule->is_member ? has_member : is_equal)(value, rule->value))
      return cx_error_set(
          error, CORTEX_CLAIM_MISMATCH, "required_claims asks for %s%s=%s, the token has %s",
          rule->name, rule->is_member ? "~" : "", cx_quote(rule->value, strlen(rule->value)).text,
          cx_json_show(value).text);
  }
  return CORTEX_OK;
}

enum cortex_reason cx_claims_check(const struct cx_token *token,
                                   const struct cx_oidc_settings *settings, int64_t now,
                                   struct cortex_error *error) {
  static enum cortex_reason (*const checks[])(const struct check *, struct cortex_error *) = {
      check_kind,   check_binding, check_audience, check_times, check_subject,
      check_access, check_party,   check_use,      check_ages,  check_required};
  const struct check check = {token, settings, now};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; i < sizeof checks / sizeof checks[0] && reason == CORTEX_OK; i++)
    reason = checks[i](&check, error);
  return reason;
}
