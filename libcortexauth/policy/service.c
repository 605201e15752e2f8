/*
 * Services: which databases a login can reach, read where they stand among the entities.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"

#define PORT_DEFAULT 5432

/* What is wrong with a service: the attribute and how; NULL when nothing is. */
struct fault {
  const char *attribute;
  const char *what;
};

/* A NUL inside would make the C string another name than the one the policy sees. */
static bool is_name(struct cedar_text text) {
  return text.len > 0 && memchr(text.ptr, '\0', text.len) == NULL;
}

/* A string attribute, which the store ends with a NUL; an optional one that is absent is NULL. */
static bool read_text(const struct cedar_store *store, uint32_t index, const char *name,
                      bool required, const char **text_out, struct fault *fault) {
  struct cedar_value value;
  struct cedar_text text;

  *text_out = NULL;
  fault->attribute = name;
  if (!cedar_entity_attr(store, index, name, &value)) {
    fault->what = "is missing";
    return !required;
  }
  fault->what = "is not a string with content";
  if (!cedar_value_get_string(store, value, &text) || !is_name(text))
    return false;
  *text_out = text.ptr;
  return true;
}

/* A schema of the operator's own may let it be absent. */
static bool read_host(const struct cedar_store *store, uint32_t index, const char **host_out,
                      struct fault *fault) {
  bool fine = read_text(store, index, "host", false, host_out, fault);

  if (*host_out == NULL)
    *host_out = "";
  return fine;
}

static bool read_port(const struct cedar_store *store, uint32_t index, int64_t *port_out,
                      struct fault *fault) {
  struct cedar_value value;

  *port_out = PORT_DEFAULT;
  *fault = (struct fault){"port", "is not a number from 1 to 65535"};
  return !cedar_entity_attr(store, index, "port", &value) ||
         (cedar_value_get_long(value, port_out) && *port_out >= 1 && *port_out <= 65535);
}

static bool read_service(const struct cedar_store *store, uint32_t index,
                         struct cortex_service *service_out, struct fault *fault) {
  struct cedar_entity_info info;

  *fault = (struct fault){"name", "is not a string with content"};
  if (!cedar_entity_get(store, index, &info) || info.uid.id.ptr == NULL || !is_name(info.uid.id))
    return false;
  service_out->name = info.uid.id.ptr;
  return read_text(store, index, "database", true, &service_out->database, fault) &&
         read_text(store, index, "environment", true, &service_out->environment, fault) &&
         read_host(store, index, &service_out->host, fault) &&
         read_text(store, index, "audience", false, &service_out->audience, fault) &&
         read_port(store, index, &service_out->port, fault);
}

/* The set of roles that a level grants; kind NONE when there is none. */
static struct cedar_value roles_of(const struct cedar_store *store, uint32_t index,
                                   unsigned level) {
  struct cedar_value grants, roles;

  if (!cedar_entity_attr(store, index, "grants", &grants) ||
      !cedar_value_field(store, grants, cortex_level_name(level), &roles))
    memset(&roles, 0, sizeof roles);
  return roles;
}

static const char *role_at(const struct cedar_store *store, struct cedar_value roles,
                           uint32_t position) {
  struct cedar_value role;
  struct cedar_text text;

  if (!cedar_value_element(store, roles, position, &role) ||
      !cedar_value_get_string(store, role, &text) || !is_name(text))
    return NULL;
  return text.ptr;
}

static bool check_grants(const struct cedar_store *store, uint32_t index, struct fault *fault) {
  struct cedar_value grants, roles;
  uint32_t i, count;
  unsigned level;

  *fault = (struct fault){"grants", "is not a record"};
  if (cedar_entity_attr(store, index, "grants", &grants) &&
      cedar_value_kind(grants) != CEDAR_KIND_RECORD)
    return false;
  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ADMIN; level <<= 1) {
    roles = roles_of(store, index, level);
    fault->what = "has a level that is not a set of role names";
    if (cedar_value_kind(roles) != CEDAR_KIND_NONE && cedar_value_kind(roles) != CEDAR_KIND_SET)
      return false;
    fault->what = "names a role that is not a string";
    for (i = 0, count = cedar_value_count(roles); i < count; i++)
      if (role_at(store, roles, i) == NULL)
        return false;
  }
  return true;
}

static enum cortex_reason refuse(const struct cedar_store *store, uint32_t index,
                                 const struct fault *fault, struct cortex_error *error) {
  struct cedar_entity_info info;
  char source[256];

  if (!cedar_entity_get(store, index, &info))
    return cx_error_memory(error);
  snprintf(source, sizeof source, "%.*s", (int)info.source.len, info.source.ptr);
  return cx_error_at(error, CORTEX_POLICY_UNAVAILABLE,
                     (struct cx_place){source, info.line, info.column},
                     "Service::\"%.*s\": the attribute \"%s\" %s", (int)info.uid.id.len,
                     info.uid.id.ptr, fault->attribute, fault->what);
}

struct named {
  const char *name;
  uint32_t index;
};

static int by_name(const void *left, const void *right) {
  const struct named *a = left, *b = right;

  return strcmp(a->name, b->name);
}

static const struct cedar_text service_type = {"Service", 7};

static enum cortex_reason collect(const struct cedar_store *store, struct named *found,
                                  size_t count, struct cortex_error *error) {
  uint32_t cursor = 0, index = 0;
  struct cortex_service service;
  struct fault fault;
  size_t i;

  for (i = 0; i < count && cedar_entity_next_of_type(store, service_type, &cursor, &index); i++) {
    if (!read_service(store, index, &service, &fault) || !check_grants(store, index, &fault))
      return refuse(store, index, &fault, error);
    found[i] = (struct named){service.name, index};
  }
  return CORTEX_OK;
}

enum cortex_reason cx_services_sort(struct cortex_policy *policy, struct cortex_error *error) {
  const struct cedar_store *store = policy->store;
  uint32_t cursor = 0, index, *order;
  size_t count = 0, i;
  enum cortex_reason reason;
  struct named *found;

  while (cedar_entity_next_of_type(store, service_type, &cursor, &index))
    count++;
  found = calloc(count + 1, sizeof *found);
  order = calloc(count + 1, sizeof *order);
  reason =
      found != NULL && order != NULL ? collect(store, found, count, error) : cx_error_memory(error);
  if (reason == CORTEX_OK) {
    qsort(found, count, sizeof *found, by_name);
    for (i = 0; i < count; i++)
      order[i] = found[i].index;
    policy->sorted = order;
    policy->service_count = count;
    order = NULL;
  }
  free(order);
  free(found);
  return reason;
}

size_t cortex_policy_service_count(const struct cortex_policy *policy) {
  return policy->service_count;
}

/* The entity of a service by its place among the names; false past the end. */
static bool entity_at(const struct cortex_policy *policy, size_t index, uint32_t *entity_out) {
  if (index >= policy->service_count)
    return false;
  if (policy->sorted == NULL)
    return cx_image_service(policy, index, entity_out);
  *entity_out = policy->sorted[index];
  return true;
}

bool cortex_policy_service(const struct cortex_policy *policy, size_t index,
                           struct cortex_service *service_out) {
  struct fault fault;
  uint32_t entity;

  return entity_at(policy, index, &entity) &&
         read_service(policy->store, entity, service_out, &fault);
}

const char *cx_service_name(const struct cortex_policy *policy, size_t index) {
  struct cedar_entity_info info;
  uint32_t entity;

  return entity_at(policy, index, &entity) && cedar_entity_get(policy->store, entity, &info) &&
                 info.uid.id.ptr != NULL
             ? info.uid.id.ptr
             : "";
}

static bool find(const struct cortex_policy *policy, const char *name, uint32_t *index_out) {
  return cedar_entity_find(policy->store,
                           (struct cedar_uid_text){service_type, cx_cedar_text(name)}, index_out);
}

bool cortex_policy_find_service(const struct cortex_policy *policy, const char *name,
                                struct cortex_service *service_out) {
  struct fault fault;
  uint32_t index;

  return find(policy, name, &index) && read_service(policy->store, index, service_out, &fault);
}

const char *cx_service_database(const struct cortex_policy *policy, const char *name) {
  const char *database;
  struct fault fault;
  uint32_t index;

  return find(policy, name, &index) &&
                 read_text(policy->store, index, "database", true, &database, &fault)
             ? database
             : NULL;
}

const char *cortex_policy_grant(const struct cortex_policy *policy, const char *service,
                                enum cortex_level level, size_t index) {
  const char *role;
  uint32_t entity;

  if (level < CORTEX_LEVEL_READ || level > CORTEX_LEVEL_ADMIN || index > UINT32_MAX ||
      !find(policy, service, &entity))
    return NULL;
  role = role_at(policy->store, roles_of(policy->store, entity, level), (uint32_t)index);
  return cx_image_is_good(policy) ? role : NULL;
}
