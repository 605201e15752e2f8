/*
 * What the metadata of a [saml] section says, asked of the helper.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/metadata.h>
#include <string.h>

#include "saml/profile.h"
#include "saml/question.h"
#include "saml/worker.h"
#include "util/json.h"

/* The numbers of an answer: each at least 0, and in range of what is made of them. */
static bool read_number(const cx_json *answer, const char *name, int64_t *value_out) {
  const cx_json *value = cx_json_get(answer, name);

  *value_out = cx_json_integer(value);
  return cx_json_is_integer(value) && *value_out >= 0 && *value_out <= CX_SAML_TIME_MAX;
}

static bool read_metadata(const cx_json *answer, struct cortex_metadata *metadata) {
  const cx_json *id = cx_json_get(answer, "entity_id");
  int64_t usable, weak, other;

  if (!cx_json_is_plain(id) || cx_json_text_len(id) > CORTEX_ENTITY_ID_MAX ||
      !read_number(answer, "usable", &usable) || !read_number(answer, "weak", &weak) ||
      !read_number(answer, "other", &other) ||
      !read_number(answer, "valid_until", &metadata->valid_until) ||
      !read_number(answer, "cache_seconds", &metadata->cache_seconds) ||
      !read_number(answer, "first_end", &metadata->first_end) ||
      !read_number(answer, "last_end", &metadata->last_end))
    return false;
  memcpy(metadata->entity_id, cx_json_text(id), cx_json_text_len(id) + 1);
  metadata->keys = (struct cortex_key_count){(size_t)usable, (size_t)weak, (size_t)other};
  return true;
}

static enum cortex_reason take(const struct cx_buf *reply, struct cortex_metadata *metadata,
                               struct cortex_error *error) {
  enum cortex_reason reason;
  const cx_json *answer;

  if (cx_json_parse("helper's answer", reply->bytes, reply->len, &answer, NULL) != CORTEX_OK)
    return cx_saml_profile_misunderstood(error);
  if (!cx_json_is_true(cx_json_get(answer, "ok")))
    reason = cx_saml_profile_refuse(answer, error);
  else
    reason = read_metadata(answer, metadata) ? CORTEX_OK : cx_saml_profile_misunderstood(error);
  cx_json_release(answer);
  return reason;
}

enum cortex_reason cortex_metadata_inspect(const struct cortex_settings *settings,
                                           const struct cortex_issuer *issuer,
                                           const struct cortex_metadata_source *source,
                                           struct cortex_metadata *metadata_out,
                                           struct cortex_error *error) {
  const struct cx_trust trust = {settings->issuers, settings->issuer_count, settings->cache.path,
                                 settings->cache.stale};
  const struct cx_saml_worker worker = {source->helper != NULL ? source->helper : SAML_HELPER,
                                        source->clock, source->deadline};
  struct cortex_metadata found = {.keys = {0, 0, 0}};
  struct cx_buf question, reply;
  enum cortex_reason reason;

  *metadata_out = found;
  if (!cx_issuer_is(issuer, CX_KIND_SAML))
    return cx_error_set(error, CORTEX_INTERNAL, "only [saml] sections have metadata");
  cx_buf_init(&reply, 0);
  reason = cx_saml_question_inspect(&trust, source->keyring, source->real_now, issuer, &question,
                                    error);
  if (reason == CORTEX_OK)
    reason = cx_saml_worker_ask(&worker, &question, &reply, error);
  if (reason == CORTEX_OK)
    reason = take(&reply, &found, error);
  if (reason == CORTEX_OK)
    *metadata_out = found;
  cx_buf_clear(&question);
  cx_buf_clear(&reply);
  return reason;
}
