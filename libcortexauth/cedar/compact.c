/*
 * Lays the code out in the order of the scope index, so that what one request needs lies together:
 * of each bucket the posts, then the bodies, each list behind the node that has it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"
#include "eval.h"

struct mover {
  struct cedar_store *store;
  uint32_t *code;
  uint32_t n;
  uint32_t *conds; /* per policy: where its body went, CEDAR_NONE before */
  uint32_t *lists; /* per policy: where its list of actions went */
};

static uint32_t node_move(struct mover *m, uint32_t old);

static uint32_t reserve(struct mover *m, uint32_t units) {
  uint32_t first = m->n;

  m->n += units;
  return first;
}

/* Every step-th item of a list is a node, the others are symbols. */
static uint32_t list_move(struct mover *m, uint32_t old, uint32_t count, uint32_t step) {
  uint32_t first = reserve(m, count), i;

  for (i = 0; i < count; i++) {
    uint32_t item = m->store->code.at[old + i];

    m->code[first + i] = i % step == step - 1 ? node_move(m, item) : item;
  }
  return first;
}

static uint32_t words_move(struct mover *m, uint32_t old, uint32_t count) {
  uint32_t first = reserve(m, count);

  if (count > 0)
    memcpy(m->code + first, m->store->code.at + old, count * sizeof(*m->code));
  return first;
}

/* Operands go behind their node; the height of a tree bounds the recursion. */
static uint32_t node_move(struct mover *m, uint32_t old) {
  struct cedar_node n = *cedar_node_at(m->store, old);
  uint32_t to = reserve(m, CEDAR_NODE_UNITS);

  switch (n.op) {
  case CEDAR_OP_AND:
  case CEDAR_OP_OR:
  case CEDAR_OP_SET:
  case CEDAR_OP_CALL:
    n.a = list_move(m, n.a, n.b, 1);
    break;
  case CEDAR_OP_RECORD:
    n.a = list_move(m, n.a, 2 * n.b, 2);
    break;
  case CEDAR_OP_HAS:
    n.b = words_move(m, n.b, n.c);
    n.a = node_move(m, n.a);
    break;
  default:
    if (n.op >= CEDAR_OP_IF && n.op <= CEDAR_OP_UNLESS)
      n.a = node_move(m, n.a);
    if (n.op == CEDAR_OP_IF || (n.op >= CEDAR_OP_EQ && n.op <= CEDAR_OP_HAS_TAG))
      n.b = node_move(m, n.b);
    if (n.op == CEDAR_OP_IF || (n.op == CEDAR_OP_IS && n.c != CEDAR_NONE))
      n.c = node_move(m, n.c);
  }
  *(struct cedar_node *)(void *)(m->code + to) = n;
  return to;
}

/* Moves a policy's body and action list, a link's with its template's, once. */
static void policy_move(struct mover *m, uint32_t index) {
  struct cedar_policy *policy = &m->store->policies.at[index];
  struct cedar_scope *action = &policy->scope[CEDAR_ACTION];
  uint32_t owner = policy->tmpl;

  if (m->conds[owner] == CEDAR_NONE) {
    if (action->op == CEDAR_SCOPE_LIST)
      m->lists[owner] = words_move(m, action->uid, action->count);
    m->conds[owner] = list_move(m, policy->conds, policy->cond_count, 1);
  }
  policy->conds = m->conds[owner];
  if (action->op == CEDAR_SCOPE_LIST)
    action->uid = m->lists[owner];
}

/* The parts of a policy that a decision reads; what its bucket tells need not be asked again. */
static struct cedar_post post_make(const struct mover *m, const struct cedar_bucket *bucket,
                                   uint32_t index) {
  const struct cedar_policy *policy = &m->store->policies.at[index];
  struct cedar_post post = {.policy = index,
                            .conds = policy->conds,
                            .cond_count = policy->cond_count,
                            .effect = policy->effect};
  unsigned int i;

  if (policy->cond_count == 1)
    post.conds = m->code[policy->conds];
  for (i = 0; i < 3; i++) {
    struct cedar_ask *ask = &post.ask[i];

    *ask = cedar_scope_ask(&policy->scope[i]);
    if (ask->op == CEDAR_SCOPE_LIST && ask->count == 1) {
      ask->op = CEDAR_SCOPE_IN;
      ask->uid = m->code[ask->uid];
    }
    if (cedar_bucket_answers(bucket, ask, (enum cedar_var)i))
      ask->op = CEDAR_SCOPE_ANY;
  }
  return post;
}

static void bucket_move(struct mover *m, struct cedar_bucket *bucket, const uint32_t *order) {
  uint32_t first = reserve(m, bucket->count * CEDAR_POST_UNITS), i;
  struct cedar_post *post = (struct cedar_post *)(void *)(m->code + first);

  for (i = 0; i < bucket->count; i++) {
    policy_move(m, order[bucket->first + i]);
    post[i] = post_make(m, bucket, order[bucket->first + i]);
  }
  bucket->first = first;
  bucket->units = m->n - first;
}

static void all_move(struct mover *m, const uint32_t *order) {
  uint32_t i;

  memset(m->conds, 0xff, m->store->policies.n * sizeof(*m->conds));
  for (i = 0; i < m->store->buckets.n; i++)
    bucket_move(m, &m->store->buckets.at[i], order);
  bucket_move(m, &m->store->others.at[0], order);
  for (i = 0; i < m->store->policies.n; i++)
    if (m->store->policies.at[i].kind == CEDAR_POLICY_TEMPLATE)
      policy_move(m, i);
}

enum cedar_status cedar_code_lay_out(struct cedar_store *store, struct cedar_arena *scratch,
                                     const uint32_t *order) {
  uint64_t units = (uint64_t)store->policies.n * CEDAR_POST_UNITS + store->code.n;
  uint32_t count = store->policies.n, cap = 0;
  struct mover m = {.store = store};
  enum cedar_status status;
  void *code = NULL;

  m.conds = cedar_arena_get_array(scratch, count, sizeof(*m.conds));
  m.lists = cedar_arena_get_array(scratch, count, sizeof(*m.lists));
  if (m.conds == NULL || m.lists == NULL)
    return CEDAR_NOMEM;
  status = cedar_array_grow(&store->alloc, &code, &cap, sizeof(*m.code), units, CEDAR_MAX_CODE);
  if (status != CEDAR_OK)
    return status;
  m.code = code;
  all_move(&m, order);
  if (store->code.at != NULL)
    store->alloc.free(store->alloc.ctx, store->code.at, store->code.cap * sizeof(*m.code));
  store->code.at = m.code;
  store->code.n = m.n;
  store->code.cap = cap;
  return CEDAR_OK;
}
