/*
 * The grants' part of cortexctl check: levels without a role, roles that stand for two levels.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check_scope.h"

#include <string.h>

/* A policy whose scope, conditions aside, permits the level on the service; false: none. */
static bool find_permit(const struct check_entity *service, const char *level,
                        struct cedar_policy_info *info_out) {
  uint32_t i, count = cedar_store_policy_count(service->store);
  bool found = false;

  for (i = 0; i < count && !found; i++) {
    json_t *policy = NULL;

    if (cedar_policy_get(service->store, i, info_out) && info_out->effect == CEDAR_PERMIT)
      policy = check_scope_read(service->store, i);
    found = policy != NULL && check_scope_has_action(policy, level) &&
            check_scope_has_resource(policy, service);
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
