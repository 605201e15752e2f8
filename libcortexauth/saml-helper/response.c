/*
 * From the bytes of a response to the facts that its issuer has signed.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "response.h"

#include <string.h>

#include "assertion.h"
#include "decrypt.h"
#include "document.h"
#include "instant.h"
#include "metadata.h"
#include "signature.h"
#include "tree.h"
#include "util/quote.h"

/* One verification on its way. */
struct attempt {
  const struct saml_question *question;
  struct saml_provider provider;
  struct saml_keys keys;
  const char *entity_id;
  xmlDoc *doc;        /* as received */
  xmlNode *response;
  xmlNode *assertion; /* Assertion or EncryptedAssertion */
  bool is_encrypted;
  xmlDoc *signed_response;  /* parsed from the bytes that the response's signature covers; NULL: none */
  xmlDoc *plain;            /* what was decrypted */
  xmlNode *opened;          /* the assertion in it */
  xmlDoc *signed_assertion; /* parsed from the bytes that the assertion's signature covers */
};

#define REFUSE(reason, ...) cx_error_set(error, reason, __VA_ARGS__)

static bool is_assertion(const xmlNode *node) {
  return saml_is(node, NS_ASSERTION, "Assertion") || saml_is(node, NS_ASSERTION, "EncryptedAssertion");
}

/* ---- form ---- */

static enum cortex_reason check_head(const struct attempt *attempt, struct cortex_error *error) {
  const xmlNode *response = attempt->response;
  const char *version = saml_attribute(response, "Version"), *id = saml_attribute(response, "ID");
  int64_t issued;

  if (!saml_is(response, NS_PROTOCOL, "Response"))
    return REFUSE(CORTEX_MALFORMED, "the document is no SAML response");
  if (version == NULL || strcmp(version, "2.0") != 0 || id == NULL || *id == '\0' ||
      !saml_instant_parse(saml_attribute(response, "IssueInstant"), &issued))
    return REFUSE(CORTEX_MALFORMED, "the response is not of SAML 2.0, or lacks ID or IssueInstant");
  return CORTEX_OK;
}

static enum cortex_reason check_status(const struct attempt *attempt, struct cortex_error *error) {
  const xmlNode *status = saml_child(attempt->response, NS_PROTOCOL, "Status");
  const xmlNode *code = saml_child(status, NS_PROTOCOL, "StatusCode");
  const char *value = code != NULL ? saml_attribute(code, "Value") : NULL;

  if (value == NULL || saml_count(attempt->response, NS_PROTOCOL, "Status") != 1 ||
      saml_count(status, NS_PROTOCOL, "StatusCode") != 1)
    return REFUSE(CORTEX_MALFORMED, "the response has not exactly one status");
  if (strcmp(value, STATUS_SUCCESS) != 0)
    return REFUSE(CORTEX_SAML_STATUS, "the identity provider answers %s",
                  cx_quote(value, strlen(value)).text);
  return CORTEX_OK;
}

/*
 * Core 3.2.2: the children of a response. Another one beside the signed assertion, such as an
 * "Assertion" of no namespace, could be what another reader takes for it.
 */
static enum cortex_reason check_children(const struct attempt *attempt, struct cortex_error *error) {
  static const struct {
    const char *ns;
    const char *name;
  } known[] = {{NS_ASSERTION, "Issuer"},    {NS_DSIG, "Signature"},        {NS_PROTOCOL, "Extensions"},
               {NS_PROTOCOL, "Status"},     {NS_ASSERTION, "Assertion"},   {NS_ASSERTION, "EncryptedAssertion"}};
  const xmlNode *node;
  size_t i;

  for (node = saml_first(attempt->response); node != NULL; node = saml_next(node)) {
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
      if (saml_is(node, known[i].ns, known[i].name))
        break;
    if (i == sizeof known / sizeof known[0])
      return REFUSE(CORTEX_MALFORMED, "the response has a child that it may not have");
  }
  return CORTEX_OK;
}

/* Exactly one, wherever an assertion could hide (extensions, advice, a signature's object). */
static enum cortex_reason find_assertion(struct attempt *attempt, struct cortex_error *error) {
  const xmlNode *node;
  size_t count = 0;

  for (node = attempt->doc->children; node != NULL; node = saml_walk(node))
    if (is_assertion(node)) {
      attempt->assertion = (xmlNode *)node;
      count++;
    }
  if (count != 1)
    return REFUSE(CORTEX_ASSERTION_COUNT, "the response holds %zu assertions", count);
  if (attempt->assertion->parent != attempt->response)
    return REFUSE(CORTEX_REFERENCE_INVALID, "the assertion is no child of the response");
  attempt->is_encrypted = saml_is(attempt->assertion, NS_ASSERTION, "EncryptedAssertion");
  return CORTEX_OK;
}

/* ---- issuer ---- */

static enum cortex_reason read_issuer(struct attempt *attempt, struct cortex_error *error) {
  const xmlNode *outer = saml_child(attempt->response, NS_ASSERTION, "Issuer");
  const xmlNode *inner =
      attempt->is_encrypted ? NULL : saml_child(attempt->assertion, NS_ASSERTION, "Issuer");
  const char *name = saml_issuer_text(outer), *inner_name = saml_issuer_text(inner);

  if ((outer != NULL && name == NULL) || (inner != NULL && inner_name == NULL) ||
      (outer == NULL && inner == NULL) ||
      saml_count(attempt->response, NS_ASSERTION, "Issuer") > 1 ||
      (!attempt->is_encrypted && saml_count(attempt->assertion, NS_ASSERTION, "Issuer") != 1))
    return REFUSE(CORTEX_MALFORMED, "response or assertion do not name their issuer, an entity");
  if (name != NULL && inner_name != NULL && strcmp(name, inner_name) != 0)
    return REFUSE(CORTEX_UNKNOWN_ISSUER, "response and assertion are of different issuers");
  attempt->entity_id = inner_name != NULL ? inner_name : name;
  return CORTEX_OK;
}

/* The section whose idp_entity_id says so: no metadata of another can take that away. */
static bool find_named(struct attempt *attempt, enum cortex_reason *reason_out,
                       struct cortex_error *error) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  struct saml_provider *provider = &attempt->provider;
  size_t i;

  for (i = 0; saml_question_provider(attempt->question, i, provider); i++)
    if (provider->entity_id != NULL && strcmp(provider->entity_id, attempt->entity_id) == 0) {
      *reason_out = saml_metadata_keys(provider, attempt->entity_id, attempt->question->now,
                                       &attempt->keys, &cause);
      if (*reason_out != CORTEX_OK)
        *reason_out = cx_error_at(error, *reason_out, (struct cx_place){provider->label, 0, 0},
                                  "%s", cause.message);
      return true;
    }
  return false;
}

/* A provider writes its metadata itself: one that takes another's name must not become it. */
static enum cortex_reason refuse_twice(const struct attempt *attempt, const char *label,
                                       struct cortex_error *error) {
  return REFUSE(CORTEX_UNKNOWN_ISSUER,
                "the [saml] sections \"%s\" and \"%s\" both have the issuer %s: idp_entity_id has to "
                "say whose it is",
                attempt->provider.label, label,
                cx_quote(attempt->entity_id, strlen(attempt->entity_id)).text);
}

/* The one section whose metadata has this entity ID. One whose metadata is broken may be it. */
static enum cortex_reason find_provider(struct attempt *attempt, struct cortex_error *error) {
  struct cortex_error first = CORTEX_ERROR_NONE;
  struct saml_provider provider;
  enum cortex_reason reason;
  bool is_found = false;
  char label[64] = "";
  size_t i;

  if (find_named(attempt, &reason, error))
    return reason;
  for (i = 0; saml_question_provider(attempt->question, i, &provider); i++) {
    struct cortex_error cause = CORTEX_ERROR_NONE;
    struct saml_keys keys;

    reason = saml_metadata_keys(&provider, attempt->entity_id, attempt->question->now, &keys,
                                &cause);
    if (reason == CORTEX_OK && !is_found) {
      attempt->provider = provider;
      attempt->keys = keys;
      is_found = true;
      continue;
    }
    saml_keys_clear(&keys);
    if (reason == CORTEX_OK)
      return refuse_twice(attempt, provider.label, error);
    if (reason != CORTEX_UNKNOWN_ISSUER && first.reason == CORTEX_OK) {
      first = cause;
      snprintf(label, sizeof label, "%s", provider.label);
    }
  }
  if (is_found)
    return CORTEX_OK;
  if (first.reason != CORTEX_OK)
    return cx_error_at(error, first.reason, (struct cx_place){label, 0, 0}, "%s", first.message);
  return REFUSE(CORTEX_UNKNOWN_ISSUER, "no [saml] section has the issuer %s",
                cx_quote(attempt->entity_id, strlen(attempt->entity_id)).text);
}

/* ---- signatures ---- */

/* What was signed is parsed again from its canonical bytes: nothing else can be read by mistake. */
static enum cortex_reason verify_element(const struct attempt *attempt, xmlNode *element,
                                         xmlDoc **signed_out, struct cortex_error *error) {
  struct cx_buf covered;
  enum cortex_reason reason;

  cx_buf_init(&covered, 0);
  reason = saml_signature_verify(element, &attempt->keys, attempt->provider.algorithms, &covered,
                                 error);
  if (reason == CORTEX_OK)
    reason = saml_document_parse("signed part", covered.bytes, covered.len,
                                 &saml_signed_response_bounds, signed_out, error);
  cx_buf_clear(&covered);
  return reason;
}

/*
 * Most providers encrypt a text that stands by itself; some a piece of the response, which may
 * use prefixes that are declared around it.
 */
static enum cortex_reason parse_plain(struct attempt *attempt, const struct cx_buf *plain,
                                      struct cortex_error *error) {
  const char *bytes = plain->bytes != NULL ? plain->bytes : "";
  enum cortex_reason reason = saml_document_parse("assertion", bytes, plain->len,
                                                  &saml_response_bounds, &attempt->plain, error);

  if (reason == CORTEX_MALFORMED)
    return saml_document_parse_piece("assertion", bytes, plain->len, attempt->assertion,
                                     &saml_response_bounds, &attempt->plain, &attempt->opened,
                                     error);
  if (reason == CORTEX_OK)
    attempt->opened = xmlDocGetRootElement(attempt->plain);
  return reason;
}

static enum cortex_reason open_assertion(struct attempt *attempt, struct cortex_error *error) {
  struct cx_buf plain;
  enum cortex_reason reason;
  const xmlNode *node;
  size_t count = 0;

  cx_buf_init(&plain, 0);
  reason = saml_decrypt(attempt->assertion, attempt->provider.key, &plain, error);
  if (reason == CORTEX_OK)
    reason = parse_plain(attempt, &plain, error);
  cx_buf_clear(&plain);
  if (reason == CORTEX_OK)
    reason = saml_document_check_ids(attempt->plain, attempt->doc, error);
  if (reason != CORTEX_OK)
    return reason;
  for (node = attempt->plain->children; node != NULL; node = saml_walk(node))
    count += is_assertion(node);
  if (count != 1 || !saml_is(attempt->opened, NS_ASSERTION, "Assertion"))
    return CORTEX_SIGNATURE_INVALID;
  reason = saml_signature_check_places(attempt->plain, attempt->opened, NULL, error);
  if (reason == CORTEX_OK && saml_signature_of(attempt->opened) != NULL)
    reason = verify_element(attempt, attempt->opened, &attempt->signed_assertion, error);
  if (reason == CORTEX_OK && attempt->signed_assertion == NULL && attempt->signed_response == NULL)
    reason = CORTEX_SIGNATURE_INVALID;
  return reason;
}

/*
 * Whoever can send ciphertexts and see more than "no" learns the plaintext bit by
 * bit (padding oracle): from the first decrypted byte on there is one answer.
 */
static enum cortex_reason verify_encrypted(struct attempt *attempt, struct cortex_error *error) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  if (attempt->provider.key == NULL)
    return REFUSE(CORTEX_KEY_MISMATCH, "the assertion is encrypted and the issuer has no sp_key_file");
  reason = open_assertion(attempt, &cause);
  if (reason == CORTEX_OK || reason == CORTEX_INTERNAL)
    return reason == CORTEX_OK ? reason : cx_error_memory(error);
  if (reason == CORTEX_ALGORITHM_NOT_ALLOWED && attempt->plain == NULL)
    return REFUSE(reason, "%s", cause.message);
  return REFUSE(CORTEX_SIGNATURE_INVALID,
                "the encrypted assertion cannot be opened, or what it holds is not signed");
}

static enum cortex_reason verify_signatures(struct attempt *attempt, struct cortex_error *error) {
  const xmlNode *inner = attempt->is_encrypted ? NULL : attempt->assertion;
  enum cortex_reason reason =
      saml_signature_check_places(attempt->doc, attempt->response, inner, error);

  if (reason == CORTEX_OK && saml_signature_of(attempt->response) != NULL)
    reason = verify_element(attempt, attempt->response, &attempt->signed_response, error);
  if (reason != CORTEX_OK)
    return reason;
  if (attempt->is_encrypted)
    return verify_encrypted(attempt, error);
  if (saml_signature_of(attempt->assertion) != NULL)
    return verify_element(attempt, attempt->assertion, &attempt->signed_assertion, error);
  if (attempt->signed_response == NULL)
    return REFUSE(CORTEX_SIGNATURE_INVALID, "neither the response nor the assertion is signed");
  return CORTEX_OK;
}

/* Whose signature it was to be is said: newer metadata may have the key. */
static enum cortex_reason check_signatures(struct attempt *attempt, struct cortex_error *error) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason = verify_signatures(attempt, &cause);

  if (reason == CORTEX_OK)
    return CORTEX_OK;
  return cx_error_at(error, reason, (struct cx_place){attempt->provider.label, 0, 0}, "%s",
                     cause.message);
}

/* The one element that identity is read from: a part of signed bytes, or what those encrypted. */
static const xmlNode *verified_assertion(const struct attempt *attempt) {
  if (attempt->signed_assertion != NULL)
    return xmlDocGetRootElement(attempt->signed_assertion);
  if (attempt->signed_response == NULL)
    return NULL;
  if (attempt->is_encrypted)
    return attempt->opened;
  return saml_child(xmlDocGetRootElement(attempt->signed_response), NS_ASSERTION, "Assertion");
}

/* ---- rules ---- */

/* Bindings 3.5.5.2: a signed response must say where it was sent. */
static enum cortex_reason check_destination(const struct attempt *attempt, const xmlNode *response,
                                            struct cortex_error *error) {
  const char *destination = saml_attribute(response, "Destination");

  if (destination == NULL ? attempt->signed_response != NULL
                          : strcmp(destination, attempt->provider.acs_url) != 0)
    return REFUSE(CORTEX_DESTINATION_MISMATCH, "the response's Destination is not the acs_url");
  return CORTEX_OK;
}

static enum cortex_reason apply_rules(const struct attempt *attempt, struct cx_buf *facts,
                                      struct cortex_error *error) {
  const xmlNode *assertion = verified_assertion(attempt);
  const xmlNode *response = attempt->signed_response != NULL
                                ? xmlDocGetRootElement(attempt->signed_response)
                                : attempt->response;
  const struct saml_setting setting = {attempt->question, &attempt->provider, attempt->entity_id,
                                       saml_request_of(response)};
  enum cortex_reason reason = check_destination(attempt, response, error);

  if (reason != CORTEX_OK)
    return reason;
  if (!saml_is(assertion, NS_ASSERTION, "Assertion"))
    return REFUSE(CORTEX_REFERENCE_INVALID, "what was signed holds no assertion");
  cx_json_member_text(facts, "label", attempt->provider.label);
  cx_json_member_text(facts, "issuer", attempt->entity_id);
  return saml_assertion_read(assertion, &setting, facts, error);
}

static enum cortex_reason check_form(struct attempt *attempt, struct cortex_error *error) {
  enum cortex_reason reason;

  attempt->response = xmlDocGetRootElement(attempt->doc);
  reason = check_head(attempt, error);
  if (reason == CORTEX_OK)
    reason = check_status(attempt, error);
  if (reason == CORTEX_OK)
    reason = find_assertion(attempt, error);
  if (reason == CORTEX_OK)
    reason = saml_document_check_ids(attempt->doc, NULL, error);
  if (reason == CORTEX_OK)
    reason = check_children(attempt, error);
  return reason;
}

enum cortex_reason saml_response_verify(const struct saml_question *question, struct cx_buf *facts,
                                        struct cortex_error *error) {
  struct attempt attempt = {.question = question};
  enum cortex_reason reason = saml_document_parse("response", question->response,
                                                  strlen(question->response), &saml_response_bounds,
                                                  &attempt.doc, error);

  if (reason == CORTEX_OK)
    reason = check_form(&attempt, error);
  if (reason == CORTEX_OK)
    reason = read_issuer(&attempt, error);
  if (reason == CORTEX_OK)
    reason = find_provider(&attempt, error);
  if (reason == CORTEX_OK)
    reason = check_signatures(&attempt, error);
  if (reason == CORTEX_OK)
    reason = apply_rules(&attempt, facts, error);
  saml_keys_clear(&attempt.keys);
  xmlFreeDoc(attempt.signed_assertion);
  xmlFreeDoc(attempt.plain);
  xmlFreeDoc(attempt.signed_response);
  xmlFreeDoc(attempt.doc);
  return reason;
}
