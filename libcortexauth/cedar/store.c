/*
 * The store's life: new, free, what is in it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store.h"

#include <string.h>

#include "text.h"

enum cedar_status cedar_store_new(const struct cedar_allocator *allocator,
                                  struct cedar_store **store_out) {
  struct cedar_allocator alloc = cedar_allocator_get(allocator);
  struct cedar_store *store = alloc.alloc(alloc.ctx, sizeof(*store));

  *store_out = store;
  if (store == NULL)
    return CEDAR_NOMEM;
  memset(store, 0, sizeof(*store));
  store->alloc = alloc;
  return CEDAR_OK;
}

#define ARRAY_FREE(name, type, max)                                                                \
  if (s->name.at != NULL && !s->mapped)                                                            \
    alloc.free(alloc.ctx, s->name.at, (size_t)s->name.cap * sizeof(*s->name.at));

void cedar_store_free(struct cedar_store **store) {
  struct cedar_store *s = *store;
  struct cedar_allocator alloc;

  if (s == NULL)
    return;
  alloc = s->alloc;
  CEDAR_ARRAYS(ARRAY_FREE)
  cedar_pager_free(&s->pager);
  cedar_pager_free(&s->whole);
  alloc.free(alloc.ctx, s, sizeof(*s));
  *store = NULL;
}

bool cedar_store_is_open(const struct cedar_store *store, struct cedar_error *error) {
  if (!store->sealed && !store->broken)
    return true;
  cedar_error_plain(error, CEDAR_MISUSE,
                    store->sealed ? "the store is sealed"
                                  : "an earlier input of the store has failed");
  return false;
}

const struct cedar_uid *cedar_uid_get(const struct cedar_store *store, uint32_t uid) {
  const struct cedar_name *name = store->pager == NULL ? NULL : cedar_name_get(store, uid);

  return name != NULL ? &name->uid : cedar_uids_get(store, uid, 1);
}

bool cedar_uid_has_id(const struct cedar_store *store, const struct cedar_uid *uid,
                      struct cedar_text id) {
  struct cedar_text text = {uid->text, uid->len};

  if (uid->len != id.len)
    return false;
  if (uid->len > CEDAR_NEAR_TEXT)
    text = cedar_sym_text(store, uid->id);
  return text.ptr != NULL && cedar_text_compare(text, id) == 0;
}

struct cedar_uid_text cedar_uid_text_get(const struct cedar_store *store, uint32_t uid) {
  const struct cedar_uid *u = cedar_uid_get(store, uid);
  struct cedar_uid_text text = {{NULL, 0}, {NULL, 0}};

  if (u != NULL) {
    text.type = cedar_sym_text(store, u->type);
    text.id = cedar_sym_text(store, u->id);
  }
  return text;
}

const struct cedar_uid *cedar_uid_entity(const struct cedar_store *store, uint32_t uid) {
  const struct cedar_uid *u = cedar_uid_get(store, uid);

  return u == NULL || u->entity == CEDAR_NONE ? NULL : u;
}

void cedar_code_ahead(const struct cedar_store *store, uint32_t first, uint32_t units) {
  uint32_t left = first < store->code.n ? store->code.n - first : 0;
  size_t size = sizeof(*store->code.at);

  if (units > left)
    units = left;
  /* What is there of an earlier read may be too little. */
  if (store->pager != NULL && units > 0)
    (void)cedar_pager_get_ahead(store->pager, store->code.where + first * size,
                                (units / 2 + 1) * size, units * size);
}

bool cedar_store_failed(const struct cedar_store *store) {
  return store->pager != NULL && cedar_pager_failed(store->pager);
}

uint32_t cedar_store_policy_count(const struct cedar_store *store) {
  return store->policies.n;
}

uint32_t cedar_store_entity_count(const struct cedar_store *store) {
  return store->entities.n;
}
