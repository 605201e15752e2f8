/*
 * Types of && || ! if: what is surely true or false cuts off what would not be evaluated.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "typecheck.h"

static const struct cedar_type *plain_bool(void) {
  return cedar_type_plain(CEDAR_TYPE_BOOL);
}

/* A result of two operands: good when both are, and only then with gains. */
static struct cedar_typed typed_of(const struct cedar_type *type, bool good,
                                   const struct cedar_capability *gains) {
  struct cedar_typed typed = {type, good, good ? gains : NULL};

  return typed;
}

struct cedar_typed cedar_typed_and(struct cedar_checker *c, struct cedar_typed left,
                                   struct cedar_typed right) {
  bool good = left.good && right.good;

  if (left.type == NULL || right.type == NULL)
    return typed_of(plain_bool(), false, NULL);
  if (right.type == &cedar_type_false)
    return typed_of(&cedar_type_false, good, NULL);
  if (right.type == &cedar_type_true)
    return typed_of(left.type, good, cedar_capability_union(c, left.gains, right.gains));
  /* The official validator forgets what a surely true left side has gained. */
  if (left.type == &cedar_type_true)
    return typed_of(right.type, good, right.gains);
  return typed_of(plain_bool(), good, cedar_capability_union(c, left.gains, right.gains));
}

static struct cedar_typed check_and(struct cedar_checker *c, const struct cedar_capability *prior,
                                    const struct cedar_node *node) {
  const uint32_t *kids = c->store->code.at + node->a;
  struct cedar_typed left = cedar_check_want(c, prior, kids[0], CEDAR_WANT_BOOL), right;
  const struct cedar_capability *known = cedar_capability_union(c, prior, left.gains);
  uint32_t i;

  for (i = 1; i < node->b && left.type != &cedar_type_false; i++) {
    right = cedar_check_want(c, known, kids[i], CEDAR_WANT_BOOL);
    known = left.type == &cedar_type_true && right.type != &cedar_type_true
                ? cedar_capability_union(c, prior, right.gains)
                : cedar_capability_union(c, known, right.gains);
    left = cedar_typed_and(c, left, right);
  }
  return left;
}

static struct cedar_typed typed_or(struct cedar_checker *c, struct cedar_typed left,
                                   struct cedar_typed right) {
  bool good = left.good && right.good;

  if (left.type == NULL || right.type == NULL)
    return typed_of(plain_bool(), false, NULL);
  if (right.type == &cedar_type_true)
    return typed_of(&cedar_type_true, good, right.gains);
  if (right.type == &cedar_type_false)
    return typed_of(left.type, good, left.gains);
  if (left.type == &cedar_type_false)
    return typed_of(right.type, good, right.gains);
  return typed_of(plain_bool(), good, cedar_capability_common(c, right.gains, left.gains));
}

static struct cedar_typed check_or(struct cedar_checker *c, const struct cedar_capability *prior,
                                   const struct cedar_node *node) {
  const uint32_t *kids = c->store->code.at + node->a;
  struct cedar_typed left = cedar_check_want(c, prior, kids[0], CEDAR_WANT_BOOL);
  uint32_t i;

  for (i = 1; i < node->b && left.type != &cedar_type_true; i++)
    left = typed_or(c, left, cedar_check_want(c, prior, kids[i], CEDAR_WANT_BOOL));
  return left;
}

static struct cedar_typed check_not(struct cedar_checker *c, const struct cedar_capability *prior,
                                    const struct cedar_node *node) {
  struct cedar_typed typed = cedar_check_want(c, prior, node->a, CEDAR_WANT_BOOL);

  if (typed.type == NULL)
    return typed_of(plain_bool(), false, NULL);
  if (typed.type == &cedar_type_true || typed.type == &cedar_type_false)
    return typed_of(typed.type == &cedar_type_true ? &cedar_type_false : &cedar_type_true,
                    typed.good, NULL);
  return typed_of(typed.type, typed.good, NULL);
}

static struct cedar_typed check_branches(struct cedar_checker *c,
                                         const struct cedar_capability *prior, uint32_t index,
                                         struct cedar_typed test) {
  const struct cedar_node *node = cedar_check_node(c, index);
  struct cedar_typed yes = cedar_check(c, cedar_capability_union(c, prior, test.gains), node->b);
  struct cedar_typed no = cedar_check(c, prior, node->c);
  const struct cedar_capability *gains =
      yes.good ? cedar_capability_union(c, yes.gains, test.gains) : NULL;
  const struct cedar_type *type;

  if (yes.type == NULL || no.type == NULL)
    return typed_of(NULL, false, NULL);
  type = cedar_type_join(c, yes.type, no.type);
  if (type == NULL)
    cedar_check_misfit(c, index, "the branches of `if` have types", yes.type, no.type);
  return typed_of(type, type != NULL && test.good && yes.good && no.good,
                  cedar_capability_common(c, no.gains, gains));
}

static struct cedar_typed check_if(struct cedar_checker *c, const struct cedar_capability *prior,
                                   uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  struct cedar_typed test = cedar_check_want(c, prior, node->a, CEDAR_WANT_BOOL), branch;

  if (test.type == &cedar_type_true) {
    branch = cedar_check(c, cedar_capability_union(c, prior, test.gains), node->b);
    return typed_of(branch.type, test.good && branch.good,
                    cedar_capability_union(c, branch.gains, test.gains));
  }
  if (test.type == &cedar_type_false) {
    branch = cedar_check(c, prior, node->c);
    return typed_of(branch.type, test.good && branch.good, branch.gains);
  }
  return check_branches(c, prior, index, test);
}

struct cedar_typed cedar_check_logic(struct cedar_checker *c, const struct cedar_capability *prior,
                                     uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);

  if (node->op == CEDAR_OP_AND)
    return check_and(c, prior, node);
  if (node->op == CEDAR_OP_OR)
    return check_or(c, prior, node);
  return node->op == CEDAR_OP_NOT ? check_not(c, prior, node) : check_if(c, prior, index);
}
