/*
 * The operands of a node, whatever it is.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store.h"

/* How many of a, b, c of a node are nodes themselves. */
static uint32_t direct_kids(const struct cedar_node *node) {
  enum cedar_op op = (enum cedar_op)node->op;

  if (op <= CEDAR_OP_VAR)
    return 0;
  if (op == CEDAR_OP_IF)
    return 3;
  return op >= CEDAR_OP_EQ && op <= CEDAR_OP_HAS_TAG ? 2 : 1;
}

bool cedar_node_kid(const struct cedar_store *store, const struct cedar_node *node,
                    uint32_t position, uint32_t *kid_out) {
  const uint32_t direct[] = {node->a, node->b, node->c};
  bool list = node->op == CEDAR_OP_AND || node->op == CEDAR_OP_OR || node->op == CEDAR_OP_SET ||
              node->op == CEDAR_OP_CALL,
       record = node->op == CEDAR_OP_RECORD;

  if (list || record) {
    if (position >= node->b)
      return false;
    *kid_out = store->code.at[node->a + (record ? 2 * position + 1 : position)];
    return true;
  }
  if (node->op == CEDAR_OP_IS && node->c != CEDAR_NONE && position == 1) {
    *kid_out = node->c;
    return true;
  }
  if (position >= direct_kids(node))
    return false;
  *kid_out = direct[position];
  return true;
}
