/*
 * The grants' part of cortexctl check: levels that a policy permits and no role stands for.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check_entity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct cedar_text text_of(const char *text) {
  return (struct cedar_text){text, strlen(text)};
}

static bool is_entity(const json_t *entity, struct cedar_text type, struct cedar_text id) {
  const char *its_type = json_string_value(json_object_get(entity, "type"));
  const char *its_id = json_string_value(json_object_get(entity, "id"));

  return its_type != NULL && its_id != NULL && check_is_text(type, its_type) &&
         check_is_text(id, its_id);
}

/* An action scope in the JSON policy format: All, ==, in. */
static bool fits_action(const json_t *scope, const char *level) {
  const struct cedar_text type = text_of("Action"), id = text_of(level);
  const char *operator= json_string_value(json_object_get(scope, "op"));
  const json_t *entity;
  size_t i;

  if (operator== NULL || strcmp(operator, "All") == 0)
    return true;
  if (is_entity(json_object_get(scope, "entity"), type, id))
    return true;
  json_array_foreach(json_object_get(scope, "entities"), i, entity) {
    if (is_entity(entity, type, id))
      return true;
  }
  return false;
}

static bool is_within(const struct check_entity *service, const json_t *entity) {
  struct cedar_uid_text ancestor;
  uint32_t i;

  if (is_entity(entity, service->info.uid.type, service->info.uid.id))
    return true;
  for (i = 0; cedar_entity_ancestor_at(service->store, service->index, i, &ancestor); i++)
    if (is_entity(entity, ancestor.type, ancestor.id))
      return true;
  return false;
}

/* A resource scope: All, ==, in, is, is .. in. */
static bool fits_resource(const json_t *scope, const struct check_entity *service) {
  const char *operator= json_string_value(json_object_get(scope, "op"));
  const char *type = json_string_value(json_object_get(scope, "entity_type"));
  const json_t *within = json_object_get(scope, "in");

  if (operator== NULL || strcmp(operator, "All") == 0)
    return true;
  if (strcmp(operator, "==") == 0)
    return is_entity(json_object_get(scope, "entity"), service->info.uid.type,
                     service->info.uid.id);
  if (strcmp(operator, "in") == 0)
    return is_within(service, json_object_get(scope, "entity"));
  return type != NULL && check_is_text(service->info.uid.type, type) &&
         (within == NULL || is_within(service, json_object_get(within, "entity")));
}

struct text_sink {
  char *bytes;
  size_t len;
};

static bool put_bytes(void *context, const char *bytes, size_t len) {
  struct text_sink *text = context;
  char *grown = realloc(text->bytes, text->len + len + 1);

  if (grown == NULL)
    return false;
  memcpy(grown + text->len, bytes, len);
  text->bytes = grown;
  text->len += len;
  return true;
}

/* The policy in the JSON format, which shows its scope; NULL for what never permits. */
static json_t *read_permit(const struct cedar_store *store, uint32_t index) {
  struct cedar_policy_info info;
  struct text_sink text = {NULL, 0};
  const struct cedar_sink sink = {put_bytes, &text};
  json_t *policy = NULL;

  if (cedar_policy_get(store, index, &info) && info.effect == CEDAR_PERMIT &&
      info.kind != CEDAR_POLICY_TEMPLATE &&
      cedar_policy_print_json(store, index, &sink) == CEDAR_OK)
    policy = json_loadb(text.bytes, text.len, JSON_ALLOW_NUL, NULL);
  free(text.bytes);
  return policy;
}

/* A policy whose scope, conditions aside, permits the level on the service; false: none. */
static bool find_permit(const struct check_entity *service, const char *level,
                        struct cedar_policy_info *info_out) {
  uint32_t i, count = cedar_store_policy_count(service->store);
  bool found = false;

  for (i = 0; i < count && !found; i++) {
    json_t *policy = read_permit(service->store, i);

    found = policy != NULL && fits_action(json_object_get(policy, "action"), level) &&
            fits_resource(json_object_get(policy, "resource"), service) &&
            cedar_policy_get(service->store, i, info_out);
    json_decref(policy);
  }
  return found;
}

void check_grants(struct check *check, const struct cortex_service *service,
                  const struct check_entity *entity) {
  static const enum cortex_level levels[] = {CORTEX_LEVEL_READ, CORTEX_LEVEL_WRITE,
                                             CORTEX_LEVEL_ADMIN};
  struct cedar_policy_info permit;
  size_t i;

  for (i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    const char *level = cortex_level_name(levels[i]);

    if (cortex_policy_grant(check->policy, service->name, levels[i], 0) == NULL &&
        find_permit(entity, level, &permit))
      check_find(check, CHECK_GRANT_MISSING, check_entity_place(entity),
                 "Service::\"%s\": the level %s has no roles in grants, though the policy "
                 "\"%.*s\" (%.*s:%u) permits it",
                 service->name, level, (int)permit.id.len, permit.id.ptr, (int)permit.source.len,
                 permit.source.ptr, (unsigned)permit.line);
  }
}
