/*
 * The rules of an assertion (SAML core 2, web browser SSO profile 4.1.4.2-3), and what it says.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "assertion.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "conditions.h"
#include "instant.h"
#include "tree.h"

#define REFUSE(reason, ...) cx_error_set(error, reason, __VA_ARGS__)

const char *saml_issuer_text(const xmlNode *issuer) {
  const char *format = issuer != NULL ? saml_attribute(issuer, "Format") : NULL;
  const char *text = saml_text(issuer);

  if (text == NULL || *text == '\0' || (format != NULL && strcmp(format, FORMAT_ENTITY) != 0))
    return NULL;
  return text;
}

/* An ID is never empty (core 3.2.2: xs:NCName); some providers write an empty one for none. */
const char *saml_request_of(const xmlNode *node) {
  const char *request = saml_attribute(node, "InResponseTo");

  return request != NULL && *request != '\0' ? request : NULL;
}

static enum cortex_reason check_head(const xmlNode *assertion, const struct saml_setting *setting,
                                     struct cortex_error *error) {
  const char *version = saml_attribute(assertion, "Version");
  const char *id = saml_attribute(assertion, "ID");
  const char *issuer = saml_issuer_text(saml_child(assertion, NS_ASSERTION, "Issuer"));
  int64_t issued;

  if (version == NULL || strcmp(version, "2.0") != 0 || id == NULL || *id == '\0' ||
      saml_count(assertion, NS_ASSERTION, "Issuer") != 1 || issuer == NULL)
    return REFUSE(CORTEX_MALFORMED, "the assertion is not of SAML 2.0, or lacks ID or issuer");
  if (strcmp(issuer, setting->entity_id) != 0)
    return REFUSE(CORTEX_UNKNOWN_ISSUER, "the assertion is not of the issuer that signed it");
  if (!saml_instant_parse(saml_attribute(assertion, "IssueInstant"), &issued))
    return REFUSE(CORTEX_MALFORMED, "the assertion's IssueInstant is no time in UTC");
  if (issued > setting->question->now + setting->provider->skew)
    return REFUSE(CORTEX_ISSUED_IN_FUTURE, "the assertion claims to be issued in the future");
  return CORTEX_OK;
}

/* ---- subject ---- */

static enum cortex_reason read_name(const xmlNode *subject, struct cx_buf *facts,
                                    struct cortex_error *error) {
  const xmlNode *name = saml_child(subject, NS_ASSERTION, "NameID");
  const char *text = saml_text(name), *format;

  if (name == NULL)
    return REFUSE(CORTEX_MISSING_USERNAME, "the subject has no NameID (an encrypted one is not read)");
  if (name != saml_first(subject) || saml_count(subject, NS_ASSERTION, "NameID") != 1)
    return REFUSE(CORTEX_MALFORMED, "the subject has not exactly one name at its beginning");
  if (text == NULL)
    return REFUSE(CORTEX_CLAIM_MISMATCH, "the NameID has elements inside");
  if (*text == '\0')
    return REFUSE(CORTEX_MISSING_USERNAME, "the NameID is empty");
  format = saml_attribute(name, "Format");
  cx_json_member_text(facts, "subject", text);
  cx_json_member_bool(facts, "transient", format != NULL && strcmp(format, FORMAT_TRANSIENT) == 0);
  return CORTEX_OK;
}

/* Profile 4.1.4.2: who holds the response within the time and at the place is the subject. */
static enum cortex_reason check_bearer(const xmlNode *confirmation,
                                       const struct saml_setting *setting, int64_t *until_out,
                                       struct cortex_error *error) {
  const xmlNode *data = saml_child(confirmation, NS_ASSERTION, "SubjectConfirmationData");
  const char *recipient, *request, *own = setting->in_response_to;
  const struct saml_provider *provider = setting->provider;

  if (data == NULL || saml_count(confirmation, NS_ASSERTION, "SubjectConfirmationData") != 1)
    return REFUSE(CORTEX_CONFIRMATION_INVALID, "the bearer confirmation has no data");
  recipient = saml_attribute(data, "Recipient");
  if (recipient == NULL || strcmp(recipient, provider->acs_url) != 0)
    return REFUSE(CORTEX_RECIPIENT_MISMATCH, "the confirmation's Recipient is not the acs_url");
  if (saml_attribute(data, "NotBefore") != NULL ||
      !saml_instant_parse(saml_attribute(data, "NotOnOrAfter"), until_out))
    return REFUSE(CORTEX_CONFIRMATION_INVALID,
                  "the confirmation needs a NotOnOrAfter, and must have no NotBefore");
  request = saml_request_of(data);
  if (request == NULL || own == NULL ? request != own : strcmp(request, own) != 0)
    return REFUSE(CORTEX_IN_RESPONSE_TO_MISMATCH,
                  "response and confirmation do not answer the same request");
  if (*until_out <= setting->question->now - provider->skew)
    return REFUSE(CORTEX_TOKEN_EXPIRED, "the confirmation is over (NotOnOrAfter)");
  return CORTEX_OK;
}

static enum cortex_reason check_confirmations(const xmlNode *subject,
                                              const struct saml_setting *setting,
                                              int64_t *until_out, struct cortex_error *error) {
  const xmlNode *item = saml_child(subject, NS_ASSERTION, "SubjectConfirmation");
  struct cortex_error first = {CORTEX_CONFIRMATION_INVALID, 0, 0, "",
                               "the subject has no bearer confirmation"};
  bool is_first = true;

  for (; item != NULL; item = saml_sibling(item, NS_ASSERTION, "SubjectConfirmation")) {
    struct cortex_error cause = CORTEX_ERROR_NONE;
    const char *method = saml_attribute(item, "Method");

    if (method == NULL || strcmp(method, METHOD_BEARER) != 0)
      continue;
    if (check_bearer(item, setting, until_out, &cause) == CORTEX_OK)
      return CORTEX_OK;
    if (is_first)
      first = cause;
    is_first = false;
  }
  return REFUSE(first.reason, "%s", first.message);
}

static enum cortex_reason check_request(const struct saml_setting *setting,
                                        struct cortex_error *error) {
  const char *asked = setting->question->request;

  if (setting->in_response_to == NULL && (asked != NULL || !setting->provider->unsolicited))
    return REFUSE(CORTEX_UNSOLICITED, "the response answers no request");
  if (asked != NULL && strcmp(asked, setting->in_response_to) != 0)
    return REFUSE(CORTEX_IN_RESPONSE_TO_MISMATCH, "the response answers another request");
  return CORTEX_OK;
}

/* ---- authentication ---- */

/* Of several statements the first that says something counts, and the earliest end. */
struct authentication {
  bool is_known;
  int64_t instant;
  int64_t session_until; /* 0: none */
  const char *session;   /* NULL: none */
  const char *class;     /* of class_len bytes */
  size_t class_len;
};

static enum cortex_reason read_statement(const xmlNode *statement,
                                         const struct saml_setting *setting,
                                         struct authentication *found, struct cortex_error *error) {
  const xmlNode *context = saml_child(statement, NS_ASSERTION, "AuthnContext");
  const xmlNode *reference = saml_child(context, NS_ASSERTION, "AuthnContextClassRef");
  const char *end = saml_attribute(statement, "SessionNotOnOrAfter");
  int64_t instant, until, now = setting->question->now, skew = setting->provider->skew;
  const char *class;
  size_t len;

  if (context == NULL)
    return REFUSE(CORTEX_MISSING_CLAIM, "the authentication statement has no context");
  if (!saml_instant_parse(saml_attribute(statement, "AuthnInstant"), &instant))
    return REFUSE(CORTEX_MALFORMED, "the AuthnInstant is no time in UTC");
  if (instant > now + skew)
    return REFUSE(CORTEX_ISSUED_IN_FUTURE, "the AuthnInstant lies in the future");
  if (end != NULL) {
    if (!saml_instant_parse(end, &until))
      return REFUSE(CORTEX_MALFORMED, "the SessionNotOnOrAfter is no time in UTC");
    if (until <= now - skew)
      return REFUSE(CORTEX_SESSION_OVER, "the identity provider's session has ended");
    if (found->session_until == 0 || until < found->session_until)
      found->session_until = until;
  }
  class = saml_trimmed(reference, &len);
  if (reference != NULL && class == NULL)
    return REFUSE(CORTEX_MALFORMED, "the AuthnContextClassRef has elements inside");
  if (!found->is_known)
    found->instant = instant;
  found->is_known = true;
  if (found->session == NULL)
    found->session = saml_attribute(statement, "SessionIndex");
  if (len > 0 && found->class == NULL) {
    found->class = class;
    found->class_len = len;
  }
  return CORTEX_OK;
}

static enum cortex_reason read_statements(const xmlNode *assertion,
                                          const struct saml_setting *setting, struct cx_buf *facts,
                                          struct cortex_error *error) {
  const xmlNode *item = saml_child(assertion, NS_ASSERTION, "AuthnStatement");
  enum cortex_reason reason = CORTEX_OK;
  struct authentication found = {.is_known = false};

  if (item == NULL)
    return REFUSE(CORTEX_MISSING_CLAIM, "the assertion has no authentication statement");
  for (; item != NULL && reason == CORTEX_OK;
       item = saml_sibling(item, NS_ASSERTION, "AuthnStatement"))
    reason = read_statement(item, setting, &found, error);
  cx_json_member_number(facts, "authenticated_at", found.instant);
  cx_json_member_number(facts, "session_until", found.session_until);
  cx_json_member_text(facts, "sid", found.session);
  if (found.class != NULL) {
    cx_json_put_name(facts, "acr");
    cx_json_put_text(facts, found.class, found.class_len);
  }
  return reason;
}

enum cortex_reason saml_assertion_read(const xmlNode *assertion, const struct saml_setting *setting,
                                       struct cx_buf *facts, struct cortex_error *error) {
  const xmlNode *subject = saml_child(assertion, NS_ASSERTION, "Subject");
  int64_t until = 0, usable_until = 0;
  enum cortex_reason reason;

  if (saml_count(assertion, NS_ASSERTION, "Subject") != 1)
    return REFUSE(CORTEX_MALFORMED, "the assertion has not exactly one subject");
  reason = saml_conditions_check(assertion, setting, &usable_until, facts, error);
  if (reason == CORTEX_OK)
    reason = check_head(assertion, setting, error);
  if (reason == CORTEX_OK)
    reason = check_confirmations(subject, setting, &until, error);
  if (reason == CORTEX_OK)
    reason = check_request(setting, error);
  if (reason == CORTEX_OK)
    reason = read_statements(assertion, setting, facts, error);
  if (reason == CORTEX_OK)
    reason = read_name(subject, facts, error);
  if (reason == CORTEX_OK)
    reason = saml_attributes_read(assertion, facts, error);
  if (reason != CORTEX_OK)
    return reason;
  if (usable_until == 0 || until < usable_until)
    usable_until = until;
  cx_json_member_number(facts, "usable_until", usable_until);
  cx_json_member_text(facts, "assertion_id", saml_attribute(assertion, "ID"));
  return CORTEX_OK;
}
