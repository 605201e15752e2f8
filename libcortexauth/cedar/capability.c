/*
 * Capabilities: which optional attributes and tags are known to be there.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "typecheck.h"

const struct cedar_capability *cedar_capability_put(struct cedar_checker *c,
                                                    const struct cedar_capability *list,
                                                    const struct cedar_capability *one) {
  struct cedar_capability *made = cedar_check_get(c, 1, sizeof(*made));

  if (made == NULL)
    return list;
  *made = *one;
  made->next = list;
  return made;
}

const struct cedar_capability *cedar_capability_union(struct cedar_checker *c,
                                                      const struct cedar_capability *a,
                                                      const struct cedar_capability *b) {
  if (a == NULL || a == b)
    return b;
  for (; b != NULL; b = b->next)
    a = cedar_capability_put(c, a, b);
  return a;
}

const struct cedar_capability *cedar_capability_common(struct cedar_checker *c,
                                                       const struct cedar_capability *a,
                                                       const struct cedar_capability *b) {
  const struct cedar_capability *both = NULL;

  for (; a != NULL; a = a->next)
    if (cedar_capability_has(c, b, a))
      both = cedar_capability_put(c, both, a);
  return both;
}

static bool kids_same(const struct cedar_checker *c, uint32_t a, uint32_t b, uint32_t count);

/* Kinds of nodes whose operands a, b (and c) are nodes, by how many there are. */
static unsigned int operand_count(enum cedar_op op) {
  if (op == CEDAR_OP_IF)
    return 3;
  if (op >= CEDAR_OP_EQ && op <= CEDAR_OP_HAS_TAG)
    return 2;
  return op == CEDAR_OP_NOT || op == CEDAR_OP_NEG || op == CEDAR_OP_IS_EMPTY ? 1 : 0;
}

/* Whether two trees are the same expression; depth is bounded by the height of nodes. */
static bool node_same(const struct cedar_checker *c, uint32_t x, uint32_t y) {
  const struct cedar_node *a = cedar_check_node(c, x), *b = cedar_check_node(c, y);
  const uint32_t *kids = c->store->code.at;
  uint32_t i;

  if (x == y)
    return true;
  if (a->op != b->op)
    return false;
  switch (operand_count((enum cedar_op)a->op)) {
  case 1:
    return node_same(c, a->a, b->a);
  case 2:
    return node_same(c, a->a, b->a) && node_same(c, a->b, b->b);
  case 3:
    return node_same(c, a->a, b->a) && node_same(c, a->b, b->b) && node_same(c, a->c, b->c);
  default:
    break;
  }
  if (a->op == CEDAR_OP_AND || a->op == CEDAR_OP_OR || a->op == CEDAR_OP_SET ||
      a->op == CEDAR_OP_CALL)
    return a->b == b->b && a->flags == b->flags && kids_same(c, a->a, b->a, a->b);
  if (a->op == CEDAR_OP_GET || a->op == CEDAR_OP_LIKE)
    return a->b == b->b && node_same(c, a->a, b->a);
  if (a->op == CEDAR_OP_IS)
    return a->b == b->b && (a->c == CEDAR_NONE) == (b->c == CEDAR_NONE) &&
           node_same(c, a->a, b->a) && (a->c == CEDAR_NONE || node_same(c, a->c, b->c));
  if (a->op == CEDAR_OP_HAS) {
    for (i = 0; i < a->c && a->c == b->c; i++)
      if (kids[a->b + i] != kids[b->b + i])
        return false;
    return a->c == b->c && node_same(c, a->a, b->a);
  }
  if (a->op == CEDAR_OP_RECORD) {
    for (i = 0; i < a->b && a->b == b->b; i++)
      if (kids[a->a + 2 * i] != kids[b->a + 2 * i] ||
          !node_same(c, kids[a->a + 2 * i + 1], kids[b->a + 2 * i + 1]))
        return false;
    return a->b == b->b;
  }
  return a->a == b->a && a->b == b->b;
}

static bool kids_same(const struct cedar_checker *c, uint32_t a, uint32_t b, uint32_t count) {
  uint32_t i;

  for (i = 0; i < count; i++)
    if (!node_same(c, c->store->code.at[a + i], c->store->code.at[b + i]))
      return false;
  return true;
}

/* Takes the last attribute off a subject; false when it is no attribute access. */
static bool subject_step(const struct cedar_checker *c, struct cedar_subject *subject,
                         uint32_t *attr_out) {
  const struct cedar_node *node;

  if (subject->count > 0) {
    *attr_out = subject->path[--subject->count];
    return true;
  }
  node = cedar_check_node(c, subject->node);
  if (node->op != CEDAR_OP_GET)
    return false;
  *attr_out = node->b;
  subject->node = node->a;
  return true;
}

static bool subject_same(const struct cedar_checker *c, struct cedar_subject a,
                         struct cedar_subject b) {
  uint32_t left, right;
  bool step;

  for (;;) {
    if (a.count == 0 && b.count == 0 && a.node == b.node)
      return true;
    step = subject_step(c, &a, &left);
    if (step != subject_step(c, &b, &right))
      return false;
    if (!step)
      return node_same(c, a.node, b.node);
    if (left != right)
      return false;
  }
}

bool cedar_capability_has(const struct cedar_checker *c, const struct cedar_capability *list,
                          const struct cedar_capability *one) {
  for (; list != NULL; list = list->next)
    if (list->tag == one->tag &&
        (list->tag ? node_same(c, list->key, one->key) : list->key == one->key) &&
        subject_same(c, list->subject, one->subject))
      return true;
  return false;
}
