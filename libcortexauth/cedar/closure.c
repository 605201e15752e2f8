/*
 * Who is in whom: sorted lists of uids, ancestors worked out once.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"

/* Shell sort: the lists are short mostly, and it takes no memory. */
void cedar_ids_sort(uint32_t *ids, uint32_t count) {
  uint32_t gap, i, j, moved;

  for (gap = count / 2; gap > 0; gap = gap == 2 ? 1 : (uint32_t)((uint64_t)gap * 5 / 11)) {
    for (i = gap; i < count; i++) {
      moved = ids[i];
      for (j = i; j >= gap && ids[j - gap] > moved; j -= gap)
        ids[j] = ids[j - gap];
      ids[j] = moved;
    }
  }
}

uint32_t cedar_ids_normalize(uint32_t *ids, uint32_t count) {
  uint32_t kept = 0, i;

  cedar_ids_sort(ids, count);
  for (i = 0; i < count; i++)
    if (kept == 0 || ids[kept - 1] != ids[i])
      ids[kept++] = ids[i];
  return kept;
}

bool cedar_ids_has(const uint32_t *ids, uint32_t count, uint32_t id) {
  uint32_t low = 0, high = count;

  while (high - low > 8) {
    uint32_t middle = low + (high - low) / 2;

    if (ids[middle] <= id)
      low = middle;
    else
      high = middle;
  }
  for (; low < high; low++)
    if (ids[low] == id)
      return true;
  return false;
}

const uint32_t *cedar_entity_reach(const struct cedar_store *store, const struct cedar_uid *entity,
                                   uint32_t *count_out) {
  const uint32_t *above = entity->near;

  if (entity->ancestor_count > CEDAR_NEAR)
    above = cedar_reach_get(store, entity->ancestors, entity->ancestor_count);
  *count_out = above == NULL ? 0 : entity->ancestor_count;
  return above;
}

/* The walk over all entities, parents before children, without recursion. */
struct walk {
  struct cedar_store *store;
  uint8_t *state;  /* per entity: 0 new, 1 on the stack, 2 done */
  uint32_t *stamp; /* per uid: entity + 1 whose list has it already */
  uint32_t *stack;
  uint32_t *next; /* per stack entry: the parent to look at */
  uint32_t depth;
  uint32_t *found; /* uids of the list being made */
  uint32_t count;
};

static void walk_find(struct walk *w, uint32_t uid, uint32_t mark) {
  if (w->stamp[uid] != mark) {
    w->stamp[uid] = mark;
    w->found[w->count++] = uid;
  }
}

static struct cedar_uid *entity_of(const struct walk *w, uint32_t index) {
  return &w->store->uids.at[w->store->entities.at[index].uid];
}

static void ancestors_set(const struct cedar_store *store, struct cedar_uid *entity, uint32_t first,
                          uint32_t count) {
  entity->ancestors = first;
  entity->ancestor_count = count;
  if (count > 0 && count <= CEDAR_NEAR)
    memcpy(entity->near, store->reach.at + first, count * sizeof(*entity->near));
}

/* All parents are done: their lists make this one. */
static enum cedar_status walk_finish(struct walk *w, uint32_t index) {
  struct cedar_store *store = w->store;
  struct cedar_uid *entity = entity_of(w, index);
  enum cedar_status status;
  uint32_t i, j, n;

  w->state[index] = 2;
  w->count = 0;
  for (i = 0; i < entity->parent_count; i++) {
    uint32_t parent = store->reach.at[entity->parents + i];
    const struct cedar_uid *known = cedar_uid_entity(store, parent);
    const uint32_t *more = known == NULL ? NULL : cedar_entity_reach(store, known, &n);

    walk_find(w, parent, index + 1);
    for (j = 0; more != NULL && j < n; j++)
      walk_find(w, more[j], index + 1);
  }
  /* Nothing above the parents: the parents' list serves. */
  if (w->count == entity->parent_count) {
    ancestors_set(store, entity, entity->parents, entity->parent_count);
    return CEDAR_OK;
  }
  status = CEDAR_ROOM(store, reach, w->count, CEDAR_MAX_REACH);
  if (status != CEDAR_OK)
    return status;
  cedar_ids_sort(w->found, w->count);
  memcpy(store->reach.at + store->reach.n, w->found, w->count * sizeof(*w->found));
  ancestors_set(store, entity, store->reach.n, w->count);
  store->reach.n += w->count;
  return CEDAR_OK;
}

static enum cedar_status cycle(const struct cedar_store *store, uint32_t index,
                               struct cedar_error *error) {
  const struct cedar_entity *entity = &store->entities.at[index];
  struct cedar_uid_text uid = cedar_uid_text_get(store, entity->uid);
  struct cedar_text source = cedar_sym_text(store, entity->source);
  char name[sizeof(error->source)] = "";
  struct cedar_place place = {name, entity->line, entity->column};

  memcpy(name, source.ptr, source.len < sizeof(name) - 1 ? source.len : sizeof(name) - 1);
  return cedar_error_set(error, CEDAR_INVALID, place,
                         "%.*s::\"%.*s\" is in itself: the parents form a cycle",
                         (int)(uid.type.len < 100 ? uid.type.len : 100), uid.type.ptr,
                         (int)(uid.id.len < 100 ? uid.id.len : 100), uid.id.ptr);
}

static void walk_enter(struct walk *w, uint32_t index) {
  w->state[index] = 1;
  w->next[w->depth] = 0;
  w->stack[w->depth++] = index;
}

/* Takes one step: pushes a parent that is not done, or finishes the top. */
static enum cedar_status walk_step(struct walk *w, struct cedar_error *error) {
  uint32_t top = w->stack[w->depth - 1], *next = &w->next[w->depth - 1];
  const struct cedar_uid *entity = entity_of(w, top);

  while (*next < entity->parent_count) {
    uint32_t parent = w->store->reach.at[entity->parents + (*next)++];
    uint32_t known = w->store->uids.at[parent].entity;

    if (known == CEDAR_NONE || w->state[known] == 2)
      continue;
    if (w->state[known] == 1)
      return cycle(w->store, known, error);
    walk_enter(w, known);
    return CEDAR_OK;
  }
  w->depth--;
  return walk_finish(w, top);
}

static enum cedar_status walk_all(struct walk *w, struct cedar_error *error) {
  enum cedar_status status = CEDAR_OK;
  uint32_t i;

  for (i = 0; i < w->store->entities.n; i++) {
    if (w->state[i] != 0)
      continue;
    if (entity_of(w, i)->parent_count == 0) {
      w->state[i] = 2;
      continue;
    }
    walk_enter(w, i);
    while (status == CEDAR_OK && w->depth > 0)
      status = walk_step(w, error);
    if (status != CEDAR_OK)
      return status;
  }
  return CEDAR_OK;
}

enum cedar_status cedar_closure_compute(struct cedar_store *store, struct cedar_error *error) {
  struct walk w = {.store = store};
  struct cedar_arena scratch;
  enum cedar_status status = CEDAR_NOMEM;

  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  w.state = cedar_arena_get_array(&scratch, store->entities.n, sizeof(*w.state));
  w.stamp = cedar_arena_get_array(&scratch, store->uids.n, sizeof(*w.stamp));
  w.stack = cedar_arena_get_array(&scratch, store->entities.n, sizeof(*w.stack));
  w.next = cedar_arena_get_array(&scratch, store->entities.n, sizeof(*w.next));
  w.found = cedar_arena_get_array(&scratch, store->uids.n, sizeof(*w.found));
  if (w.state != NULL && w.stamp != NULL && w.stack != NULL && w.next != NULL && w.found != NULL)
    status = walk_all(&w, error);
  cedar_arena_clear(&scratch);
  return status;
}
