/*
 * The services' part of cortexctl check: entities against each other, policies and issuers.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check_entity.h"

#include <stdio.h>
#include <string.h>

#include <cortexauth/identity.h>

static struct cedar_text text_of(const char *text) {
  return (struct cedar_text){text, strlen(text)};
}

bool check_is_text(struct cedar_text text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

bool check_entity_find(const struct check *check, const char *service,
                       struct check_entity *entity_out) {
  const struct cedar_uid_text uid = {text_of("Service"), text_of(service)};

  entity_out->store = cortex_policy_store(check->policy);
  if (!cedar_entity_find(entity_out->store, uid, &entity_out->index) ||
      !cedar_entity_get(entity_out->store, entity_out->index, &entity_out->info))
    return false;
  snprintf(entity_out->source, sizeof entity_out->source, "%.*s", (int)entity_out->info.source.len,
           entity_out->info.source.ptr);
  return true;
}

struct check_place check_entity_place(const struct check_entity *entity) {
  return (struct check_place){entity->source, entity->info.line, entity->info.column};
}

/* ---- names ---- */

#define NAME_MAX_LEN 63 /* bytes: NAMEDATALEN - 1 */

static void check_length(struct check *check, const struct cortex_service *service,
                         const struct check_entity *entity, const char *what, const char *name) {
  if (strlen(name) > NAME_MAX_LEN)
    check_find(check, CHECK_NAME_LONG, check_entity_place(entity),
               "Service::\"%s\": the %s \"%s\" has %zu bytes, and PostgreSQL's names have up to %d",
               service->name, what, name, strlen(name), NAME_MAX_LEN);
}

enum cortex_reason check_role_name(const struct cortex_settings *settings, const char *name,
                                   struct cortex_error *why) {
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = cortex_identity_claim(name, NULL, 0, &identity, why);

  if (reason == CORTEX_OK && settings != NULL)
    reason = cortex_identity_admit(identity, settings, why);
  cortex_identity_free(&identity);
  return reason;
}

static void check_role(struct check *check, const struct cortex_service *service,
                       const struct check_entity *entity, const char *role) {
  struct cortex_error why = CORTEX_ERROR_NONE;

  check_length(check, service, entity, "role", role);
  if (strlen(role) <= NAME_MAX_LEN && check_role_name(check->settings, role, &why) != CORTEX_OK)
    check_find(check, CHECK_GRANT_PROTECTED, check_entity_place(entity),
               "Service::\"%s\" grants the role \"%s\", which Cortex gives nobody: %s",
               service->name, role, why.message);
}

static void check_names(struct check *check, const struct cortex_service *service,
                        const struct check_entity *entity) {
  const char *role;
  unsigned level;
  size_t i;

  check_length(check, service, entity, "database", service->database);
  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ADMIN; level <<= 1)
    for (i = 0; (role = cortex_policy_grant(check->policy, service->name, (enum cortex_level)level,
                                            i)) != NULL;
         i++)
      check_role(check, service, entity, role);
}

/* ---- environments ---- */

static void check_environment(struct check *check, const struct cortex_service *service,
                              const struct check_entity *entity) {
  struct cedar_uid_text parent;
  bool has_parent = false;
  uint32_t i;

  for (i = 0; cedar_entity_ancestor_at(entity->store, entity->index, i, &parent); i++) {
    if (!check_is_text(parent.type, "Environment"))
      continue;
    has_parent = true;
    if (!check_is_text(parent.id, service->environment))
      check_find(check, CHECK_ENVIRONMENT_DIFFERS, check_entity_place(entity),
                 "Service::\"%s\": the attribute environment is \"%s\", but it is in "
                 "Environment::\"%.*s\"",
                 service->name, service->environment, (int)parent.id.len, parent.id.ptr);
  }
  if (!has_parent)
    check_find(check, CHECK_ENVIRONMENT_NONE, check_entity_place(entity),
               "Service::\"%s\" is in no Environment: policies that ask for one do not fit it",
               service->name);
}

/* ---- audiences ---- */

/* A token for one environment would open the other. */
static void check_shared_audience(struct check *check, size_t own,
                                  const struct cortex_service *service,
                                  const struct check_entity *entity) {
  struct cortex_service other;
  size_t i;

  for (i = 0; i < own && cortex_policy_service(check->policy, i, &other); i++)
    if (other.audience != NULL && strcmp(other.audience, service->audience) == 0 &&
        strcmp(other.environment, service->environment) != 0)
      check_find(check, CHECK_AUDIENCE_SHARED, check_entity_place(entity),
                 "Service::\"%s\" (%s) and Service::\"%s\" (%s) share the audience \"%s\": a "
                 "token for one environment fits the other",
                 service->name, service->environment, other.name, other.environment,
                 service->audience);
}

/* Lists come with a newline between items. */
static bool has_item(const char *list, const char *item) {
  size_t len = strlen(item);

  while (list != NULL) {
    if (strncmp(list, item, len) == 0 && (list[len] == '\0' || list[len] == '\n'))
      return true;
    list = strchr(list, '\n');
    list = list != NULL ? list + 1 : NULL;
  }
  return false;
}

static void check_accepted_audience(struct check *check, const struct cortex_service *service,
                                    const struct check_entity *entity) {
  const struct cortex_issuer *issuer;
  size_t i;

  for (i = 0; (issuer = cortex_settings_issuer(check->settings, i)) != NULL; i++)
    if (has_item(cortex_issuer_value(issuer, "audience"), service->audience) ||
        has_item(cortex_issuer_value(issuer, "sp_entity_id"), service->audience))
      return;
  check_find(check, CHECK_AUDIENCE_UNACCEPTED, check_entity_place(entity),
             "Service::\"%s\": no issuer accepts the audience \"%s\"", service->name,
             service->audience);
}

void check_services(struct check *check) {
  struct cortex_service service;
  struct check_entity entity;
  size_t i;

  if (cortex_policy_count(check->policy) == 0)
    check_find(check, CHECK_POLICY_NONE, check_key_place(check, "policy", "path"),
               "its files hold no policy: nobody can log in");
  if (cortex_policy_service_count(check->policy) == 0)
    check_find(check, CHECK_SERVICE_NONE, check_key_place(check, "policy", "entities"),
               "the entities file describes no Service: nobody can log in");
  for (i = 0; cortex_policy_service(check->policy, i, &service); i++) {
    if (!check_entity_find(check, service.name, &entity))
      continue;
    check_names(check, &service, &entity);
    check_environment(check, &service, &entity);
    if (service.audience != NULL) {
      check_shared_audience(check, i, &service, &entity);
      check_accepted_audience(check, &service, &entity);
    }
    check_grants(check, i, &service, &entity);
  }
}
