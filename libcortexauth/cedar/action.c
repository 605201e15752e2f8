/*
 * Actions that a schema declares, as entities.
 * SPDX-License-Identifier: PostgreSQL
 */
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
  struct cedar_entity entity = {.source = source};
  enum cedar_status status = action_uid(store, action, &entity.uid);
  bool same;
  size_t i;

  for (i = 0; status == CEDAR_OK && i < action->parent_count; i++)
    status = action_uid(store, action->parents[i], &uids[i]);
  if (status == CEDAR_OK)
    status = cedar_parents_put(store, uids, (uint32_t)action->parent_count, &entity);
  return status == CEDAR_OK ? cedar_entity_put(store, &entity, &same) : status;
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

/* All groups above an action, in at most as many steps as there are actions. */
static enum cedar_status action_ancestors(struct cedar_reader *r,
                                          const struct cedar_schema_action *action,
                                          uint32_t **uids_out, uint32_t *count_out) {
  size_t max = r->schema->action_count, n = 0, next = 0, i, j;
  const struct cedar_schema_action **seen =
      cedar_arena_get_array(r->scratch, max + 1, sizeof(const void *));
  uint32_t *uids = cedar_arena_get_array(r->scratch, max + 1, sizeof(*uids));
  enum cedar_status status = CEDAR_OK;

  *uids_out = uids;
  *count_out = 0;
  if (seen == NULL || uids == NULL)
    return CEDAR_NOMEM;
  for (;;) {
    for (i = 0; i < action->parent_count; i++) {
      for (j = 0; j < n && seen[j] != action->parents[i]; j++)
        ;
      if (j == n && n < max)
        seen[n++] = action->parents[i];
    }
    if (next == n)
      break;
    action = seen[next++];
  }
  for (i = 0; status == CEDAR_OK && i < n; i++)
    status = r->maker.uid(r->maker.ctx, seen[i]->uid, &uids[i]);
  *count_out = cedar_ids_normalize(uids, (uint32_t)n);
  return status;
}

enum cedar_status cedar_action_conforms(struct cedar_reader *r, const struct cedar_json *json,
                                        const struct cedar_schema_action *action,
                                        const struct cedar_entity *entity) {
  const struct cedar_store *store = r->maker.store;
  uint32_t *uids, count, i;
  enum cedar_status status =
      cedar_reader_status(r, json, action_ancestors(r, action, &uids, &count));
  bool same = entity->attr_count == 0 && entity->tag_count == 0 && entity->parent_count <= count;

  if (status != CEDAR_OK)
    return status;
  for (i = 0; same && i < entity->parent_count; i++)
    same = cedar_ids_has(uids, count, store->reach.at[entity->parents + i]);
  same = same && (action->parent_count == 0 || entity->parent_count > 0);
  return same ? CEDAR_OK
              : cedar_json_error(r->error, r->source, json,
                                 "the action is not as the schema declares it");
}
