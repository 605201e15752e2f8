/*
 * Loading policies, entities and links: as a whole or not at all.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/folder.h"
#include "policy/image.h"
#include "policy/policy.h"
#include "policy/schema.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/text.h"

#define POLICY_FILE_MAX (16 * 1024 * 1024)
#define ENTITIES_FILE_MAX (64 * 1024 * 1024)

struct loader {
  struct cortex_policy *policy;
  struct cedar_schema *schema;
  struct cx_hash digest;
  struct cortex_error *error;
};

enum cortex_reason cx_policy_error(struct cortex_error *error, enum cortex_reason reason,
                                   const struct cedar_error *why) {
  if (why->status == CEDAR_NOMEM)
    return cx_error_memory(error);
  if (why->status == CEDAR_DAMAGED)
    reason = CORTEX_POLICY_UNAVAILABLE;
  return cx_error_at(error, reason, (struct cx_place){why->source, why->line, why->column}, "%s",
                     why->message[0] != '\0' ? why->message : "the Cedar library refused it");
}

struct cedar_text cx_cedar_text(const char *text) {
  return (struct cedar_text){text, strlen(text)};
}

char *cx_cedar_dup(struct cedar_text text) {
  return strndup(text.ptr != NULL ? text.ptr : "", text.len);
}

/* Hands the content of one file over. */
typedef enum cedar_status add_source(struct loader *loader, const struct cedar_source *source,
                                     struct cedar_error *error);

static enum cedar_status add_schema(struct loader *loader, const struct cedar_source *source,
                                    struct cedar_error *error) {
  size_t len = strlen(source->name);
  bool is_json = len > 5 && strcmp(source->name + len - 5, ".json") == 0;

  return (is_json ? cedar_schema_parse_json : cedar_schema_parse)(source, NULL, &loader->schema,
                                                                  error);
}

static enum cedar_status add_policies(struct loader *loader, const struct cedar_source *source,
                                      struct cedar_error *error) {
  return cedar_store_add_policies(loader->policy->store, source, CEDAR_ID_HOST, error);
}

static enum cedar_status add_links(struct loader *loader, const struct cedar_source *source,
                                   struct cedar_error *error) {
  return cedar_store_add_links(loader->policy->store, source, error);
}

static enum cedar_status add_entities(struct loader *loader, const struct cedar_source *source,
                                      struct cedar_error *error) {
  return cedar_store_add_entities(loader->policy->store, source, loader->schema, error);
}

/* Name and content go into the digest with their lengths, so that nothing can slide over. */
static void digest_file(struct cx_hash *digest, const char *path, const struct cx_buf *content) {
  char lengths[64];
  int len = snprintf(lengths, sizeof lengths, "%zu %zu ", strlen(path), content->len);

  cx_hash_put(digest, lengths, (size_t)len);
  cx_hash_put(digest, path, strlen(path));
  cx_hash_put(digest, content->bytes, content->len);
}

static enum cortex_reason load_file(struct loader *loader, const char *path, size_t max,
                                    add_source *add) {
  const struct cx_file_rules rules = {CORTEX_POLICY_UNAVAILABLE, max, false};
  struct cedar_error why = {0};
  struct cedar_source source;
  struct cx_buf content;
  enum cortex_reason reason = cx_file_read(path, &rules, &content, NULL, loader->error);

  if (reason != CORTEX_OK)
    return reason;
  source = (struct cedar_source){path, content.bytes != NULL ? content.bytes : "", content.len};
  digest_file(&loader->digest, path, &content);
  if (add(loader, &source, &why) != CEDAR_OK)
    reason = cx_policy_error(loader->error, CORTEX_POLICY_UNAVAILABLE, &why);
  cx_buf_clear(&content);
  return reason;
}

static enum cortex_reason load_policies(void *context, const char *path) {
  return load_file(context, path, POLICY_FILE_MAX, add_policies);
}

static enum cortex_reason load_schema(struct loader *loader, const char *path) {
  const struct cedar_source built_in = {CX_SCHEMA_NAME, cx_schema_text, cx_schema_len};
  struct cedar_error why = {0};

  if (path != NULL)
    return load_file(loader, path, POLICY_FILE_MAX, add_schema);
  if (add_schema(loader, &built_in, &why) != CEDAR_OK)
    return cx_policy_error(loader->error, CORTEX_POLICY_UNAVAILABLE, &why);
  return CORTEX_OK;
}

/* A policy that cannot mean what it says, such as one with a misspelt attribute, closes all. */
static enum cortex_reason validate(struct loader *loader) {
  struct cedar_validation *validation = NULL;
  struct cedar_error why = {0};
  struct cedar_findings findings;
  enum cortex_reason reason = CORTEX_OK;
  char source[256];

  if (cedar_validate(loader->policy->store, loader->schema, NULL, &validation, &why) != CEDAR_OK)
    return cx_policy_error(loader->error, CORTEX_POLICY_UNAVAILABLE, &why);
  findings = cedar_validation_findings(validation);
  if (findings.error_count > 0) {
    const struct cedar_finding *first = &findings.errors[0];

    snprintf(source, sizeof source, "%.*s", (int)first->source.len, first->source.ptr);
    reason =
        cx_error_at(loader->error, CORTEX_POLICY_UNAVAILABLE,
                    (struct cx_place){source, first->line, first->column}, "policy \"%.*s\": %s",
                    (int)first->policy_id.len, first->policy_id.ptr, first->message);
  }
  cedar_validation_free(&validation);
  return reason;
}

static bool is_session_length(struct cedar_text value) {
  char text[64];
  int64_t seconds;

  if (value.len >= sizeof text)
    return false;
  memcpy(text, value.ptr, value.len);
  text[value.len] = '\0';
  return strlen(text) == value.len && cx_text_parse_duration(text, &seconds) && seconds > 0 &&
         seconds <= CX_SETTINGS_DURATION_MAX;
}

/* A typing error in @max_session must not lengthen sessions, so it is found at load. */
static enum cortex_reason check_annotations(const struct cortex_policy *policy,
                                            struct cortex_error *error) {
  uint32_t i, count = cedar_store_policy_count(policy->store);
  struct cedar_policy_info info;
  struct cedar_text value;
  char source[256];

  for (i = 0; i < count; i++) {
    if (!cedar_policy_annotation_get(policy->store, i, "max_session", &value) ||
        is_session_length(value) || !cedar_policy_get(policy->store, i, &info))
      continue;
    snprintf(source, sizeof source, "%.*s", (int)info.source.len, info.source.ptr);
    return cx_error_at(error, CORTEX_POLICY_UNAVAILABLE,
                       (struct cx_place){source, info.line, info.column},
                       "@max_session(\"%.*s\") is not a duration such as \"8h\"",
                       (int)(value.len < 64 ? value.len : 64), value.ptr);
  }
  return CORTEX_OK;
}

static enum cortex_reason seal(struct loader *loader) {
  struct cedar_error why = {0};

  if (cedar_store_seal(loader->policy->store, &why) != CEDAR_OK)
    return cx_policy_error(loader->error, CORTEX_POLICY_UNAVAILABLE, &why);
  cx_hash_hex(&loader->digest, loader->policy->digest);
  return CORTEX_OK;
}

static enum cortex_reason load_files(struct loader *loader,
                                     const struct cx_policy_settings *files) {
  enum cortex_reason reason;

  if (cedar_store_new(NULL, &loader->policy->store) != CEDAR_OK ||
      !cx_policy_expect(loader->policy->store))
    return cx_error_memory(loader->error);
  cx_hash_init(&loader->digest);
  reason = load_schema(loader, files->schema);
  if (reason == CORTEX_OK)
    reason = cx_folder_visit(files->path, load_policies, loader, loader->error);
  if (reason == CORTEX_OK && files->links != NULL)
    reason = load_file(loader, files->links, POLICY_FILE_MAX, add_links);
  if (reason == CORTEX_OK)
    reason = load_file(loader, files->entities, ENTITIES_FILE_MAX, add_entities);
  if (reason == CORTEX_OK)
    reason = seal(loader);
  if (reason == CORTEX_OK)
    reason = validate(loader);
  if (reason == CORTEX_OK)
    reason = check_annotations(loader->policy, loader->error);
  if (reason == CORTEX_OK)
    reason = cx_services_sort(loader->policy, loader->error);
  return reason;
}

static bool copy_rules(struct cortex_policy *policy, const struct cortex_settings *settings) {
  const struct cx_list *protected = &settings->roles.protected;
  size_t i;

  policy->assume = settings->roles.assume;
  policy->jit = settings->roles.jit;
  policy->session_max = settings->session.max;
  policy->session_default = settings->session.default_length;
  for (i = 0; i < protected->count; i++)
    if (!cx_list_append(&policy->protected, protected->items[i], strlen(protected->items[i])))
      return false;
  return true;
}

/* Nobody need have an image; one that is there, or is named, is meant to be used. */
static bool open_image(const struct cx_policy_settings *settings, struct cortex_policy *policy,
                       struct cortex_error *fault) {
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_image_state state = cx_image_open(settings, policy, &why);

  if (fault != NULL && state != CORTEX_IMAGE_CURRENT &&
      (state != CORTEX_IMAGE_ABSENT || settings->has_image))
    *fault = why;
  return state == CORTEX_IMAGE_CURRENT;
}

static enum cortex_reason load(const struct cortex_settings *settings, bool is_text,
                               struct cortex_policy **policy_out, struct cortex_error *fault,
                               struct cortex_error *error) {
  struct cortex_policy *policy = calloc(1, sizeof *policy);
  struct loader loader = {.policy = policy, .error = error};
  enum cortex_reason reason = CORTEX_INTERNAL;

  *policy_out = NULL;
  if (policy == NULL || !copy_rules(policy, settings)) {
    cx_error_memory(error);
    goto out;
  }
  reason = CORTEX_OK;
  if (is_text || !open_image(&settings->policy, policy, fault))
    reason = load_files(&loader, &settings->policy);
  if (reason != CORTEX_OK)
    goto out;
  *policy_out = policy;
  policy = NULL;
out:
  /* The code of schemas is not touched for nothing: with an image there is none. */
  if (loader.schema != NULL)
    cedar_schema_free(&loader.schema);
  cortex_policy_free(&policy);
  return reason;
}

enum cortex_reason cortex_policy_load(const struct cortex_settings *settings,
                                      struct cortex_policy **policy_out,
                                      struct cortex_error *error) {
  return load(settings, false, policy_out, NULL, error);
}

enum cortex_reason cx_policy_load(const struct cortex_settings *settings,
                                  struct cortex_policy **policy_out, struct cortex_error *fault,
                                  struct cortex_error *error) {
  return load(settings, false, policy_out, fault, error);
}

enum cortex_reason cortex_policy_load_text(const struct cortex_settings *settings,
                                           struct cortex_policy **policy_out,
                                           struct cortex_error *error) {
  return load(settings, true, policy_out, NULL, error);
}

bool cortex_policy_is_image(const struct cortex_policy *policy) {
  return policy->image != NULL;
}

void cortex_policy_free(struct cortex_policy **policy) {
  if (policy == NULL || *policy == NULL)
    return;
  cx_image_close(*policy);
  cedar_store_free(&(*policy)->store);
  free((*policy)->sorted);
  cx_list_clear(&(*policy)->protected);
  free(*policy);
  *policy = NULL;
}

enum cortex_reason cortex_policy_make_whole(const struct cortex_policy *policy,
                                            struct cortex_error *error) {
  if (cedar_store_make_whole(policy->store) && cx_image_is_good(policy))
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_POLICY_UNAVAILABLE,
                      "the policy image was written to while it was read");
}

const char *cortex_policy_digest(const struct cortex_policy *policy) {
  return policy->digest;
}

const struct cedar_store *cortex_policy_store(const struct cortex_policy *policy) {
  return policy->store;
}

size_t cortex_policy_count(const struct cortex_policy *policy) {
  return cedar_store_policy_count(policy->store);
}
