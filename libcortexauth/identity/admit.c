/*
 * The rules of a login that concern names: namespaces, role names, protection.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "identity/role.h"
#include "util/error.h"

static const struct cx_naming *naming_of(const struct cortex_settings *settings, size_t index) {
  return cx_issuer_naming(&settings->issuers[index]);
}

static bool has_same_namespace(const struct cx_naming *left, const struct cx_naming *right) {
  if (left->namespace == NULL || right->namespace == NULL)
    return left->namespace == right->namespace;
  return strcmp(left->namespace, right->namespace) == 0;
}

/* Two issuers that name people alike can pass one person's role to another: both must agree. */
static enum cortex_reason check_sharing(const struct cortex_settings *settings, size_t own,
                                        struct cortex_error *error) {
  const struct cx_naming *naming = naming_of(settings, own);
  size_t i;

  for (i = 0; i < settings->issuer_count; i++) {
    const struct cx_naming *other = naming_of(settings, i);

    if (i == own || !has_same_namespace(naming, other) ||
        (naming->shared_names && other->shared_names))
      continue;
    return cx_error_at(error, CORTEX_CONFIG_INVALID,
                       (struct cx_place){settings->name, settings->issuers[own].line, 0},
                       "the issuers \"%s\" and \"%s\" have the same namespace and do not both "
                       "say shared_names = yes",
                       settings->issuers[own].label, settings->issuers[i].label);
  }
  return CORTEX_OK;
}

static bool put_before(char **name, const char *namespace, char separator) {
  size_t head = strlen(namespace), len = strlen(*name);
  char *whole = malloc(head + 1 + len + 1);

  if (whole == NULL)
    return false;
  memcpy(whole, namespace, head);
  whole[head] = separator;
  memcpy(whole + head + 1, *name, len + 1);
  free(*name);
  *name = whole;
  return true;
}

static enum cortex_reason apply_namespace(struct cortex_identity *identity, const char *namespace,
                                          struct cortex_error *error) {
  size_t i;

  if (namespace == NULL)
    return CORTEX_OK;
  if (!put_before(&identity->username, namespace, '.'))
    return cx_error_memory(error);
  for (i = 0; i < identity->groups.count; i++)
    if (!put_before(&identity->groups.items[i], namespace, '/'))
      return cx_error_memory(error);
  return CORTEX_OK;
}

static bool begins_with(const char *name, const char *namespace, char separator) {
  size_t len = strlen(namespace);

  return strncmp(name, namespace, len) == 0 && name[len] == separator;
}

/* A name that another issuer's namespace would have made is not this issuer's to give. */
static enum cortex_reason check_conflicts(const struct cortex_identity *identity,
                                          const struct cortex_settings *settings, size_t own,
                                          struct cortex_error *error) {
  const struct cx_naming *naming = naming_of(settings, own);
  size_t i, j;

  for (i = 0; i < settings->issuer_count; i++) {
    const struct cx_naming *other = naming_of(settings, i);

    if (other->namespace == NULL || has_same_namespace(naming, other))
      continue;
    if (begins_with(identity->username, other->namespace, '.'))
      return cx_error_set(error, CORTEX_NAME_CONFLICT,
                          "the username begins with the namespace of the issuer \"%s\"",
                          settings->issuers[i].label);
    for (j = 0; j < identity->groups.count; j++)
      if (begins_with(identity->groups.items[j], other->namespace, '/'))
        return cx_error_set(error, CORTEX_NAME_CONFLICT,
                            "a group begins with the namespace of the issuer \"%s\"",
                            settings->issuers[i].label);
  }
  return CORTEX_OK;
}

static enum cortex_reason apply_issuer(struct cortex_identity *identity,
                                       const struct cortex_settings *settings,
                                       struct cortex_error *error) {
  enum cortex_reason reason;
  size_t own;

  for (own = 0; own < settings->issuer_count; own++)
    if (identity->label != NULL && strcmp(settings->issuers[own].label, identity->label) == 0)
      break;
  if (own == settings->issuer_count)
    return CORTEX_OK; /* nobody proved it: names are taken as they are */
  reason = check_sharing(settings, own, error);
  if (reason == CORTEX_OK)
    reason = apply_namespace(identity, naming_of(settings, own)->namespace, error);
  if (reason == CORTEX_OK)
    reason = check_conflicts(identity, settings, own, error);
  return reason;
}

enum cortex_reason cortex_identity_admit(struct cortex_identity *identity,
                                         const struct cortex_settings *settings,
                                         struct cortex_error *error) {
  enum cortex_reason reason = apply_issuer(identity, settings, error);

  if (reason == CORTEX_OK)
    reason = cx_role_check(identity->username, &settings->roles.protected, error);
  if (reason == CORTEX_OK && identity->groups_overage)
    reason = cx_error_set(error, CORTEX_GROUPS_OVERAGE,
                          "the token leaves its groups out because there are too many: let the "
                          "issuer send only the groups assigned to this application");
  return reason;
}
