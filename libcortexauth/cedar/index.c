/*
 * The scope index: a request meets only policies that may concern it. Scopes cannot err, so a
 * policy that is passed over changes neither reasons nor errors.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "authorize.h"

/* Up to this many policies one list is faster than looking anything up. */
#define FEW_POLICIES 16U

/* A key: how the variable is asked for, and which one it is. */
enum how { HOW_EQ, HOW_IN, HOW_IS, HOW_COUNT };

#define KEY(var, how) ((uint32_t)(var)*HOW_COUNT + (uint32_t)(how))

struct key {
  uint32_t key; /* CEDAR_NONE: nothing to look up */
  uint32_t id;
};

uint32_t cedar_bucket_hash(uint32_t key, uint32_t id) {
  return cedar_uid_hash(key, id);
}

/* What a scope can be found by. */
static struct key scope_key(const struct cedar_store *store, const struct cedar_scope *scope,
                            enum cedar_var var) {
  struct key key = {CEDAR_NONE, scope->uid};

  switch (scope->op) {
  case CEDAR_SCOPE_EQ:
    key.key = KEY(var, HOW_EQ);
    break;
  case CEDAR_SCOPE_IN:
  case CEDAR_SCOPE_IS_IN:
    key.key = KEY(var, HOW_IN);
    break;
  case CEDAR_SCOPE_IS:
    key.key = KEY(var, HOW_IS);
    key.id = scope->type;
    break;
  case CEDAR_SCOPE_LIST:
    if (scope->count == 1) {
      key.key = KEY(var, HOW_IN);
      key.id = store->kids.at[scope->uid];
    }
    break;
  default:
    break;
  }
  return key;
}

/* The slot of a key in the table, taken or free; NULL when the table is full (damaged). */
static struct cedar_bucket *bucket_find(const struct cedar_store *store, struct key key) {
  uint32_t mask = store->buckets.n - 2, i = cedar_bucket_hash(key.key, key.id) & mask, probes;

  for (probes = 0; probes <= mask; probes++, i = (i + 1) & mask) {
    struct cedar_bucket *bucket = &store->buckets.at[i];

    if (bucket->key == CEDAR_NONE || (bucket->key == key.key && bucket->id == key.id))
      return bucket;
  }
  return NULL;
}

/* The bucket of a policy: the one of its keys that fewest policies have. */
static struct cedar_bucket *policy_bucket(const struct cedar_store *store,
                                          const struct cedar_policy *policy) {
  struct cedar_bucket *best = &store->buckets.at[store->buckets.n - 1];
  uint32_t least = UINT32_MAX;
  unsigned int i;

  for (i = 0; i < 3 && store->buckets.n > 1; i++) {
    struct key key = scope_key(store, &policy->scope[i], (enum cedar_var)i);
    struct cedar_bucket *bucket = key.key == CEDAR_NONE ? NULL : bucket_find(store, key);

    if (bucket != NULL && bucket->first < least) {
      least = bucket->first;
      best = bucket;
    }
  }
  return best;
}

/* n free slots and the bucket for all others. */
static void buckets_clear(struct cedar_store *store, uint32_t n) {
  uint32_t i;

  store->buckets.n = n + 1;
  for (i = 0; i <= n; i++) {
    struct cedar_bucket *bucket = &store->buckets.at[i];

    memset(bucket, 0, sizeof(*bucket));
    bucket->key = CEDAR_NONE;
  }
}

static enum cedar_status buckets_make(struct cedar_store *store) {
  uint32_t n = 0;
  enum cedar_status status;

  if (store->policies.n > FEW_POLICIES)
    for (n = 64; n < store->policies.n * 4; n *= 2)
      ;
  status = CEDAR_ROOM(store, buckets, n + 1, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  buckets_clear(store, n);
  return CEDAR_OK;
}

/* How many policies have each key; kept in `first` until the posts are laid out. */
static void keys_count(struct cedar_store *store) {
  uint32_t i;
  unsigned int v;

  for (i = 0; i < store->policies.n && store->buckets.n > 1; i++)
    for (v = 0; v < 3; v++) {
      struct key key = scope_key(store, &store->policies.at[i].scope[v], (enum cedar_var)v);
      struct cedar_bucket *bucket = key.key == CEDAR_NONE ? NULL : bucket_find(store, key);

      if (bucket == NULL)
        continue;
      bucket->key = key.key;
      bucket->id = key.id;
      bucket->first++;
    }
}

/*
 * Leaves only the buckets that have policies, in a table as small as they need: a process that
 * maps an image pays for every part of it that it touches first.
 */
static enum cedar_status buckets_shrink(struct cedar_store *store, struct cedar_arena *scratch) {
  uint32_t used = 0, n = 16, last = store->buckets.n - 1, i;
  struct cedar_bucket *old;

  for (i = 0; i < last; i++)
    used += store->buckets.at[i].count > 0;
  while (n < 2 * used)
    n *= 2;
  if (last == 0 || n >= last)
    return CEDAR_OK;
  old = cedar_arena_get_array(scratch, last + 1, sizeof(*old));
  if (old == NULL)
    return CEDAR_NOMEM;
  memcpy(old, store->buckets.at, (size_t)(last + 1) * sizeof(*old));
  buckets_clear(store, n);
  store->buckets.at[n] = old[last];
  for (i = 0; i < last; i++) {
    struct key key = {old[i].key, old[i].id};

    if (old[i].count > 0)
      *bucket_find(store, key) = old[i];
  }
  return CEDAR_OK;
}

/* The parts of a policy that a decision reads. */
static struct cedar_post post_make(const struct cedar_store *store, uint32_t index) {
  const struct cedar_policy *policy = &store->policies.at[index];
  struct cedar_post post = {.policy = index,
                            .conds = policy->conds,
                            .cond_count = policy->cond_count,
                            .effect = policy->effect};
  unsigned int i;

  if (policy->cond_count == 1)
    post.conds = store->kids.at[policy->conds];
  for (i = 0; i < 3; i++) {
    struct cedar_ask *ask = &post.ask[i];

    *ask = cedar_scope_ask(&policy->scope[i]);
    if (ask->op != CEDAR_SCOPE_LIST || ask->count != 1)
      continue;
    ask->op = CEDAR_SCOPE_IN;
    ask->uid = store->kids.at[ask->uid];
  }
  return post;
}

/* Counts, lays out and fills the lists; choosing a bucket needs the key counts each time. */
static enum cedar_status posts_fill(struct cedar_store *store, uint32_t *chosen) {
  enum cedar_status status;
  uint32_t i, next = 0;

  for (i = 0; i < store->policies.n; i++) {
    struct cedar_bucket *bucket;

    chosen[i] = CEDAR_NONE;
    if (store->policies.at[i].kind == CEDAR_POLICY_TEMPLATE)
      continue;
    bucket = policy_bucket(store, &store->policies.at[i]);
    bucket->count++;
    chosen[i] = (uint32_t)(bucket - store->buckets.at);
  }
  status = CEDAR_ROOM(store, posts, store->policies.n, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  for (i = 0; i < store->buckets.n; i++) {
    store->buckets.at[i].first = next;
    next += store->buckets.at[i].count;
    store->buckets.at[i].count = 0;
  }
  store->posts.n = next;
  for (i = 0; i < store->policies.n; i++) {
    struct cedar_bucket *bucket;

    if (chosen[i] == CEDAR_NONE)
      continue;
    bucket = &store->buckets.at[chosen[i]];
    store->posts.at[bucket->first + bucket->count++] = post_make(store, i);
  }
  return CEDAR_OK;
}

/* Which kinds of key there are at all stands in the last bucket, which is looked at first. */
static void kinds_note(struct cedar_store *store) {
  uint32_t last = store->buckets.n - 1, i;

  for (i = 0; i < last; i++)
    if (store->buckets.at[i].count > 0)
      store->buckets.at[last].id |= UINT32_C(1) << store->buckets.at[i].key;
}

enum cedar_status cedar_index_build(struct cedar_store *store) {
  enum cedar_status status = buckets_make(store);
  struct cedar_arena scratch;
  uint32_t *chosen;

  if (status != CEDAR_OK)
    return status;
  keys_count(store);
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  chosen = cedar_arena_get_array(&scratch, store->policies.n, sizeof(*chosen));
  status = chosen == NULL ? CEDAR_NOMEM : posts_fill(store, chosen);
  if (status == CEDAR_OK)
    status = buckets_shrink(store, &scratch);
  if (status == CEDAR_OK)
    kinds_note(store);
  cedar_arena_clear(&scratch);
  return status;
}

static bool bucket_visit(struct cedar_outcome *o, const struct cedar_bucket *bucket,
                         cedar_visit_fn *visit) {
  const struct cedar_store *store = o->e.store;
  const struct cedar_post *post, *end;

  if (bucket->count == 0)
    return true;
  post = cedar_posts_get(store, bucket->first, bucket->count);
  if (post == NULL)
    return false;
  for (end = post + bucket->count; post < end; post++)
    if (post->policy >= store->policies.n || !visit(o, post))
      return false;
  return true;
}

/* As bucket_find(), in a store that may be an image. */
static bool key_visit(struct cedar_outcome *o, enum cedar_var var, enum how how, uint32_t id,
                      cedar_visit_fn *visit) {
  const struct cedar_store *store = o->e.store;
  struct key key = {KEY(var, how), id};
  uint32_t mask = store->buckets.n - 2, hash, i, probes;

  /* A name that only the request has is in no head. */
  if ((o->kinds >> key.key & 1) == 0 || id >= (how == HOW_IS ? store->syms.n : store->uids.n))
    return true;
  hash = cedar_bucket_hash(key.key, key.id);
  if (!cedar_filter_may_have(store, hash))
    return true;
  i = hash & mask;
  for (probes = 0; probes <= mask; probes++, i = (i + 1) & mask) {
    const struct cedar_bucket *bucket = cedar_buckets_get(store, i, 1);

    if (bucket == NULL || bucket->key == CEDAR_NONE)
      return bucket != NULL;
    if (bucket->key == key.key && bucket->id == key.id) {
      o->found_var = how == HOW_IS ? CEDAR_CONTEXT : var;
      o->found.op = how == HOW_EQ ? CEDAR_SCOPE_EQ : CEDAR_SCOPE_IN;
      o->found.uid = id;
      return bucket_visit(o, bucket, visit);
    }
  }
  return false;
}

/* Everything a scope could ask of one variable: itself, its type, what it is in. */
static bool var_visit(struct cedar_outcome *o, enum cedar_var var, cedar_visit_fn *visit) {
  const struct cedar_var_view *view = &o->e.var[var];
  uint32_t i;

  if (!key_visit(o, var, HOW_EQ, view->uid, visit) ||
      !key_visit(o, var, HOW_IN, view->uid, visit) || !key_visit(o, var, HOW_IS, view->type, visit))
    return false;
  for (i = 0; i < view->count; i++)
    if (!key_visit(o, var, HOW_IN, view->above[i], visit))
      return false;
  return true;
}

bool cedar_index_visit(struct cedar_outcome *o, cedar_visit_fn *visit) {
  const struct cedar_store *store = o->e.store;
  const struct cedar_bucket *others;

  if (store->buckets.n == 0)
    return store->policies.n == 0;
  o->found_var = CEDAR_CONTEXT;
  others = cedar_buckets_get(store, store->buckets.n - 1, 1);
  if (others == NULL)
    return false;
  o->kinds = others->id;
  if (!bucket_visit(o, others, visit))
    return false;
  if (store->buckets.n == 1)
    return true;
  return var_visit(o, CEDAR_PRINCIPAL, visit) && var_visit(o, CEDAR_ACTION, visit) &&
         var_visit(o, CEDAR_RESOURCE, visit);
}
