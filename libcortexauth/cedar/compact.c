/*
 * Lays a large policy set out in the order of the scope index, so that what one request needs
 * lies together: a process that maps an image pays for each part of it that it touches.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"

/* Below this many policies everything lies together anyway. */
#define MANY_POLICIES 256U

struct mover {
  struct cedar_store *store;
  struct cedar_node *nodes;
  uint32_t node_n;
  uint32_t *kids;
  uint32_t kid_n;
  uint32_t *conds; /* per policy: where its body went, CEDAR_NONE before */
  uint32_t *lists; /* per policy: where its list of actions went */
};

static uint32_t node_move(struct mover *m, uint32_t old);

static uint32_t kids_reserve(struct mover *m, uint32_t count) {
  uint32_t first = m->kid_n;

  m->kid_n += count;
  return first;
}

/* Every step-th item of a list is a node, the others are symbols. */
static uint32_t list_move(struct mover *m, uint32_t old, uint32_t count, uint32_t step) {
  uint32_t first = kids_reserve(m, count), i;

  for (i = 0; i < count; i++) {
    uint32_t item = m->store->kids.at[old + i];

    m->kids[first + i] = i % step == step - 1 ? node_move(m, item) : item;
  }
  return first;
}

static uint32_t words_move(struct mover *m, uint32_t old, uint32_t count) {
  uint32_t first = kids_reserve(m, count);

  if (count > 0)
    memcpy(m->kids + first, m->store->kids.at + old, count * sizeof(*m->kids));
  return first;
}

/* Operands go behind their node; the height of a tree bounds the recursion. */
static uint32_t node_move(struct mover *m, uint32_t old) {
  struct cedar_node n = m->store->nodes.at[old];
  uint32_t to = m->node_n++;

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
    n.a = node_move(m, n.a);
    n.b = words_move(m, n.b, n.c);
    break;
  default:
    if (n.op >= CEDAR_OP_IF && n.op <= CEDAR_OP_UNLESS)
      n.a = node_move(m, n.a);
    if (n.op == CEDAR_OP_IF || (n.op >= CEDAR_OP_EQ && n.op <= CEDAR_OP_HAS_TAG))
      n.b = node_move(m, n.b);
    if (n.op == CEDAR_OP_IF || (n.op == CEDAR_OP_IS && n.c != CEDAR_NONE))
      n.c = node_move(m, n.c);
  }
  m->nodes[to] = n;
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

static void all_move(struct mover *m) {
  uint32_t i;

  memset(m->conds, 0xff, m->store->policies.n * sizeof(*m->conds));
  for (i = 0; i < m->store->posts.n; i++) {
    struct cedar_post *post = &m->store->posts.at[i];
    const struct cedar_policy *policy = &m->store->policies.at[post->policy];

    policy_move(m, post->policy);
    post->conds = policy->cond_count == 1 ? m->kids[policy->conds] : policy->conds;
    if (post->ask[CEDAR_ACTION].op == CEDAR_SCOPE_LIST)
      post->ask[CEDAR_ACTION].uid = policy->scope[CEDAR_ACTION].uid;
  }
  for (i = 0; i < m->store->policies.n; i++)
    if (m->store->policies.at[i].kind == CEDAR_POLICY_TEMPLATE)
      policy_move(m, i);
}

enum cedar_status cedar_store_compact(struct cedar_store *store) {
  struct mover m = {.store = store};
  struct cedar_arena scratch;
  enum cedar_status status = CEDAR_NOMEM;

  if (store->policies.n < MANY_POLICIES)
    return CEDAR_OK;
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  m.nodes = cedar_arena_get(&scratch, store->nodes.n * sizeof(*m.nodes));
  m.kids = cedar_arena_get(&scratch, store->kids.n * sizeof(*m.kids));
  m.conds = cedar_arena_get(&scratch, store->policies.n * sizeof(*m.conds));
  m.lists = cedar_arena_get(&scratch, store->policies.n * sizeof(*m.lists));
  if (m.nodes != NULL && m.kids != NULL && m.conds != NULL && m.lists != NULL) {
    all_move(&m);
    if (m.node_n > 0)
      memcpy(store->nodes.at, m.nodes, m.node_n * sizeof(*m.nodes));
    if (m.kid_n > 0)
      memcpy(store->kids.at, m.kids, m.kid_n * sizeof(*m.kids));
    store->nodes.n = m.node_n;
    store->kids.n = m.kid_n;
    status = CEDAR_OK;
  }
  cedar_arena_clear(&scratch);
  return status;
}
