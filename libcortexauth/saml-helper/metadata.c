/*
 * Metadata of identity providers (SAML metadata 2.3, 2.4): whose keys sign.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "metadata.h"

#include <string.h>

#include "document.h"
#include "duration.h"
#include "instant.h"
#include "signature.h"
#include "tree.h"

#define NEST_MAX 8

/* How long what stands inside an element may be used. */
struct validity {
  bool is_over;
  int64_t until;         /* 0: without end */
  int64_t cache_seconds; /* 0: not said */
};

/* What is looked for, and what was found. */
struct search {
  const char *entity_id; /* NULL: whichever is the only one */
  int64_t now;
  const xmlNode *role; /* of the entity found */
  const char *found_id;
  size_t count; /* identity providers seen that fit */
  struct validity validity;
};

#define REFUSE(...) cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, __VA_ARGS__)

static int64_t sooner(int64_t left, int64_t right) {
  return left == 0 || (right != 0 && right < left) ? right : left;
}

/* 2.2.1: each level may say how long it is valid; what cannot be read is over. */
static struct validity narrow(struct validity outer, const xmlNode *node, int64_t now) {
  const char *until_text = saml_attribute(node, "validUntil");
  const char *cache_text = saml_attribute(node, "cacheDuration");
  int64_t until = 0, cache = 0;

  if (until_text != NULL && (!saml_instant_parse(until_text, &until) || until <= now))
    outer.is_over = true;
  if (cache_text != NULL && saml_duration_parse(cache_text, &cache))
    outer.cache_seconds = sooner(outer.cache_seconds, cache);
  outer.until = sooner(outer.until, until);
  return outer;
}

static bool speaks_saml2(const xmlNode *role) {
  const char *words = saml_attribute(role, "protocolSupportEnumeration");
  size_t len;

  for (; words != NULL && *words != '\0'; words += len) {
    words += strspn(words, XML_BLANKS);
    len = strcspn(words, XML_BLANKS);
    if (len == strlen(NS_PROTOCOL) && memcmp(words, NS_PROTOCOL, len) == 0)
      return true;
  }
  return false;
}

static void visit_entity(struct search *search, const xmlNode *entity, struct validity outer) {
  const char *id = saml_attribute(entity, "entityID");
  const xmlNode *role = saml_child(entity, NS_METADATA, "IDPSSODescriptor");

  while (role != NULL && !speaks_saml2(role))
    role = saml_sibling(role, NS_METADATA, "IDPSSODescriptor");
  if (id == NULL || role == NULL ||
      (search->entity_id != NULL && strcmp(id, search->entity_id) != 0))
    return;
  search->count++;
  search->role = role;
  search->found_id = id;
  search->validity = narrow(narrow(outer, entity, search->now), role, search->now);
}

static void visit(struct search *search, const xmlNode *node, struct validity outer, size_t depth) {
  const xmlNode *child;

  if (saml_is(node, NS_METADATA, "EntityDescriptor")) {
    visit_entity(search, node, outer);
  } else if (saml_is(node, NS_METADATA, "EntitiesDescriptor") && depth < NEST_MAX) {
    outer = narrow(outer, node, search->now);
    for (child = saml_first(node); child != NULL; child = saml_next(child))
      visit(search, child, outer, depth + 1);
  }
}

static enum cortex_reason read_certificates(const xmlNode *info, struct saml_keys *keys,
                                            bool *found_out) {
  const xmlNode *data = saml_child(info, NS_DSIG, "X509Data");
  enum cortex_reason reason = CORTEX_OK;
  const char *text;

  *found_out = false;
  for (; data != NULL; data = saml_sibling(data, NS_DSIG, "X509Data")) {
    text = saml_text(saml_child(data, NS_DSIG, "X509Certificate"));
    *found_out |= text != NULL;
    if (reason == CORTEX_OK && text != NULL)
      reason = saml_keys_add_base64(keys, text, strlen(text));
  }
  return reason;
}

/* Some providers have a key pair and no certificate. Where both are written they are one key. */
static enum cortex_reason read_key(const xmlNode *info, struct saml_keys *keys) {
  const xmlNode *value = saml_child(saml_child(info, NS_DSIG, "KeyValue"), NS_DSIG, "RSAKeyValue");
  const char *modulus = saml_text(saml_child(value, NS_DSIG, "Modulus"));
  const char *exponent = saml_text(saml_child(value, NS_DSIG, "Exponent"));
  bool has_certificate;
  enum cortex_reason reason = read_certificates(info, keys, &has_certificate);

  if (!has_certificate && modulus != NULL && exponent != NULL)
    return saml_keys_add_rsa(keys, modulus, exponent);
  keys->other += !has_certificate;
  return reason;
}

/* 2.4.1.1: a key without a use serves both. */
static enum cortex_reason read_keys(const xmlNode *role, struct saml_keys *keys) {
  const xmlNode *key = saml_child(role, NS_METADATA, "KeyDescriptor");
  enum cortex_reason reason = CORTEX_OK;
  const char *use;

  for (; key != NULL; key = saml_sibling(key, NS_METADATA, "KeyDescriptor")) {
    use = saml_attribute(key, "use");
    if (reason == CORTEX_OK && (use == NULL || strcmp(use, "signing") == 0))
      reason = read_key(saml_child(key, NS_DSIG, "KeyInfo"), keys);
  }
  return reason;
}

/* The document that the search runs on: with anchors only what their signature covers. */
static enum cortex_reason open_document(const struct saml_provider *provider, xmlDoc **doc_out,
                                        struct cortex_error *error) {
  struct saml_keys anchors = {.owner = "metadata_ca_file"};
  struct cx_buf covered;
  enum cortex_reason reason;
  xmlDoc *doc = NULL;

  *doc_out = NULL;
  cx_buf_init(&covered, 0);
  reason = saml_document_parse("metadata", provider->metadata, strlen(provider->metadata),
                               &saml_metadata_bounds, &doc, error);
  if (reason != CORTEX_OK || provider->anchors == NULL) {
    *doc_out = doc;
    return reason;
  }
  reason = saml_document_check_ids(doc, NULL, error);
  if (reason == CORTEX_OK)
    reason = saml_keys_add_pem(&anchors, provider->anchors, strlen(provider->anchors));
  if (reason == CORTEX_OK)
    reason = saml_signature_verify(xmlDocGetRootElement(doc), &anchors, NULL, &covered, error);
  if (reason == CORTEX_OK)
    reason = saml_document_parse("metadata", covered.bytes, covered.len,
                                 &saml_signed_metadata_bounds, doc_out, error);
  cx_buf_clear(&covered);
  saml_keys_clear(&anchors);
  xmlFreeDoc(doc);
  return reason;
}

/* entity_id: of the response; NULL: of whichever provider is found. */
static enum cortex_reason judge(const struct search *search, const struct saml_provider *provider,
                                const char *entity_id, struct saml_keys *keys,
                                struct cortex_error *error) {
  enum cortex_reason reason;

  if (search->count == 0)
    return REFUSE("the metadata holds no identity provider%s of SAML 2.0",
                  provider->entity_id != NULL ? " of the idp_entity_id" : "");
  if (search->count > 1)
    return REFUSE("the metadata holds %zu identity providers: idp_entity_id must name one",
                  search->count);
  if (entity_id != NULL && strcmp(search->found_id, entity_id) != 0)
    return CORTEX_UNKNOWN_ISSUER;
  if (search->validity.is_over)
    return REFUSE("the metadata is over: its validUntil is past, or is no time in UTC (with Z)");
  reason = read_keys(search->role, keys);
  if (reason != CORTEX_OK)
    return cx_error_set(error, reason == CORTEX_INTERNAL ? reason : CORTEX_KEYS_UNAVAILABLE,
                        "the metadata's keys cannot be read");
  if (keys->count + keys->weak + keys->other == 0)
    return REFUSE("the metadata has no signing key");
  if (keys->count + keys->weak == 0)
    return REFUSE("none of the metadata's %zu signing keys can be read: certificates of RSA and EC are",
                  keys->other);
  return CORTEX_OK;
}

/* Opens the metadata and looks for the provider. The document is the caller's to free. */
static enum cortex_reason find(const struct saml_provider *provider, struct search *search,
                               xmlDoc **doc_out, struct cortex_error *error) {
  const struct validity unlimited = {false, 0, 0};
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  *doc_out = NULL;
  if (provider->metadata == NULL)
    return cx_error_set(error, provider->is_stale ? CORTEX_KEYS_STALE : CORTEX_KEYS_UNAVAILABLE, "%s",
                        provider->why);
  reason = open_document(provider, doc_out, &cause);
  if (reason != CORTEX_OK)
    return cx_error_set(error, reason == CORTEX_INTERNAL ? reason : CORTEX_KEYS_UNAVAILABLE, "%s",
                        cause.message);
  visit(search, xmlDocGetRootElement(*doc_out), unlimited, 0);
  return CORTEX_OK;
}

enum cortex_reason saml_metadata_keys(const struct saml_provider *provider, const char *entity_id,
                                      int64_t now, struct saml_keys *keys,
                                      struct cortex_error *error) {
  struct search search = {.entity_id = provider->entity_id, .now = now};
  enum cortex_reason reason;
  xmlDoc *doc;

  *keys = (struct saml_keys){.count = 0};
  if (provider->entity_id != NULL && strcmp(provider->entity_id, entity_id) != 0)
    return CORTEX_UNKNOWN_ISSUER;
  reason = find(provider, &search, &doc, error);
  if (reason == CORTEX_OK)
    reason = judge(&search, provider, entity_id, keys, error);
  xmlFreeDoc(doc);
  return reason;
}

/* ---- for operators ---- */

/* Whether one of the section's algorithms (RS256, ES256, …) is made for the key. */
static bool fits(const cx_json *algorithms, const struct saml_key *key) {
  char first = key->rsa != NULL ? 'R' : 'E';
  const cx_json *item;

  for (item = cx_json_items(algorithms); item != NULL; item = item->next)
    if (cx_json_is_string(item) && cx_json_text(item)[0] == first)
      return true;
  return false;
}

static void describe(const struct search *search, const struct saml_provider *provider,
                     const struct saml_keys *keys, struct cx_buf *facts) {
  int64_t first = 0, last = 0;
  size_t i, usable = 0;

  for (i = 0; i < keys->count; i++) {
    const struct saml_key *key = &keys->keys[i];

    if (!fits(provider->algorithms, key))
      continue;
    first = sooner(first, key->end);
    last = key->end > last ? key->end : last;
    usable++;
  }
  cx_json_member_text(facts, "entity_id", search->found_id);
  cx_json_member_number(facts, "usable", (int64_t)usable);
  cx_json_member_number(facts, "weak", (int64_t)keys->weak);
  cx_json_member_number(facts, "other", (int64_t)(keys->other + keys->count - usable));
  cx_json_member_number(facts, "valid_until", search->validity.until);
  cx_json_member_number(facts, "cache_seconds", search->validity.cache_seconds);
  cx_json_member_number(facts, "first_end", first);
  cx_json_member_number(facts, "last_end", last);
}

enum cortex_reason saml_metadata_inspect(const struct saml_provider *provider, int64_t now,
                                         struct cx_buf *facts, struct cortex_error *error) {
  struct search search = {.entity_id = provider->entity_id, .now = now};
  struct saml_keys keys = {.count = 0};
  enum cortex_reason reason;
  xmlDoc *doc;

  reason = find(provider, &search, &doc, error);
  if (reason == CORTEX_OK)
    reason = judge(&search, provider, NULL, &keys, error);
  if (reason == CORTEX_OK)
    describe(&search, provider, &keys, facts);
  saml_keys_clear(&keys);
  xmlFreeDoc(doc);
  return reason;
}
