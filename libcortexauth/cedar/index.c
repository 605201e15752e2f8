/*
 * The scope index: a request meets only policies that may concern it. Scopes cannot err, so a
 * policy that is passed over changes neither reasons nor errors.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "authorize.h"

/* Up to this many policies one list is faster than looking anything up. */
#define FEW_POLICIES 16U

/* Up to so much code a bucket is read as a whole; else the posts, and a few bodies at a time. */
#define UNITS_AT_ONCE 16384U
#define UNITS_AHEAD 192U

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
      key.id = store->code.at[scope->uid];
    }
    break;
  default:
    break;
  }
  return key;
}

bool cedar_bucket_answers(const struct cedar_bucket *bucket, const struct cedar_ask *ask,
                          enum cedar_var var) {
  if (bucket->key == KEY(var, HOW_EQ))
    return ask->op == CEDAR_SCOPE_EQ;
  if (bucket->key == KEY(var, HOW_IN))
    return ask->op == CEDAR_SCOPE_IN;
  return bucket->key == KEY(var, HOW_IS) && ask->op == CEDAR_SCOPE_IS;
}

/* The slot of a key in the table, taken or free; NULL when the table is full (damaged). */
static struct cedar_bucket *bucket_find(const struct cedar_store *store, struct key key) {
  uint32_t mask = store->buckets.n - 1, i = cedar_bucket_hash(key.key, key.id) & mask, probes;

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
  struct cedar_bucket *best = &store->others.at[0];
  uint32_t least = UINT32_MAX;
  unsigned int i;

  for (i = 0; i < 3 && store->buckets.n > 0; i++) {
    struct key key = scope_key(store, &policy->scope[i], (enum cedar_var)i);
    struct cedar_bucket *bucket = key.key == CEDAR_NONE ? NULL : bucket_find(store, key);

    if (bucket != NULL && bucket->first < least) {
      least = bucket->first;
      best = bucket;
    }
  }
  return best;
}

static void bucket_clear(struct cedar_bucket *bucket) {
  memset(bucket, 0, sizeof(*bucket));
  bucket->key = CEDAR_NONE;
}

/* n free slots. */
static void buckets_clear(struct cedar_store *store, uint32_t n) {
  uint32_t i;

  store->buckets.n = n;
  for (i = 0; i < n; i++)
    bucket_clear(&store->buckets.at[i]);
}

static enum cedar_status buckets_make(struct cedar_store *store) {
  uint32_t n = 0;
  enum cedar_status status;

  if (store->policies.n > FEW_POLICIES)
    for (n = 64; n < store->policies.n * 4; n *= 2)
      ;
  status = CEDAR_ROOM(store, others, 1, 1);
  if (status == CEDAR_OK && n > 0)
    status = CEDAR_ROOM(store, buckets, n, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  store->others.n = 1;
  bucket_clear(&store->others.at[0]);
  buckets_clear(store, n);
  return CEDAR_OK;
}

/* How many policies have each key; kept in `first` until each policy has its bucket. */
static void keys_count(struct cedar_store *store) {
  uint32_t i;
  unsigned int v;

  for (i = 0; i < store->policies.n && store->buckets.n > 0; i++)
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
  uint32_t used = 0, n = 16, all = store->buckets.n, i;
  struct cedar_bucket *old;

  for (i = 0; i < all; i++)
    used += store->buckets.at[i].count > 0;
  while (n < 2 * used)
    n *= 2;
  if (n >= all)
    return CEDAR_OK;
  old = cedar_arena_get_array(scratch, all, sizeof(*old));
  if (old == NULL)
    return CEDAR_NOMEM;
  memcpy(old, store->buckets.at, all * sizeof(*old));
  buckets_clear(store, n);
  for (i = 0; i < all; i++) {
    struct key key = {old[i].key, old[i].id};

    if (old[i].count > 0)
      *bucket_find(store, key) = old[i];
  }
  return CEDAR_OK;
}

/* Gives a bucket a range of the order. */
static void range_begin(struct cedar_bucket *bucket, uint32_t *next) {
  bucket->first = *next;
  *next += bucket->count;
  bucket->count = 0;
}

/* Counts, divides and fills the order; choosing a bucket needs the key counts each time. */
static void order_fill(struct cedar_store *store, struct cedar_bucket **chosen, uint32_t *order) {
  uint32_t i, next = 0;

  for (i = 0; i < store->policies.n; i++) {
    chosen[i] = NULL;
    if (store->policies.at[i].kind == CEDAR_POLICY_TEMPLATE)
      continue;
    chosen[i] = policy_bucket(store, &store->policies.at[i]);
    chosen[i]->count++;
  }
  for (i = 0; i < store->buckets.n; i++)
    range_begin(&store->buckets.at[i], &next);
  range_begin(&store->others.at[0], &next);
  for (i = 0; i < store->policies.n; i++)
    if (chosen[i] != NULL)
      order[chosen[i]->first + chosen[i]->count++] = i;
}

/* Which kinds of key there are at all stands in the bucket that is looked at first. */
static void kinds_note(struct cedar_store *store) {
  uint32_t i;

  for (i = 0; i < store->buckets.n; i++)
    if (store->buckets.at[i].count > 0)
      store->others.at[0].id |= UINT32_C(1) << store->buckets.at[i].key;
}

enum cedar_status cedar_index_build(struct cedar_store *store) {
  enum cedar_status status = buckets_make(store);
  struct cedar_bucket **chosen;
  struct cedar_arena scratch;
  uint32_t *order;

  if (status != CEDAR_OK)
    return status;
  keys_count(store);
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  chosen = cedar_arena_get_array(&scratch, store->policies.n, sizeof(struct cedar_bucket *));
  order = cedar_arena_get_array(&scratch, store->policies.n, sizeof(*order));
  status = chosen == NULL || order == NULL ? CEDAR_NOMEM : CEDAR_OK;
  if (status == CEDAR_OK) {
    order_fill(store, chosen, order);
    status = buckets_shrink(store, &scratch);
  }
  if (status == CEDAR_OK) {
    kinds_note(store);
    status = cedar_code_lay_out(store, &scratch, order);
  }
  cedar_arena_clear(&scratch);
  return status;
}

static const struct cedar_post *posts_get(struct cedar_eval *e, const struct cedar_bucket *bucket) {
  uint32_t units = bucket->count * CEDAR_POST_UNITS;

  if (bucket->count > e->store->policies.n)
    return NULL;
  if (e->store->pager != NULL) {
    e->ahead = bucket->units > UNITS_AT_ONCE ? UNITS_AHEAD : 0;
    e->code.n = e->ahead > 0 ? units : bucket->units;
    e->code.first = bucket->first;
    e->code.at = cedar_code_get(e->store, bucket->first, e->code.n);
    if (e->code.at == NULL)
      e->code.n = 0;
  }
  return (const struct cedar_post *)(const void *)cedar_eval_code(e, bucket->first, units);
}

static bool ask_fits(const struct cedar_eval *e, const struct cedar_post *post,
                     enum cedar_var var) {
  const struct cedar_ask *ask = &post->ask[var];

  if (ask->op == CEDAR_SCOPE_ANY)
    return true;
  if (ask->op == CEDAR_SCOPE_IN)
    return cedar_var_in(&e->var[var], ask->uid);
  return cedar_ask_matches(e, ask, var);
}

static bool bucket_visit(struct cedar_outcome *o, const struct cedar_bucket *bucket,
                         cedar_visit_fn *visit) {
  const struct cedar_post *post, *end;

  if (bucket->count == 0)
    return true;
  post = posts_get(&o->e, bucket);
  if (post == NULL)
    return false;
  for (end = post + bucket->count; post < end; post++) {
    if (post->policy >= o->e.store->policies.n)
      return false;
    if (ask_fits(&o->e, post, CEDAR_ACTION) && ask_fits(&o->e, post, CEDAR_PRINCIPAL) &&
        ask_fits(&o->e, post, CEDAR_RESOURCE) && !visit(o, post))
      return false;
  }
  return true;
}

/* As bucket_find(), in a store that may be an image. */
static bool key_visit(struct cedar_outcome *o, enum cedar_var var, enum how how, uint32_t id,
                      cedar_visit_fn *visit) {
  const struct cedar_store *store = o->e.store;
  struct key key = {KEY(var, how), id};
  uint32_t mask = store->buckets.n - 1, hash, i, probes;

  /* A name that only the request has is in no head. */
  if ((o->kinds >> key.key & 1) == 0 || id >= (how == HOW_IS ? store->texts.n : store->uids.n))
    return true;
  hash = cedar_bucket_hash(key.key, key.id);
  if (!cedar_filter_may_have(store, hash))
    return true;
  i = hash & mask;
  for (probes = 0; probes <= mask; probes++, i = (i + 1) & mask) {
    const struct cedar_bucket *bucket = cedar_buckets_get(store, i, 1);

    if (bucket == NULL || bucket->key == CEDAR_NONE)
      return bucket != NULL;
    if (bucket->key == key.key && bucket->id == key.id)
      return bucket_visit(o, bucket, visit);
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

  if (store->others.n == 0)
    return store->policies.n == 0;
  o->kinds = store->others.at[0].id;
  if (!bucket_visit(o, &store->others.at[0], visit))
    return false;
  if (store->buckets.n == 0)
    return true;
  return var_visit(o, CEDAR_PRINCIPAL, visit) && var_visit(o, CEDAR_ACTION, visit) &&
         var_visit(o, CEDAR_RESOURCE, visit);
}
