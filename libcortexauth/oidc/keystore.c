/*
 * Where an issuer's keys come from: keyring, file or cache.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keystore.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "oidc/keycache.h"
#include "credential/keyring.h"
#include "util/buf.h"
#include "util/file.h"

/* What is wanted of a key set: a choice for one token, or else a count. */
struct task {
  const struct cx_jws *jws;
  struct cx_choice choice;
  uint32_t algorithms;
  struct cortex_key_count *count;
  struct cx_keyset *read; /* what the choice borrows from, unless the keyring */
};

static enum cortex_reason use_keyset(struct task *task, const struct cx_keyset *keyset,
                                     struct cortex_error *error) {
  if (task->jws != NULL)
    cx_keyset_choose(keyset, task->jws, &task->choice);
  else if (cx_keyset_count(keyset, task->algorithms, task->count) != CORTEX_OK)
    return cx_error_memory(error);
  return CORTEX_OK;
}

/* ---- files ---- */

/* Both ways: a file from far ahead says that one of the clocks is wrong. */
static enum cortex_reason check_age(const struct cx_trust *trust, int64_t written, int64_t now,
                                    struct cortex_error *error) {
  int64_t age = now - written;

  if (age <= trust->stale && age >= -trust->stale)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_KEYS_STALE,
                      "was written %" PRId64 " s ago, at most %" PRId64
                      " s are allowed ([cache] stale)",
                      age, trust->stale);
}

static enum cortex_reason read_set(struct task *task, const struct cx_buf *content,
                                   const char *path, struct cortex_error *error) {
  enum cortex_reason reason = cx_keyset_parse(content->bytes, content->len, &task->read, error);

  if (reason == CORTEX_OK)
    reason = use_keyset(task, task->read, error);
  cx_error_prefix(error, "%s", path);
  return reason;
}

/* The operator's file: it is as old as it is. */
static enum cortex_reason use_own_file(struct task *task, const char *path,
                                       struct cortex_error *error) {
  static const struct cx_file_rules rules = {CORTEX_KEYS_UNAVAILABLE, CX_KEYSET_SIZE_MAX, false};
  struct cx_buf content;
  enum cortex_reason reason = cx_file_read(path, &rules, &content, NULL, error);

  if (reason != CORTEX_OK)
    return reason;
  reason = read_set(task, &content, path, error);
  cx_buf_clear(&content);
  return reason;
}

/* ---- the cache ---- */

/* One form in which a refresh leaves keys. */
struct form {
  const char *suffix;
  enum cortex_reason (*use)(struct task *task, const char *path, const struct cx_trust *trust,
                            int64_t now, struct cortex_error *error);
};

static enum cortex_reason use_compiled(struct task *task, const char *path,
                                       const struct cx_trust *trust, int64_t now,
                                       struct cortex_error *error) {
  static const struct cx_file_rules rules = {CORTEX_KEYS_UNAVAILABLE, CX_KEYCACHE_SIZE_MAX, true};
  struct cx_file file;
  enum cortex_reason reason = cx_file_open(path, &rules, &file, error);

  if (reason != CORTEX_OK)
    return reason;
  reason = check_age(trust, file.written, now, error);
  if (reason == CORTEX_OK)
    reason = task->jws != NULL
                 ? cx_keycache_choose(file.fd, file.size, task->jws, &task->choice, error)
                 : cx_keycache_count(file.fd, file.size, task->algorithms, task->count, error);
  close(file.fd);
  cx_error_prefix(error, "%s", path);
  return reason;
}

static enum cortex_reason use_text(struct task *task, const char *path,
                                   const struct cx_trust *trust, int64_t now,
                                   struct cortex_error *error) {
  static const struct cx_file_rules rules = {CORTEX_KEYS_UNAVAILABLE, CX_KEYSET_SIZE_MAX, true};
  struct cx_buf content;
  int64_t written = 0;
  enum cortex_reason reason = cx_file_read(path, &rules, &content, &written, error);

  if (reason != CORTEX_OK)
    return reason;
  reason = check_age(trust, written, now, error);
  if (reason == CORTEX_OK)
    reason = read_set(task, &content, path, error);
  else
    cx_error_prefix(error, "%s", path);
  cx_buf_clear(&content);
  return reason;
}

/* The document itself serves where the compiled form is missing, damaged or of another version. */
static enum cortex_reason use_cache(struct task *task, const struct cx_trust *trust,
                                    const char *label, int64_t now, struct cortex_error *error) {
  static const struct form forms[] = {{"keys", use_compiled}, {"jwks.json", use_text}};
  enum cortex_reason reason = CORTEX_KEYS_UNAVAILABLE;
  struct cortex_error cause;
  char path[PATH_MAX];
  size_t i;
  int len;

  for (i = 0; i < sizeof forms / sizeof forms[0] && reason == CORTEX_KEYS_UNAVAILABLE; i++) {
    cause = (struct cortex_error)CORTEX_ERROR_NONE;
    len = snprintf(path, sizeof path, "%s/%s.%s", trust->cache_path, label, forms[i].suffix);
    if (len < 0 || (size_t)len >= sizeof path)
      return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the cache's path is too long");
    reason = forms[i].use(task, path, trust, now, &cause);
  }
  if (error != NULL)
    *error = cause;
  return reason;
}

/* ---- all of them ---- */

static enum cortex_reason run(struct task *task, const struct cx_trust *trust,
                              const struct cortex_credential *credential,
                              const struct cortex_issuer *issuer, struct cortex_error *error) {
  const struct cx_keyset *given;
  enum cortex_reason reason =
      cx_keyring_get(credential->keyring, issuer->label, &given, error);

  if (reason != CORTEX_OK)
    return reason;
  if (given != NULL)
    return use_keyset(task, given, error);
  if (issuer->oidc.jwks_file != NULL)
    return use_own_file(task, issuer->oidc.jwks_file, error);
  return use_cache(task, trust, issuer->label, credential->real_now, error);
}

static void clear(struct task *task) {
  cx_choice_clear(&task->choice);
  cx_keyset_free(&task->read);
}

static enum cortex_reason refuse(const struct cortex_issuer *issuer,
                                 const struct cortex_error *cause, enum cortex_reason reason,
                                 struct cortex_error *error) {
  struct cx_place place = {issuer->label, 0, 0};
  char text[sizeof cause->source + sizeof cause->message];

  cortex_error_format(cause, text, sizeof text);
  return cx_error_at(error, reason, place, "%s", text);
}

enum cortex_reason cx_keystore_verify(const struct cx_trust *trust,
                                      const struct cortex_credential *credential,
                                      const struct cortex_issuer *issuer,
                                      const struct cx_jws *jws, struct cortex_error *error) {
  struct task task = {.jws = jws};
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason = run(&task, trust, credential, issuer, &cause);

  if (reason == CORTEX_OK)
    reason = cx_choice_verify(&task.choice, jws, &cause);
  clear(&task);
  return reason == CORTEX_OK ? CORTEX_OK : refuse(issuer, &cause, reason, error);
}

enum cortex_reason cortex_issuer_count_keys(const struct cortex_settings *settings,
                                            const struct cortex_issuer *issuer,
                                            const struct cortex_keyring *keyring, int64_t real_now,
                                            struct cortex_key_count *count_out,
                                            struct cortex_error *error) {
  const struct cx_trust trust = {settings->issuers, settings->issuer_count, settings->cache.path,
                                 settings->cache.stale};
  const struct cortex_credential nothing = {.keyring = keyring, .real_now = real_now};
  struct task task = {.algorithms = cx_keyset_algorithms(&issuer->oidc.algorithms),
                      .count = count_out};
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  *count_out = (struct cortex_key_count){0, 0, 0};
  reason = run(&task, &trust, &nothing, issuer, &cause);
  clear(&task);
  return reason == CORTEX_OK ? CORTEX_OK : refuse(issuer, &cause, reason, error);
}
