/*
 * From draft to schema: entity types, actions and their hierarchies.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema_resolve.h"

#include <stdlib.h>
#include <string.h>

static int text_compare(const void *a, const void *b) {
  return cedar_text_compare(*(const struct cedar_text *)a, *(const struct cedar_text *)b);
}

/* Sorts texts and drops duplicates; gives what is left. */
static size_t texts_sort(struct cedar_text *texts, size_t count) {
  size_t i, n = 0;

  qsort(texts, count, sizeof(*texts), text_compare);
  for (i = 0; i < count; i++)
    if (n == 0 || cedar_text_compare(texts[n - 1], texts[i]) != 0)
      texts[n++] = texts[i];
  return n;
}

/* The names of entity types behind references, sorted. */
static bool types_resolve(struct cedar_resolver *r, const struct cedar_draft_names *names,
                          struct cedar_text space, const struct cedar_text **out,
                          size_t *count_out) {
  struct cedar_text *texts = cedar_draft_get(r->draft, names->count, sizeof(*texts));
  const struct cedar_schema_entity *entity;
  const struct cedar_draft_name *name;
  size_t n = 0;

  if (texts == NULL)
    return false;
  for (name = names->first; name != NULL; name = name->next) {
    entity = cedar_entity_resolve(r, name, space);
    if (entity == NULL)
      return false;
    texts[n++] = entity->name;
  }
  *out = texts;
  *count_out = texts_sort(texts, n);
  return true;
}

/* A type that must be a record; an empty one when nothing is written. */
static const struct cedar_type *record_resolve(struct cedar_resolver *r,
                                               const struct cedar_draft_type *draft,
                                               struct cedar_text space, const char *what) {
  const struct cedar_type *type;
  char found[100];

  if (draft == NULL)
    return cedar_type_record(r, NULL, 0);
  type = cedar_type_resolve(r, draft, space);
  if (type == NULL || type->kind == CEDAR_TYPE_RECORD)
    return type;
  cedar_type_print(type, found, sizeof(found));
  cedar_draft_fail(r->draft, draft->offset, "%s must be a record, found %s", what, found);
  return NULL;
}

static bool ids_resolve(struct cedar_resolver *r, const struct cedar_draft_names *names,
                        struct cedar_schema_entity *entity) {
  struct cedar_text *ids = cedar_draft_get(r->draft, names->count, sizeof(*ids));
  const struct cedar_draft_name *name;
  size_t n = 0;

  if (ids == NULL)
    return false;
  for (name = names->first; name != NULL; name = name->next)
    ids[n++] = name->id;
  entity->ids = ids;
  entity->id_count = texts_sort(ids, n);
  return true;
}

static bool entity_resolve(struct cedar_resolver *r, const struct cedar_draft_entity *draft,
                           struct cedar_schema_entity *entity) {
  if (draft->ids.count > 0 && !ids_resolve(r, &draft->ids, entity))
    return false;
  if (!types_resolve(r, &draft->parents, draft->space, &entity->ancestors, &entity->ancestor_count))
    return false;
  entity->shape = record_resolve(r, draft->shape, draft->space, "attributes of an entity type");
  if (entity->shape == NULL || draft->tags == NULL)
    return entity->shape != NULL;
  entity->tags = cedar_type_resolve(r, draft->tags, draft->space);
  return entity->tags != NULL;
}

/* ---- hierarchies ---- */

/* Numbers of nodes, their edges, and what a search from one of them has reached. */
struct graph {
  uint32_t **edges;
  uint32_t *counts;
  uint32_t *reached; /* in the order they were reached */
  uint32_t *seen;    /* by node: the round in which it was reached */
  uint32_t round;
  uint64_t steps;
};

static bool graph_init(struct cedar_draft *draft, struct graph *g, size_t nodes) {
  memset(g, 0, sizeof(*g));
  g->edges = cedar_draft_get(draft, nodes, sizeof(*g->edges));
  g->counts = cedar_draft_get(draft, nodes, sizeof(*g->counts));
  g->reached = cedar_draft_get(draft, nodes, sizeof(*g->reached));
  g->seen = cedar_draft_get(draft, nodes, sizeof(*g->seen));
  return g->edges != NULL && g->counts != NULL && g->reached != NULL && g->seen != NULL;
}

static bool edges_make(struct cedar_draft *draft, struct graph *g, size_t node, size_t count) {
  g->edges[node] = cedar_draft_get(draft, count, sizeof(uint32_t));
  g->counts[node] = (uint32_t)count;
  return g->edges[node] != NULL;
}

/* Puts all nodes above one into reached (itself only when it is above itself); gives how many. */
static uint32_t graph_reach(struct graph *g, uint32_t from) {
  uint32_t n = 0, done = 0, node = from, i;

  g->round++;
  for (;;) {
    for (i = 0; i < g->counts[node]; i++, g->steps++) {
      uint32_t to = g->edges[node][i];

      if (g->seen[to] == g->round)
        continue;
      g->seen[to] = g->round;
      g->reached[n++] = to;
    }
    if (done == n)
      return n;
    node = g->reached[done++];
  }
}

static bool reach_bounded(struct cedar_draft *draft, const struct graph *g, uint32_t offset) {
  return g->steps <= CEDAR_MAX_VISITS ||
         cedar_draft_limit(draft, offset, "the hierarchy is too large to work out");
}

/* Replaces the direct parents of every entity type by all its ancestors. */
static bool entity_ancestors(struct cedar_resolver *r) {
  struct cedar_schema *schema = r->schema;
  struct cedar_text *texts;
  struct graph g;
  uint32_t i, k, n;

  if (!graph_init(r->draft, &g, schema->entity_count))
    return false;
  for (i = 0; i < schema->entity_count; i++) {
    if (!edges_make(r->draft, &g, i, schema->entities[i].ancestor_count))
      return false;
    for (k = 0; k < g.counts[i]; k++)
      g.edges[i][k] =
          (uint32_t)(cedar_schema_entity_find(schema, schema->entities[i].ancestors[k]) -
                     schema->entities);
  }
  for (i = 0; i < schema->entity_count; i++) {
    n = graph_reach(&g, i);
    texts = cedar_draft_get(r->draft, n, sizeof(*texts));
    if (texts == NULL || !reach_bounded(r->draft, &g, r->entities[i]->offset))
      return false;
    for (k = 0; k < n; k++)
      texts[k] = schema->entities[g.reached[k]].name;
    schema->entities[i].ancestors = texts;
    schema->entities[i].ancestor_count = texts_sort(texts, n);
  }
  return true;
}

static int action_compare(const void *a, const void *b) {
  const struct cedar_schema_action *left = *(const struct cedar_schema_action *const *)a;
  const struct cedar_schema_action *right = *(const struct cedar_schema_action *const *)b;

  return (left > right) - (left < right);
}

/* All groups of every action; a group may not be inside itself. */
static bool action_ancestors(struct cedar_resolver *r) {
  struct cedar_schema *schema = r->schema;
  const struct cedar_schema_action **above;
  struct graph g;
  uint32_t i, k, n;

  if (!graph_init(r->draft, &g, schema->action_count))
    return false;
  for (i = 0; i < schema->action_count; i++) {
    if (!edges_make(r->draft, &g, i, schema->actions[i].parent_count))
      return false;
    for (k = 0; k < g.counts[i]; k++)
      g.edges[i][k] = (uint32_t)(schema->actions[i].parents[k] - schema->actions);
  }
  for (i = 0; i < schema->action_count; i++) {
    n = graph_reach(&g, i);
    above = cedar_draft_get(r->draft, n, sizeof(*above));
    if (above == NULL || !reach_bounded(r->draft, &g, r->actions[i]->offset))
      return false;
    for (k = 0; k < n; k++) {
      if (g.reached[k] == i)
        return cedar_draft_fail(
            r->draft, r->actions[i]->offset, "action \"%.*s\" is a group inside itself",
            cedar_draft_len(schema->actions[i].uid.id), schema->actions[i].uid.id.ptr);
      above[k] = &schema->actions[g.reached[k]];
    }
    qsort(above, n, sizeof(*above), action_compare);
    schema->actions[i].ancestors = above;
    schema->actions[i].ancestor_count = n;
  }
  return true;
}

static bool action_resolve(struct cedar_resolver *r, const struct cedar_draft_action *draft,
                           struct cedar_schema_action *action) {
  const struct cedar_draft_name *name;
  const struct cedar_schema_action *parent;
  size_t i;

  action->parents = cedar_draft_get(r->draft, draft->parents.count, sizeof(*action->parents));
  if (action->parents == NULL)
    return false;
  for (name = draft->parents.first; name != NULL; name = name->next) {
    parent = cedar_action_resolve(r, name, draft->space);
    if (parent == NULL)
      return false;
    for (i = 0; i < action->parent_count && action->parents[i] != parent; i++)
      ;
    if (i == action->parent_count)
      action->parents[action->parent_count++] = parent;
  }
  if (!types_resolve(r, &draft->principals, draft->space, &action->principals,
                     &action->principal_count) ||
      !types_resolve(r, &draft->resources, draft->space, &action->resources,
                     &action->resource_count))
    return false;
  action->context = record_resolve(r, draft->context, draft->space, "the context of an action");
  return action->context != NULL;
}

bool cedar_schema_resolve(struct cedar_draft *draft) {
  struct cedar_resolver r = {.draft = draft, .schema = draft->schema};
  uint32_t i;

  if (!cedar_names_sort(&r))
    return false;
  for (i = 0; i < draft->common_count; i++)
    if (cedar_common_resolve(&r, r.commons[i], 0) == NULL)
      return false;
  for (i = 0; i < draft->entity_count; i++)
    if (!entity_resolve(&r, r.entities[i], &draft->schema->entities[i]))
      return false;
  for (i = 0; i < draft->action_count; i++)
    if (!action_resolve(&r, r.actions[i], &draft->schema->actions[i]))
      return false;
  return entity_ancestors(&r) && action_ancestors(&r);
}
