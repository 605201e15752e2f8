/*
 * The names a schema declares: sorted, each once, none shadowing another (RFC 70 of Cedar).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema_resolve.h"

#include <stdlib.h>
#include <string.h>

static int offset_order(uint32_t a, uint32_t b) {
  return (a > b) - (a < b);
}

static int space_compare(const void *a, const void *b) {
  const struct cedar_draft_space *left = *(struct cedar_draft_space *const *)a;
  const struct cedar_draft_space *right = *(struct cedar_draft_space *const *)b;
  int order = cedar_text_compare(left->name, right->name);

  return order != 0 ? order : offset_order(left->offset, right->offset);
}

static int common_compare(const void *a, const void *b) {
  const struct cedar_draft_common *left = *(struct cedar_draft_common *const *)a;
  const struct cedar_draft_common *right = *(struct cedar_draft_common *const *)b;
  int order = cedar_text_compare(left->name, right->name);

  return order != 0 ? order : offset_order(left->offset, right->offset);
}

static int entity_compare(const void *a, const void *b) {
  const struct cedar_draft_entity *left = *(struct cedar_draft_entity *const *)a;
  const struct cedar_draft_entity *right = *(struct cedar_draft_entity *const *)b;
  int order = cedar_text_compare(left->name, right->name);

  return order != 0 ? order : offset_order(left->offset, right->offset);
}

static int uid_order(struct cedar_uid_text a, struct cedar_uid_text b) {
  int order = cedar_text_compare(a.type, b.type);

  return order != 0 ? order : cedar_text_compare(a.id, b.id);
}

static int action_compare(const void *a, const void *b) {
  const struct cedar_draft_action *left = *(struct cedar_draft_action *const *)a;
  const struct cedar_draft_action *right = *(struct cedar_draft_action *const *)b;
  int order = uid_order(left->uid, right->uid);

  return order != 0 ? order : offset_order(left->offset, right->offset);
}

/* Says that something is there twice, at its second place, naming the line of the first. */
static bool twice(struct cedar_draft *draft, const char *what, struct cedar_text name,
                  uint32_t first, uint32_t second) {
  return cedar_draft_fail(draft, second, "%s `%.*s` is declared twice, first in line %u", what,
                          cedar_draft_len(name), name.ptr,
                          cedar_place_at(&draft->source, first).line);
}

static bool spaces_sort(struct cedar_draft *draft) {
  struct cedar_draft_space **sorted = cedar_draft_get(draft, draft->space_count, sizeof(*sorted)),
                           *space;
  uint32_t n = 0;

  if (sorted == NULL)
    return false;
  for (space = draft->spaces; space != NULL; space = space->next)
    sorted[n++] = space;
  qsort(sorted, n, sizeof(*sorted), space_compare);
  while (n-- > 1)
    if (cedar_text_compare(sorted[n - 1]->name, sorted[n]->name) == 0)
      return twice(draft, "namespace", sorted[n]->name, sorted[n - 1]->offset, sorted[n]->offset);
  return true;
}

static bool commons_sort(struct cedar_resolver *r) {
  struct cedar_draft *draft = r->draft;
  struct cedar_draft_common *common;
  uint32_t n = 0;

  r->commons = cedar_draft_get(draft, draft->common_count, sizeof(*r->commons));
  if (r->commons == NULL)
    return false;
  for (common = draft->commons; common != NULL; common = common->next)
    r->commons[n++] = common;
  qsort(r->commons, n, sizeof(*r->commons), common_compare);
  while (n-- > 1)
    if (cedar_text_compare(r->commons[n - 1]->name, r->commons[n]->name) == 0)
      return twice(draft, "common type", r->commons[n]->name, r->commons[n - 1]->offset,
                   r->commons[n]->offset);
  return true;
}

static bool entities_sort(struct cedar_resolver *r) {
  struct cedar_draft *draft = r->draft;
  struct cedar_draft_entity *entity;
  uint32_t n = 0;

  r->entities = cedar_draft_get(draft, draft->entity_count, sizeof(*r->entities));
  if (r->entities == NULL)
    return false;
  for (entity = draft->entities; entity != NULL; entity = entity->next)
    r->entities[n++] = entity;
  qsort(r->entities, n, sizeof(*r->entities), entity_compare);
  while (n-- > 1)
    if (cedar_text_compare(r->entities[n - 1]->name, r->entities[n]->name) == 0)
      return twice(draft, "entity type", r->entities[n]->name, r->entities[n - 1]->offset,
                   r->entities[n]->offset);
  return true;
}

static bool actions_sort(struct cedar_resolver *r) {
  struct cedar_draft *draft = r->draft;
  struct cedar_draft_action *action;
  uint32_t n = 0;

  r->actions = cedar_draft_get(draft, draft->action_count, sizeof(*r->actions));
  if (r->actions == NULL)
    return false;
  for (action = draft->actions; action != NULL; action = action->next)
    r->actions[n++] = action;
  qsort(r->actions, n, sizeof(*r->actions), action_compare);
  while (n-- > 1)
    if (uid_order(r->actions[n - 1]->uid, r->actions[n]->uid) == 0)
      return twice(draft, "action", r->actions[n]->uid.id, r->actions[n - 1]->offset,
                   r->actions[n]->offset);
  return true;
}

struct cedar_draft_common *cedar_common_find(const struct cedar_resolver *r,
                                             struct cedar_text name) {
  size_t low = 0, high = r->draft->common_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cedar_text_compare(r->commons[middle]->name, name);

    if (order == 0)
      return r->commons[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

bool cedar_name_is_declared(const struct cedar_resolver *r, struct cedar_text name) {
  return cedar_schema_entity_find(r->schema, name) != NULL || cedar_common_find(r, name) != NULL;
}

/* A name of a namespace may not be one of the empty namespace, too. */
static bool shadow_check(struct cedar_resolver *r, struct cedar_text space, struct cedar_text full,
                         uint32_t offset) {
  struct cedar_text base = {full.ptr + space.len + 2, full.len - space.len - 2};

  if (!cedar_name_is_declared(r, base))
    return true;
  return cedar_draft_fail(r->draft, offset,
                          "`%.*s` shadows `%.*s` of the empty namespace; "
                          "rename one of them",
                          cedar_draft_len(full), full.ptr, cedar_draft_len(base), base.ptr);
}

static bool shadows_check(struct cedar_resolver *r) {
  const struct cedar_draft *draft = r->draft;
  struct cedar_uid_text plain = {{"Action", 6}, {NULL, 0}};
  uint32_t i;

  for (i = 0; i < draft->entity_count; i++)
    if (r->entities[i]->space.len > 0 &&
        !shadow_check(r, r->entities[i]->space, r->entities[i]->name, r->entities[i]->offset))
      return false;
  for (i = 0; i < draft->common_count; i++)
    if (r->commons[i]->space.len > 0 &&
        !shadow_check(r, r->commons[i]->space, r->commons[i]->name, r->commons[i]->offset))
      return false;
  for (i = 0; i < draft->action_count; i++) {
    plain.id = r->actions[i]->uid.id;
    if (r->actions[i]->space.len > 0 && cedar_schema_action_find(r->schema, plain) != NULL)
      return cedar_draft_fail(
          r->draft, r->actions[i]->offset,
          "action \"%.*s\" shadows the one of the empty namespace; rename one of them",
          cedar_draft_len(plain.id), plain.id.ptr);
  }
  return true;
}

/* The schema's tables with names only, so that names can be looked up from here on. */
static bool tables_make(struct cedar_resolver *r) {
  struct cedar_schema *schema = r->schema;
  struct cedar_type *type;
  uint32_t i;

  schema->entities = cedar_draft_get(r->draft, r->draft->entity_count, sizeof(*schema->entities));
  schema->actions = cedar_draft_get(r->draft, r->draft->action_count, sizeof(*schema->actions));
  if (schema->entities == NULL || schema->actions == NULL)
    return false;
  schema->entity_count = r->draft->entity_count;
  schema->action_count = r->draft->action_count;
  for (i = 0; i < schema->entity_count; i++) {
    type = cedar_draft_get(r->draft, 1, sizeof(*type));
    if (type == NULL)
      return false;
    type->kind = CEDAR_TYPE_ENTITY;
    type->height = 1;
    type->entity = r->entities[i]->name;
    type->declared = &schema->entities[i];
    schema->entities[i].name = type->entity;
    schema->entities[i].type = type;
  }
  for (i = 0; i < schema->action_count; i++)
    schema->actions[i].uid = r->actions[i]->uid;
  return true;
}

/* One type for each `NS::Action`; actions are sorted by it. */
static bool action_types_make(struct cedar_resolver *r) {
  struct cedar_schema *schema = r->schema;
  struct cedar_type *type = NULL;
  size_t i;

  schema->action_types =
      cedar_draft_get(r->draft, schema->action_count, sizeof(*schema->action_types));
  if (schema->action_types == NULL)
    return false;
  for (i = 0; i < schema->action_count; i++) {
    struct cedar_text name = schema->actions[i].uid.type;

    if (type == NULL || cedar_text_compare(type->entity, name) != 0) {
      type = cedar_draft_get(r->draft, 1, sizeof(*type));
      if (type == NULL)
        return false;
      type->kind = CEDAR_TYPE_ENTITY;
      type->height = 1;
      type->entity = name;
      schema->action_types[schema->action_type_count++] = type;
    }
    schema->actions[i].type = type;
  }
  return true;
}

bool cedar_names_sort(struct cedar_resolver *r) {
  return spaces_sort(r->draft) && commons_sort(r) && entities_sort(r) && actions_sort(r) &&
         tables_make(r) && action_types_make(r) && shadows_check(r);
}
