/*
 * The grants' part of cortexctl check: levels without a role, roles that stand for two levels.
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

static const enum cortex_level levels[] = {CORTEX_LEVEL_READ, CORTEX_LEVEL_WRITE,
                                           CORTEX_LEVEL_ADMIN};
#define LEVELS (sizeof levels / sizeof levels[0])

static void check_missing(struct check *check, const struct cortex_service *service,
                          const struct check_entity *entity) {
  struct cedar_policy_info permit;
  size_t i;

  for (i = 0; i < LEVELS; i++) {
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

/* ---- roles of two services ---- */

/* The lowest level that grants the role: whoever has that has the role. NULL: none does. */
static const char *level_of(const struct check *check, const char *service, const char *role) {
  const char *granted;
  size_t i, j;

  for (i = 0; i < LEVELS; i++)
    for (j = 0; (granted = cortex_policy_grant(check->policy, service, levels[i], j)) != NULL; j++)
      if (strcmp(granted, role) == 0)
        return cortex_level_name(levels[i]);
  return NULL;
}

static void compare_role(struct check *check, const struct cortex_service *service,
                         const struct cortex_service *other, const char *role,
                         const struct check_entity *entity) {
  const char *here = level_of(check, service->name, role);
  const char *there = level_of(check, other->name, role);

  if (there != NULL && strcmp(here, there) != 0)
    check_find(check, CHECK_GRANT_SHARED, check_entity_place(entity),
               "Service::\"%s\": the role \"%s\" stands for the level %s, and for %s in "
               "Service::\"%s\" on the same server",
               service->name, role, here, there, other->name);
}

/* Memberships are those of a role on the whole server, whatever service they came by. */
static void check_shared(struct check *check, size_t own, const struct cortex_service *service,
                         const struct check_entity *entity) {
  struct cortex_service other;
  const char *role;
  size_t i, j, k;

  for (i = 0; i < own && cortex_policy_service(check->policy, i, &other); i++) {
    if (strcmp(other.host, service->host) != 0 || other.port != service->port)
      continue;
    for (j = 0; j < LEVELS; j++)
      for (k = 0; (role = cortex_policy_grant(check->policy, service->name, levels[j], k)) != NULL;
           k++)
        if (level_of(check, service->name, role) == cortex_level_name(levels[j]))
          compare_role(check, service, &other, role, entity);
  }
}

void check_grants(struct check *check, size_t own, const struct cortex_service *service,
                  const struct check_entity *entity) {
  check_missing(check, service, entity);
  check_shared(check, own, service, entity);
}
