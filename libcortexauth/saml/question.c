/*
 * The question to the helper: the response, and of each [saml] section whom it trusts.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "saml/question.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "credential/keyring.h"
#include "saml/worker.h"
#include "util/file.h"
#include "util/text.h"

#define PEM_MAX 65536

static void put_member(struct cx_buf *question, const char *name, const char *text) {
  if (text == NULL)
    return;
  cx_buf_printf(question, ",\"%s\":", name);
  cx_buf_put_json(question, text, strlen(text));
}

static enum cortex_reason read_text(const char *path, const struct cx_file_rules *rules,
                                    struct cx_buf *content, int64_t *written,
                                    struct cortex_error *error) {
  enum cortex_reason reason = cx_file_read(path, rules, content, written, error);

  if (reason == CORTEX_OK && (content->bytes == NULL || !cx_text_is_utf8(content->bytes, content->len) ||
                              memchr(content->bytes, '\0', content->len) != NULL)) {
    reason = cx_error_set(error, rules->reason, "%s: is not UTF-8 text", path);
    cx_buf_clear(content);
  }
  return reason;
}

/* The cache is only as good as its last refresh. */
static enum cortex_reason check_age(const struct cx_trust *trust, const char *path, int64_t age,
                                    struct cortex_error *error) {
  if (age <= trust->stale && age >= -trust->stale)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_KEYS_STALE,
                      "%s was written %" PRId64 " s ago, at most %" PRId64
                      " s are allowed ([cache] stale)",
                      path, age, trust->stale);
}

/* What a program fetched itself; false: nothing. */
static bool read_given(const struct cortex_credential *credential,
                       const struct cortex_issuer *issuer, struct cx_buf *content,
                       enum cortex_reason *reason_out, struct cortex_error *error) {
  const char *bytes;
  size_t len;

  if (!cx_keyring_get_document(credential->keyring, issuer->label, &bytes, &len))
    return false;
  *reason_out = CORTEX_OK;
  cx_buf_init(content, CX_SAML_METADATA_MAX);
  cx_buf_put(content, bytes, len);
  if (content->failed)
    *reason_out = cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the metadata has %zu bytes, at most %d are read",
                               len, CX_SAML_METADATA_MAX);
  else if (len == 0 || !cx_text_is_utf8(bytes, len) || memchr(bytes, '\0', len) != NULL)
    *reason_out = cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the metadata is not UTF-8 text");
  return true;
}

static enum cortex_reason read_metadata(const struct cx_trust *trust,
                                        const struct cortex_credential *credential,
                                        const struct cortex_issuer *issuer, struct cx_buf *content,
                                        struct cortex_error *error) {
  const bool is_fetched = issuer->saml.metadata_file == NULL;
  const struct cx_file_rules rules = {CORTEX_KEYS_UNAVAILABLE, CX_SAML_METADATA_MAX, is_fetched};
  enum cortex_reason reason;
  char path[PATH_MAX];
  int64_t written = 0;
  int len;

  if (read_given(credential, issuer, content, &reason, error))
    return reason;
  if (!is_fetched)
    return read_text(issuer->saml.metadata_file, &rules, content, NULL, error);
  len = snprintf(path, sizeof path, "%s/%s.metadata.xml", trust->cache_path, issuer->label);
  if (len < 0 || (size_t)len >= sizeof path)
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the cache's path is too long");
  reason = read_text(path, &rules, content, &written, error);
  if (reason == CORTEX_OK) {
    reason = check_age(trust, path, credential->real_now - written, error);
    if (reason != CORTEX_OK)
      cx_buf_clear(content);
  }
  return reason;
}

/* A file in PEM that the helper needs the text of. */
static enum cortex_reason put_file(struct cx_buf *question, const char *name, const char *path,
                                   struct cortex_error *error) {
  static const struct cx_file_rules rules = {CORTEX_KEYS_UNAVAILABLE, PEM_MAX, false};
  enum cortex_reason reason;
  struct cx_buf content;

  if (path == NULL)
    return CORTEX_OK;
  reason = read_text(path, &rules, &content, NULL, error);
  if (reason != CORTEX_OK)
    return reason;
  put_member(question, name, content.bytes);
  cx_buf_clear(&content);
  return CORTEX_OK;
}

static void put_list(struct cx_buf *question, const char *name, const struct cx_list *list) {
  size_t i;

  cx_buf_printf(question, ",\"%s\":[", name);
  for (i = 0; i < list->count; i++) {
    if (i > 0)
      cx_buf_put_text(question, ",");
    cx_buf_put_json(question, list->items[i], strlen(list->items[i]));
  }
  cx_buf_put_text(question, "]");
}

/* The metadata with its anchors, or why there is none. */
static void put_metadata(const struct cx_trust *trust, const struct cortex_credential *credential,
                         const struct cortex_issuer *issuer, struct cx_buf *question) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  struct cx_buf content, anchors;
  char why[sizeof cause.source + sizeof cause.message];

  cx_buf_init(&content, 0);
  cx_buf_init(&anchors, 2 * PEM_MAX + 64);
  if (read_metadata(trust, credential, issuer, &content, &cause) == CORTEX_OK &&
      put_file(&anchors, "anchors", issuer->saml.metadata_ca_file, &cause) == CORTEX_OK) {
    cx_buf_put(question, anchors.bytes, anchors.len);
    put_member(question, "metadata", content.bytes);
  } else {
    cortex_error_format(&cause, why, sizeof why);
    put_member(question, "why", why);
    if (cause.reason == CORTEX_KEYS_STALE)
      cx_buf_put_text(question, ",\"stale\":true");
  }
  cx_buf_clear(&content);
  cx_buf_clear(&anchors);
}

static enum cortex_reason put_provider(const struct cx_trust *trust,
                                       const struct cortex_credential *credential,
                                       const struct cortex_issuer *issuer, bool is_encrypted,
                                       struct cx_buf *question, struct cortex_error *error) {
  const struct cx_saml_settings *saml = &issuer->saml;

  cx_buf_printf(question, "{\"skew\":%" PRId64 ",\"unsolicited\":%s", saml->clock_skew,
                saml->unsolicited ? "true" : "false");
  put_member(question, "label", issuer->label);
  put_member(question, "entity_id", saml->idp_entity_id);
  put_member(question, "audience", saml->sp_entity_id);
  put_member(question, "acs_url", saml->acs_url);
  put_list(question, "algorithms", &saml->algorithms);
  put_metadata(trust, credential, issuer, question);
  /* The helper sees the private key only where there is something to decrypt. */
  if (is_encrypted && put_file(question, "key", saml->sp_key_file, error) != CORTEX_OK)
    return cx_error_recode(error, CORTEX_KEYS_UNAVAILABLE);
  cx_buf_put_text(question, "}");
  return CORTEX_OK;
}

enum cortex_reason cx_saml_question_make(const struct cx_trust *trust,
                                         const struct cortex_credential *credential,
                                         const struct cx_buf *xml, struct cx_buf *question_out,
                                         struct cortex_error *error) {
  static const char encrypted[] = "EncryptedAssertion";
  bool is_encrypted = memmem(xml->bytes, xml->len, encrypted, strlen(encrypted)) != NULL;
  enum cortex_reason reason = CORTEX_OK;
  size_t i, count = 0;

  cx_buf_init(question_out, CX_SAML_QUESTION_MAX);
  cx_buf_printf(question_out, "{\"now\":%" PRId64, credential->now);
  put_member(question_out, "request", credential->request);
  cx_buf_put_text(question_out, ",\"response\":");
  cx_buf_put_json(question_out, xml->bytes, xml->len);
  cx_buf_put_text(question_out, ",\"providers\":[");
  for (i = 0; i < trust->issuer_count && reason == CORTEX_OK; i++) {
    if (!cx_issuer_is(&trust->issuers[i], CX_KIND_SAML))
      continue;
    if (count++ > 0)
      cx_buf_put_text(question_out, ",");
    reason = put_provider(trust, credential, &trust->issuers[i], is_encrypted, question_out, error);
  }
  cx_buf_put_text(question_out, "]}");
  if (reason == CORTEX_OK && count == 0)
    reason = cx_error_set(error, CORTEX_UNKNOWN_ISSUER, "there is no [saml] section");
  if (reason == CORTEX_OK && question_out->failed)
    reason = cx_error_set(error, CORTEX_KEYS_UNAVAILABLE,
                          "the [saml] sections' metadata is too large for one login");
  return reason;
}

enum cortex_reason cx_saml_question_inspect(const struct cx_trust *trust,
                                            const struct cortex_keyring *keyring, int64_t real_now,
                                            const struct cortex_issuer *issuer,
                                            struct cx_buf *question_out,
                                            struct cortex_error *error) {
  const struct cortex_credential nothing = {.keyring = keyring, .real_now = real_now};
  enum cortex_reason reason;

  cx_buf_init(question_out, CX_SAML_QUESTION_MAX);
  cx_buf_printf(question_out, "{\"now\":%" PRId64 ",\"inspect\":true,\"providers\":[", real_now);
  reason = put_provider(trust, &nothing, issuer, false, question_out, error);
  cx_buf_put_text(question_out, "]}");
  if (reason == CORTEX_OK && question_out->failed)
    reason = cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the metadata is too large to be read");
  return reason;
}
