/*
 * The scope of a policy, read from its JSON form: which level and which service it can fit.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check_scope.h"

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
bool check_scope_has_action(const json_t *policy, const char *level) {
  const json_t *scope = json_object_get(policy, "action");
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
bool check_scope_has_resource(const json_t *policy, const struct check_entity *service) {
  const json_t *scope = json_object_get(policy, "resource");
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

bool check_scope_named_resource(const json_t *policy, const char **type_out, const char **id_out) {
  const json_t *scope = json_object_get(policy, "resource");
  const json_t *within = json_object_get(scope, "in");
  const json_t *entity = json_object_get(within != NULL ? within : scope, "entity");

  *type_out = json_string_value(json_object_get(entity, "type"));
  *id_out = json_string_value(json_object_get(entity, "id"));
  return *type_out != NULL && *id_out != NULL;
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

json_t *check_scope_read(const struct cedar_store *store, uint32_t index) {
  struct cedar_policy_info info;
  struct text_sink text = {NULL, 0};
  const struct cedar_sink sink = {put_bytes, &text};
  json_t *policy = NULL;

  if (cedar_policy_get(store, index, &info) && info.kind != CEDAR_POLICY_TEMPLATE &&
      cedar_policy_print_json(store, index, &sink) == CEDAR_OK)
    policy = json_loadb(text.bytes, text.len, JSON_ALLOW_NUL, NULL);
  free(text.bytes);
  return policy;
}
