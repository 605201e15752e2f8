/*
 * Where an issuer's keys come from: keyring, file or cache.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keystore.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "oidc/keyring.h"
#include "util/buf.h"
#include "util/file.h"

#define NEVER_STALE INT64_MAX

/* A file with a JWK set. */
struct source {
  const char *path;
  bool cortex_owned; /* written by a refresh, not by the operator */
  int64_t now;
  int64_t stale; /* seconds */
};

/* Both ways: a file from far ahead says that one of the clocks is wrong. */
static enum cortex_reason check_age(const struct source *source, int64_t written,
                                    struct cortex_error *error) {
  int64_t age = source->now - written;

  if (age <= source->stale && age >= -source->stale)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_KEYS_STALE,
                      "%s was written %" PRId64 " s ago, at most %" PRId64
                      " s are allowed ([cache] stale)",
                      source->path, age, source->stale);
}

static enum cortex_reason read_source(const struct source *source, struct cx_keyset **keyset_out,
                                      struct cortex_error *error) {
  const struct cx_file_rules rules = {CORTEX_KEYS_UNAVAILABLE, CX_KEYSET_SIZE_MAX,
                                      source->cortex_owned};
  enum cortex_reason reason;
  struct cx_buf content;
  int64_t written = 0;

  reason = cx_file_read(source->path, &rules, &content, &written, error);
  if (reason != CORTEX_OK)
    return reason;
  reason = check_age(source, written, error);
  if (reason == CORTEX_OK) {
    reason = cx_keyset_parse(content.bytes, content.len, keyset_out, error);
    cx_error_prefix(error, "%s", source->path);
  }
  cx_buf_clear(&content);
  return reason;
}

static enum cortex_reason read_keys(const struct cx_trust *trust,
                                    const struct cortex_credential *credential,
                                    const struct cortex_issuer *issuer,
                                    struct cx_keyset **keyset_out, struct cortex_error *error) {
  struct source source = {issuer->oidc.jwks_file, false, credential->real_now, NEVER_STALE};
  char path[PATH_MAX];
  int len;

  if (source.path == NULL) {
    len = snprintf(path, sizeof path, "%s/%s.jwks.json", trust->cache_path, issuer->label);
    if (len < 0 || (size_t)len >= sizeof path)
      return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the cache's path is too long");
    source = (struct source){path, true, credential->real_now, trust->stale};
  }
  return read_source(&source, keyset_out, error);
}

enum cortex_reason cx_keystore_open(const struct cx_trust *trust,
                                    const struct cortex_credential *credential,
                                    const struct cortex_issuer *issuer,
                                    struct cx_keystore *keystore_out, struct cortex_error *error) {
  struct cx_place place = {issuer->label, 0, 0};
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  char text[sizeof cause.source + sizeof cause.message];

  *keystore_out = (struct cx_keystore){NULL, NULL};
  reason = cx_keyring_get(credential->keyring, issuer->label, &keystore_out->keyset, &cause);
  if (reason == CORTEX_OK && keystore_out->keyset == NULL) {
    reason = read_keys(trust, credential, issuer, &keystore_out->read, &cause);
    keystore_out->keyset = keystore_out->read;
  }
  if (reason == CORTEX_OK)
    return CORTEX_OK;
  cortex_error_format(&cause, text, sizeof text);
  return cx_error_at(error, reason, place, "%s", text);
}

enum cortex_reason cortex_issuer_count_keys(const struct cortex_settings *settings,
                                            const struct cortex_issuer *issuer,
                                            const struct cortex_keyring *keyring, int64_t real_now,
                                            struct cortex_key_count *count_out,
                                            struct cortex_error *error) {
  const struct cx_trust trust = {settings->issuers, settings->issuer_count, settings->cache.path,
                                 settings->cache.stale};
  const struct cortex_credential nothing = {.keyring = keyring, .real_now = real_now};
  struct cx_keystore keystore;
  enum cortex_reason reason = cx_keystore_open(&trust, &nothing, issuer, &keystore, error);

  *count_out = (struct cortex_key_count){0, 0, 0};
  if (reason == CORTEX_OK &&
      cx_keyset_count(keystore.keyset, &issuer->oidc.algorithms, count_out) != CORTEX_OK)
    reason = cx_error_memory(error);
  cx_keystore_close(&keystore);
  return reason;
}

void cx_keystore_close(struct cx_keystore *keystore) {
  cx_keyset_free(&keystore->read);
  keystore->keyset = NULL;
}
