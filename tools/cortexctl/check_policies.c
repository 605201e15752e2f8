/*
 * The policies' part of cortexctl check: annotations that are nearly one of those that count,
 * resources that no service is or is in.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check_scope.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static size_t same_start(const char *a, const char *b) {
  size_t n = 0;

  while (a[n] != '\0' && a[n] == b[n])
    n++;
  return n;
}

/* One letter more, less, other or changed places with the next; or another letter case alone. */
static bool is_nearly(const char *text, const char *word) {
  size_t at = same_start(text, word), left = strlen(text) - at, right = strlen(word) - at;

  text += at;
  word += at;
  if (left == right && left > 1 && text[0] == word[1] && text[1] == word[0])
    return strcmp(text + 2, word + 2) == 0;
  return strcmp(text + (left > 0 && left >= right), word + (right > 0 && right >= left)) == 0 ||
         strcasecmp(text, word) == 0;
}

static struct check_place place_of(const struct cedar_policy_info *policy, char source[static 256]) {
  snprintf(source, 256, "%.*s", (int)policy->source.len, policy->source.ptr);
  return (struct check_place){source, policy->line, policy->column};
}

static void check_annotation(struct check *check, const struct cedar_policy_info *policy,
                             struct cedar_text key) {
  static const char *const known[] = {"max_session", "reason"};
  char name[32], source[256];
  size_t i;

  if (snprintf(name, sizeof name, "%.*s", (int)key.len, key.ptr) >= (int)sizeof name)
    return;
  for (i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(name, known[i]) != 0 && is_nearly(name, known[i]))
      check_find(check, CHECK_ANNOTATION_UNKNOWN, place_of(policy, source),
                 "policy \"%.*s\": the annotation @%s has no effect; @%s has", (int)policy->id.len,
                 policy->id.ptr, name, known[i]);
}

/* Where there is none at all, that is what is found. */
static bool fits_a_service(const struct check *check, const json_t *scope) {
  struct cortex_service service;
  struct check_entity entity;
  size_t i;

  for (i = 0; cortex_policy_service(check->policy, i, &service); i++)
    if (check_entity_find(check, service.name, &entity) && check_scope_has_resource(scope, &entity))
      return true;
  return i == 0;
}

/* Roles need not be described: the service of their name says what they are in. */
static void check_resource(struct check *check, const struct cedar_policy_info *policy,
                           uint32_t index) {
  json_t *scope = check_scope_read(cortex_policy_store(check->policy), index);
  const char *type, *id;
  char source[256];

  if (check_scope_named_resource(scope, &type, &id) && strcmp(type, "Role") != 0 &&
      !fits_a_service(check, scope))
    check_find(check, CHECK_RESOURCE_UNKNOWN, place_of(policy, source),
               "policy \"%.*s\": no service of the entities file is %s::\"%s\", or in it",
               (int)policy->id.len, policy->id.ptr, type, id);
  json_decref(scope);
}

void check_policies(struct check *check) {
  const struct cedar_store *store = cortex_policy_store(check->policy);
  struct cedar_policy_info policy;
  struct cedar_text key, value;
  uint32_t i, j;

  for (i = 0; cedar_policy_get(store, i, &policy); i++) {
    check_resource(check, &policy, i);
    for (j = 0;
         policy.kind != CEDAR_POLICY_LINK && cedar_policy_annotation_at(store, i, j, &key, &value);
         j++)
      check_annotation(check, &policy, key);
  }
}
