/*
 * What the configuration itself wants: roles that come from no directory, and attributes.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX 4096

/* Keys of a section that are attributes of its roles. */
static const char *const attribute_keys[] = {"comment", "inherit", "connection_limit",
                                             "valid_until"};

struct rule {
  const struct cortex_settings *settings;
  const struct cortex_section *section;
  struct model *model;
  uint32_t source; /* why memberships of it are: in model.sources */
};

static const char *value_of(const struct rule *rule, const char *key) {
  return cortex_section_value(rule->section, key);
}

enum cortex_reason rules_check_name(const struct cortex_settings *settings, const char *name,
                                    struct cortex_error *why) {
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = cortex_identity_claim(name, NULL, 0, &identity, why);

  if (reason == CORTEX_OK)
    reason = cortex_identity_admit(identity, settings, why);
  cortex_identity_free(&identity);
  return reason;
}

static bool reject(struct model *model, const char *name, const char *why) {
  rejections_put(&model->rejections, name, why);
  return !model->rejections.failed;
}

bool rules_want_group(const struct cortex_settings *settings, struct model *model,
                      const char *name, uint32_t *role_out) {
  struct cortex_error why = CORTEX_ERROR_NONE;
  uint32_t role = names_find(&model->names, name, strlen(name));

  *role_out = NAMES_NONE;
  if (role != NAMES_NONE && model->roles[role].wish == WISH_LOGIN)
    return reject(model, name, "a [role] section makes a login role of this name");
  if (role == NAMES_NONE || model->roles[role].wish == WISH_NONE) {
    if (rules_check_name(settings, name, &why) != CORTEX_OK)
      return reject(model, name, why.message);
    role = model_role(model, name, strlen(name));
    if (role == NAMES_NONE)
      return false;
    model->roles[role].wish = WISH_GROUP;
  }
  *role_out = role;
  return true;
}

/* A login of the configuration: as a person's, from a directory that is never away. */
static bool want_login(const struct rule *rule, const char *name, uint32_t *role_out) {
  struct model *model = rule->model;
  struct cortex_error why = CORTEX_ERROR_NONE;
  uint32_t role = names_find(&model->names, name, strlen(name));

  *role_out = NAMES_NONE;
  if (role != NAMES_NONE && model->roles[role].wish != WISH_NONE)
    return reject(model, name, "a service grants a role of this name, or another rule makes it");
  if (rules_check_name(rule->settings, name, &why) != CORTEX_OK)
    return reject(model, name, why.message);
  role = model_role(model, name, strlen(name));
  if (role == NAMES_NONE)
    return false;
  model->roles[role].wish = WISH_LOGIN;
  model->roles[role].label = names_find(&model->labels, RULES_LABEL, strlen(RULES_LABEL));
  *role_out = role;
  return true;
}

/* ---- attributes ---- */

static bool put_attribute(const struct rule *rule, uint32_t role, const char *key,
                          const char *value) {
  struct model *model = rule->model;
  struct attribute attribute = {.role = role, .have = NAMES_NONE};

  attribute.key = names_put(&model->words, key, strlen(key));
  attribute.value = names_put(&model->words, value, strlen(value));
  if (attribute.key == NAMES_NONE || attribute.value == NAMES_NONE)
    return false;
  attributes_put(&model->attributes, attribute);
  return !model->attributes.failed;
}

static bool put_attributes(const struct rule *rule, uint32_t role) {
  char key[80];
  const char *value;
  size_t i, cursor = 0;

  for (i = 0; i < sizeof attribute_keys / sizeof attribute_keys[0]; i++) {
    value = value_of(rule, attribute_keys[i]);
    if (value != NULL && !put_attribute(rule, role, attribute_keys[i], value))
      return false;
  }
  while ((value = cortex_section_next(rule->section, "set", &cursor)) != NULL) {
    snprintf(key, sizeof key, "set.%.*s", (int)strcspn(value, "="), value);
    if (!put_attribute(rule, role, key, strchr(value, '=') + 1))
      return false;
  }
  return true;
}

/* ---- memberships ---- */

static bool put_memberships(const struct rule *rule, uint32_t member) {
  const char *at = value_of(rule, "member_of");
  char name[NAME_MAX];
  uint32_t role;
  size_t len;

  for (; at != NULL && *at != '\0'; at += len + (at[len] == '\n')) {
    len = strcspn(at, "\n");
    snprintf(name, sizeof name, "%.*s", (int)len, at);
    if (!rules_want_group(rule->settings, rule->model, name, &role))
      return false;
    if (role != NAMES_NONE)
      edges_put(&rule->model->wanted_why, (struct edge){role, member, rule->source});
  }
  return !rule->model->wanted_why.failed;
}

/* ---- sections ---- */

static bool is_of_cluster(const struct rule *rule, const char *cluster) {
  const char *at = value_of(rule, "cluster");
  size_t len;

  if (at == NULL || cluster == NULL)
    return true;
  for (; *at != '\0'; at += len + (at[len] == '\n')) {
    len = strcspn(at, "\n");
    if (strlen(cluster) == len && strncmp(cluster, at, len) == 0)
      return true;
  }
  return false;
}

/* The next [role] section of a cluster. false: there is none, or no memory, then *failed. */
static bool next_rule(struct rule *rule, const char *cluster, size_t *cursor, bool *failed) {
  const struct cortex_section *section;
  char why[64];

  while ((section = cortex_settings_section(rule->settings, (*cursor)++)) != NULL) {
    rule->section = section;
    if (strcmp(cortex_section_kind(section), "role") != 0 || !is_of_cluster(rule, cluster))
      continue;
    snprintf(why, sizeof why, "[role \"%s\"]", cortex_section_label(section));
    rule->source = model_source(rule->model, (const char *const[]){"", "", why, ""});
    *failed = rule->source == NAMES_NONE;
    return !*failed;
  }
  return false;
}

bool rules_want_roles(const struct cortex_settings *settings, struct model *model,
                      const char *cluster) {
  struct rule rule = {.settings = settings, .model = model};
  bool failed = false;
  size_t cursor = 0;

  while (next_rule(&rule, cluster, &cursor, &failed)) {
    const char *kind = value_of(&rule, "kind"), *name = value_of(&rule, "name");
    uint32_t role = NAMES_NONE;

    if (strcmp(kind, "people") == 0)
      continue;
    name = name != NULL ? name : cortex_section_label(rule.section);
    if (strcmp(kind, "group") == 0 ? !rules_want_group(settings, model, name, &role)
                                   : !want_login(&rule, name, &role))
      return false;
    if (role != NAMES_NONE && (!put_attributes(&rule, role) || !put_memberships(&rule, role)))
      return false;
  }
  return !failed;
}

bool rules_want_people(const struct cortex_settings *settings, struct model *model,
                       const char *cluster) {
  struct rule rule = {.settings = settings, .model = model};
  uint32_t own = names_find(&model->labels, RULES_LABEL, strlen(RULES_LABEL)), i, count;
  bool failed = false;
  size_t cursor = 0;

  while (next_rule(&rule, cluster, &cursor, &failed)) {
    if (strcmp(value_of(&rule, "kind"), "people") != 0)
      continue;
    count = model->names.count; /* member_of may name a new group */
    for (i = 0; i < count; i++)
      if (model->roles[i].wish == WISH_LOGIN && model->roles[i].label != own &&
          (!put_attributes(&rule, i) || !put_memberships(&rule, i)))
        return false;
  }
  return !failed;
}

/* ---- loops ---- */

/* Groups that no other one is a member of are taken away until none is left, or a loop is. */
bool rules_has_loop(const struct model *model) {
  bool *gone = calloc((size_t)model->names.count + 1, sizeof *gone);
  const struct edges *edges = &model->wanted_why;
  bool again = gone != NULL, loop = false, held;
  size_t i, j;

  for (i = 0; again && i < model->names.count; i++)
    gone[i] = true;
  for (i = 0; again && i < edges->count; i++)
    gone[edges->items[i].role] = false;
  while (again) {
    for (again = false, loop = false, i = 0; i < edges->count; i++) {
      const uint32_t role = edges->items[i].role;

      if (gone[role])
        continue;
      for (held = false, j = 0; !held && j < edges->count; j++)
        held = edges->items[j].role == role && !gone[edges->items[j].member] &&
               model->roles[edges->items[j].member].wish == WISH_GROUP;
      gone[role] = !held;
      again = again || gone[role];
      loop = loop || held;
    }
  }
  free(gone);
  return loop;
}
