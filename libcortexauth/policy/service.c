/*
 * Services: which databases a login can reach, out of the entities.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

static enum cortex_reason refuse(const struct cortex_policy *policy, uint32_t index,
                                 const char *attribute, const char *what,
                                 struct cortex_error *error) {
  struct cedar_entity_info info;
  char source[256];

  if (!cedar_entity_get(policy->store, index, &info))
    return cx_error_memory(error);
  snprintf(source, sizeof source, "%.*s", (int)info.source.len, info.source.ptr);
  return cx_error_at(error, CORTEX_POLICY_UNAVAILABLE,
                     (struct cx_place){source, info.line, info.column},
                     "Service::\"%.*s\": the attribute \"%s\" %s", (int)info.uid.id.len,
                     info.uid.id.ptr, attribute, what);
}

/* A NUL inside would make the C string another name than the one the policy sees. */
static bool is_name(struct cedar_text text) {
  return text.len > 0 && memchr(text.ptr, '\0', text.len) == NULL;
}

/* A string attribute as a new C string; an absent one is left NULL when it is optional. */
static enum cortex_reason read_text(const struct cortex_policy *policy, uint32_t index,
                                    const char *name, bool required, const char **text_out,
                                    struct cortex_error *error) {
  struct cedar_value value;
  struct cedar_text text;

  *text_out = NULL;
  if (!cedar_entity_attr(policy->store, index, name, &value))
    return required ? refuse(policy, index, name, "is missing", error) : CORTEX_OK;
  if (!cedar_value_get_string(policy->store, value, &text) || !is_name(text))
    return refuse(policy, index, name, "is not a string with content", error);
  *text_out = cx_cedar_dup(text);
  return *text_out != NULL ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason read_port(const struct cortex_policy *policy, uint32_t index,
                                    int64_t *port_out, struct cortex_error *error) {
  struct cedar_value value;

  *port_out = 5432;
  if (!cedar_entity_attr(policy->store, index, "port", &value))
    return CORTEX_OK;
  if (!cedar_value_get_long(value, port_out) || *port_out < 1 || *port_out > 65535)
    return refuse(policy, index, "port", "is not a number from 1 to 65535", error);
  return CORTEX_OK;
}

static enum cortex_reason read_level(const struct cortex_policy *policy, uint32_t index,
                                     struct cedar_value roles, struct cx_list *list,
                                     struct cortex_error *error) {
  struct cedar_value role;
  struct cedar_text text;
  uint32_t i;

  if (cedar_value_kind(roles) != CEDAR_KIND_SET)
    return refuse(policy, index, "grants", "has a level that is not a set of role names", error);
  for (i = 0; cedar_value_element(policy->store, roles, i, &role); i++) {
    if (!cedar_value_get_string(policy->store, role, &text) || !is_name(text))
      return refuse(policy, index, "grants", "names a role that is not a string", error);
    if (!cx_list_append(list, text.ptr, text.len))
      return cx_error_memory(error);
  }
  return CORTEX_OK;
}

static enum cortex_reason read_grants(const struct cortex_policy *policy, uint32_t index,
                                      struct cx_service *service, struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_OK;
  struct cedar_value grants, roles;
  size_t i;

  if (!cedar_entity_attr(policy->store, index, "grants", &grants))
    return CORTEX_OK;
  if (cedar_value_kind(grants) != CEDAR_KIND_RECORD)
    return refuse(policy, index, "grants", "is not a record", error);
  for (i = 0; i < 3 && reason == CORTEX_OK; i++)
    if (cedar_value_field(policy->store, grants, cortex_level_name(1u << i), &roles))
      reason = read_level(policy, index, roles, &service->grants[i], error);
  return reason;
}

static enum cortex_reason read_service(const struct cortex_policy *policy, uint32_t index,
                                       struct cx_service *service, struct cortex_error *error) {
  struct cortex_service *plain = &service->plain;
  struct cedar_entity_info info;
  enum cortex_reason reason;

  if (!cedar_entity_get(policy->store, index, &info) ||
      (plain->name = cx_cedar_dup(info.uid.id)) == NULL)
    return cx_error_memory(error);
  reason = read_text(policy, index, "database", true, &plain->database, error);
  if (reason == CORTEX_OK)
    reason = read_text(policy, index, "environment", true, &plain->environment, error);
  if (reason == CORTEX_OK)
    reason = read_text(policy, index, "host", false, &plain->host, error);
  if (reason == CORTEX_OK)
    reason = read_text(policy, index, "audience", false, &plain->audience, error);
  if (reason == CORTEX_OK)
    reason = read_port(policy, index, &plain->port, error);
  if (reason == CORTEX_OK)
    reason = read_grants(policy, index, service, error);
  return reason;
}

static int by_name(const void *left, const void *right) {
  const struct cx_service *a = left, *b = right;

  return strcmp(a->plain.name, b->plain.name);
}

enum cortex_reason cx_services_read(struct cortex_policy *policy, struct cortex_error *error) {
  static const struct cedar_text type = {"Service", 7};
  enum cortex_reason reason = CORTEX_OK;
  uint32_t cursor = 0, index = 0;
  size_t count = 0;

  while (cedar_entity_next_of_type(policy->store, type, &cursor, &index))
    count++;
  policy->services = calloc(count + 1, sizeof *policy->services);
  if (policy->services == NULL)
    return cx_error_memory(error);
  cursor = 0;
  while (reason == CORTEX_OK && policy->service_count < count &&
         cedar_entity_next_of_type(policy->store, type, &cursor, &index))
    reason = read_service(policy, index, &policy->services[policy->service_count++], error);
  if (reason == CORTEX_OK)
    qsort(policy->services, policy->service_count, sizeof *policy->services, by_name);
  return reason;
}

void cx_services_clear(struct cortex_policy *policy) {
  size_t i, level;

  for (i = 0; i < policy->service_count; i++) {
    struct cortex_service *plain = &policy->services[i].plain;

    free((char *)plain->name);
    free((char *)plain->database);
    free((char *)plain->environment);
    free((char *)plain->host);
    free((char *)plain->audience);
    for (level = 0; level < 3; level++)
      cx_list_clear(&policy->services[i].grants[level]);
  }
  free(policy->services);
  policy->services = NULL;
  policy->service_count = 0;
}

const struct cx_service *cx_service_find(const struct cortex_policy *policy, const char *name) {
  struct cx_service key = {.plain = {.name = name}};

  return bsearch(&key, policy->services, policy->service_count, sizeof key, by_name);
}

size_t cortex_policy_service_count(const struct cortex_policy *policy) {
  return policy->service_count;
}

bool cortex_policy_service(const struct cortex_policy *policy, size_t index,
                           struct cortex_service *service_out) {
  if (index >= policy->service_count)
    return false;
  *service_out = policy->services[index].plain;
  return true;
}

bool cortex_policy_find_service(const struct cortex_policy *policy, const char *name,
                                struct cortex_service *service_out) {
  const struct cx_service *service = cx_service_find(policy, name);

  if (service == NULL)
    return false;
  *service_out = service->plain;
  return true;
}

const char *cortex_policy_grant(const struct cortex_policy *policy, const char *service,
                                enum cortex_level level, size_t index) {
  const struct cx_service *found = cx_service_find(policy, service);
  size_t i;

  for (i = 0; found != NULL && i < 3; i++)
    if ((unsigned)level == 1u << i && index < found->grants[i].count)
      return found->grants[i].items[index];
  return NULL;
}
