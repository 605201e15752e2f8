/*
 * An assertion's conditions (SAML core 2.5).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "conditions.h"

#include <string.h>

#include "instant.h"
#include "tree.h"

#define REFUSE(reason, ...) cx_error_set(error, reason, __VA_ARGS__)

/* 2.5.1.4: within one restriction any audience will do, of several each must be met. */
static enum cortex_reason check_audience(const xmlNode *restriction, const char *own,
                                         struct cortex_error *error) {
  const xmlNode *item;
  bool is_ours = false;

  for (item = saml_first(restriction); item != NULL; item = saml_next(item)) {
    if (!saml_is(item, NS_ASSERTION, "Audience") || saml_text(item) == NULL)
      return REFUSE(CORTEX_CONDITIONS_INVALID, "an audience restriction holds what is no audience");
    is_ours = is_ours || saml_has_text(item, own);
  }
  return is_ours ? CORTEX_OK
                 : REFUSE(CORTEX_AUDIENCE_MISMATCH, "an audience restriction leaves us out");
}

/* 2.5.1.1: one that is not understood makes the assertion's validity indeterminate. */
static enum cortex_reason check_each(const xmlNode *conditions, const char *own,
                                     struct cx_buf *facts, struct cortex_error *error) {
  size_t audiences = 0, one_time = 0, proxies = 0;
  enum cortex_reason reason = CORTEX_OK;
  const xmlNode *item;

  for (item = saml_first(conditions); item != NULL && reason == CORTEX_OK; item = saml_next(item)) {
    if (saml_is(item, NS_ASSERTION, "AudienceRestriction")) {
      audiences++;
      reason = check_audience(item, own, error);
    } else if (saml_is(item, NS_ASSERTION, "OneTimeUse")) {
      one_time++;
    } else if (saml_is(item, NS_ASSERTION, "ProxyRestriction")) {
      proxies++; /* who passes assertions on is bound by it: we do not */
    } else {
      reason = REFUSE(CORTEX_CONDITIONS_INVALID, "there is a condition that is not understood");
    }
  }
  if (reason != CORTEX_OK)
    return reason;
  if (audiences == 0)
    return REFUSE(CORTEX_AUDIENCE_MISMATCH, "the assertion names no audience");
  if (one_time > 1 || proxies > 1)
    return REFUSE(CORTEX_CONDITIONS_INVALID, "a condition stands twice");
  cx_json_member_bool(facts, "one_time", one_time > 0);
  return CORTEX_OK;
}

static enum cortex_reason check_times(const xmlNode *conditions,
                                      const struct saml_setting *setting, int64_t *until_out,
                                      struct cortex_error *error) {
  const char *from_text = saml_attribute(conditions, "NotBefore");
  const char *until_text = saml_attribute(conditions, "NotOnOrAfter");
  int64_t from = 0, now = setting->question->now, skew = setting->provider->skew;

  if ((from_text != NULL && !saml_instant_parse(from_text, &from)) ||
      (until_text != NULL && !saml_instant_parse(until_text, until_out)))
    return REFUSE(CORTEX_CONDITIONS_INVALID, "the conditions' times are no times in UTC");
  if (from_text != NULL && until_text != NULL && from >= *until_out)
    return REFUSE(CORTEX_CONDITIONS_INVALID, "the conditions end before they begin");
  if (from_text != NULL && from > now + skew)
    return REFUSE(CORTEX_NOT_YET_VALID, "the assertion is not valid yet (NotBefore)");
  if (until_text != NULL && *until_out <= now - skew)
    return REFUSE(CORTEX_TOKEN_EXPIRED, "the assertion is over (NotOnOrAfter)");
  return CORTEX_OK;
}

enum cortex_reason saml_conditions_check(const xmlNode *assertion,
                                         const struct saml_setting *setting, int64_t *until_out,
                                         struct cx_buf *facts, struct cortex_error *error) {
  const xmlNode *conditions = saml_child(assertion, NS_ASSERTION, "Conditions");
  enum cortex_reason reason;

  *until_out = 0;
  if (conditions == NULL)
    return REFUSE(CORTEX_AUDIENCE_MISMATCH, "the assertion names no audience: it has no conditions");
  if (saml_count(assertion, NS_ASSERTION, "Conditions") != 1)
    return REFUSE(CORTEX_CONDITIONS_INVALID, "the assertion has conditions twice");
  reason = check_times(conditions, setting, until_out, error);
  if (reason == CORTEX_OK)
    reason = check_each(conditions, setting->provider->audience, facts, error);
  return reason;
}
