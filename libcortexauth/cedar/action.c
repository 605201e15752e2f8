/*
 * Actions that a schema declares, as entities.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"
#include "reader.h"

static enum cedar_status action_uid(struct cedar_store *store,
                                    const struct cedar_schema_action *action, uint32_t *uid_out) {
  struct cedar_maker maker = cedar_store_maker(store);

  return maker.uid(maker.ctx, action->uid, uid_out);
}

static enum cedar_status action_put(struct cedar_store *store,
                                    const struct cedar_schema_action *action, uint32_t source,
                                    uint32_t *uids) {
  struct cedar_draft draft = {.origin = {.source = source}};
  enum cedar_status status = action_uid(store, action, &draft.origin.uid);
  bool same;
  size_t i;

  for (i = 0; status == CEDAR_OK && i < action->parent_count; i++)
    status = action_uid(store, action->parents[i], &uids[i]);
  if (status == CEDAR_OK)
    status = cedar_parents_put(store, uids, (uint32_t)action->parent_count, &draft.body);
  return status == CEDAR_OK ? cedar_entity_put(store, &draft, &same) : status;
}

enum cedar_status cedar_actions_put(struct cedar_store *store, const struct cedar_schema *schema,
                                    uint32_t source) {
  enum cedar_status status = CEDAR_OK;
  struct cedar_arena scratch;
  uint32_t *uids;
  size_t i;

  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  uids = cedar_arena_get_array(&scratch, schema->action_count, sizeof(*uids));
  if (uids == NULL)
    status = CEDAR_NOMEM;
  for (i = 0; status == CEDAR_OK && i < schema->action_count; i++)
    status = action_put(store, &schema->actions[i], source, uids);
  cedar_arena_clear(&scratch);
  return status;
}

/* Groups that are still to be climbed from, and all that were met. */
struct climb {
  uint32_t *seen;
  uint32_t n;
  uint32_t max;
};

static void climb_put(struct climb *c, uint32_t uid) {
  uint32_t i;

  for (i = 0; i < c->n; i++)
    if (c->seen[i] == uid)
      return;
  if (c->n < c->max)
    c->seen[c->n++] = uid;
}

/* All groups above a declared action. */
static enum cedar_status declared_above(struct cedar_reader *r,
                                        const struct cedar_schema_action *action, struct climb *c) {
  const struct cedar_schema_action **seen =
      cedar_arena_get_array(r->scratch, r->schema->action_count + 1, sizeof(const void *));
  enum cedar_status status = CEDAR_OK;
  size_t n = 0, next = 0, i, j;
  uint32_t uid = 0;

  if (seen == NULL)
    return CEDAR_NOMEM;
  for (;;) {
    for (i = 0; i < action->parent_count; i++) {
      for (j = 0; j < n && seen[j] != action->parents[i]; j++)
        ;
      if (j == n && n < r->schema->action_count)
        seen[n++] = action->parents[i];
    }
    if (next == n)
      break;
    action = seen[next++];
  }
  for (i = 0; status == CEDAR_OK && i < n; i++) {
    status = r->maker.uid(r->maker.ctx, seen[i]->uid, &uid);
    climb_put(c, uid);
  }
  return status;
}

/* All groups above an action entity, by the entities of its file. */
static void file_above(const struct cedar_store *store, const struct cedar_action_list *list,
                       const struct cedar_uid *entity, struct climb *c) {
  uint32_t next = 0, i;

  for (;;) {
    for (i = 0; entity != NULL && i < entity->parent_count; i++)
      climb_put(c, store->reach.at[entity->parents + i]);
    if (next == c->n)
      return;
    entity = NULL;
    for (i = 0; i < list->n && entity == NULL; i++)
      if (list->at[i].draft.origin.uid == c->seen[next])
        entity = &list->at[i].draft.body;
    next++;
  }
}

static bool climb_init(struct cedar_reader *r, struct climb *c) {
  c->n = 0;
  c->max = (uint32_t)r->schema->action_count + 1;
  c->seen = cedar_arena_get_array(r->scratch, c->max, sizeof(*c->seen));
  return c->seen != NULL;
}

static enum cedar_status entry_conforms(struct cedar_reader *r,
                                        const struct cedar_action_list *list,
                                        const struct cedar_action_entry *entry) {
  struct climb declared, given;
  enum cedar_status status;
  bool same;

  if (!climb_init(r, &declared) || !climb_init(r, &given))
    return cedar_reader_status(r, entry->json, CEDAR_NOMEM);
  status = cedar_reader_status(r, entry->json, declared_above(r, entry->action, &declared));
  if (status != CEDAR_OK)
    return status;
  file_above(r->maker.store, list, &entry->draft.body, &given);
  cedar_ids_sort(declared.seen, declared.n);
  cedar_ids_sort(given.seen, given.n);
  same = entry->draft.body.attr_count == 0 && entry->draft.body.tag_count == 0 &&
         declared.n == given.n &&
         memcmp(declared.seen, given.seen, given.n * sizeof(*given.seen)) == 0;
  return same ? CEDAR_OK
              : cedar_json_error(r->error, r->source, entry->json,
                                 "the action is not as the schema declares it");
}

enum cedar_status cedar_actions_conform(struct cedar_reader *r,
                                        const struct cedar_action_list *list) {
  enum cedar_status status = CEDAR_OK;
  uint32_t i;

  for (i = 0; status == CEDAR_OK && i < list->n; i++)
    status = entry_conforms(r, list, &list->at[i]);
  return status;
}
