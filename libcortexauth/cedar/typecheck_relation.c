/*
 * Types of comparisons, membership, sets' methods and arithmetic; and of the head of a policy.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "typecheck.h"

static struct cedar_typed typed_bool(bool good) {
  return cedar_typed_make(cedar_type_plain(CEDAR_TYPE_BOOL), good);
}

static const struct cedar_type *type_of_truth(bool truth) {
  return truth ? &cedar_type_true : &cedar_type_false;
}

/* ---- == ---- */

/* An operand that is a literal, the action of the request included. */
struct literal {
  enum cedar_op op; /* CEDAR_OP_NONE: it is none */
  uint32_t a;
  uint32_t b;
};

/* true && false is a literal to the official parser. */
static struct literal chain_literal(const struct cedar_checker *c, const struct cedar_node *node) {
  struct literal literal = {CEDAR_OP_BOOL, node->op == CEDAR_OP_AND, 0};
  const struct cedar_node *kid;
  uint32_t i;

  for (i = 0; i < node->b; i++) {
    kid = cedar_check_node(c, c->store->code.at[node->a + i]);
    if (kid->op != CEDAR_OP_BOOL) {
      literal.op = CEDAR_OP_NONE;
      return literal;
    }
    literal.a = node->op == CEDAR_OP_AND ? (literal.a && kid->a) : (literal.a || kid->a);
  }
  return literal;
}

static struct literal literal_of(const struct cedar_checker *c, uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  struct literal literal = {(enum cedar_op)node->op, node->a, 0};

  if (node->op == CEDAR_OP_AND || node->op == CEDAR_OP_OR)
    return chain_literal(c, node);
  if (node->op == CEDAR_OP_VAR && node->a == CEDAR_ACTION) {
    literal.op = CEDAR_OP_ENTITY;
    literal.a = c->env->action_uid;
  } else if (node->op == CEDAR_OP_LONG) {
    literal.b = node->b;
  } else if (node->op != CEDAR_OP_BOOL && node->op != CEDAR_OP_STRING &&
             node->op != CEDAR_OP_ENTITY) {
    literal.op = CEDAR_OP_NONE;
  }
  return literal;
}

/* Type of an equation: False between unrelated entity types, known between literals. */
static struct cedar_typed typed_equal(struct cedar_checker *c, uint32_t node,
                                      struct cedar_typed left, struct cedar_typed right,
                                      const struct literal sides[2]) {
  struct cedar_typed typed = typed_bool(left.good && right.good);

  if (left.type != NULL && right.type != NULL && left.type != right.type &&
      left.type->kind == CEDAR_TYPE_ENTITY && right.type->kind == CEDAR_TYPE_ENTITY) {
    typed.type = &cedar_type_false;
    return typed;
  }
  if (sides[0].op != CEDAR_OP_NONE && sides[1].op != CEDAR_OP_NONE) {
    typed.type = type_of_truth(sides[0].op == sides[1].op && sides[0].a == sides[1].a &&
                               sides[0].b == sides[1].b);
    return typed;
  }
  if (left.type != NULL && right.type != NULL &&
      cedar_type_join(c, left.type, right.type) == NULL) {
    cedar_check_misfit(c, node, "`==` compares", left.type, right.type);
    typed.good = false;
  }
  return typed;
}

static struct cedar_typed check_equal(struct cedar_checker *c, const struct cedar_capability *prior,
                                      uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  struct cedar_typed left = cedar_check(c, prior, node->a);
  struct cedar_typed right = cedar_check(c, prior, node->b);
  struct literal sides[2] = {literal_of(c, node->a), literal_of(c, node->b)};
  struct cedar_typed typed = typed_equal(c, index, left, right, sides);

  if (node->op == CEDAR_OP_NE && typed.type == &cedar_type_true)
    typed.type = &cedar_type_false;
  else if (node->op == CEDAR_OP_NE && typed.type == &cedar_type_false)
    typed.type = &cedar_type_true;
  return typed;
}

/* ---- < <= > >= ---- */

static bool is_ordered(const struct cedar_type *type) {
  return type->kind == CEDAR_TYPE_LONG || type->kind == CEDAR_TYPE_DATETIME ||
         type->kind == CEDAR_TYPE_DURATION;
}

static void order_error(struct cedar_checker *c, uint32_t node, const struct cedar_type *wanted,
                        const struct cedar_type *found) {
  char want[40] = "Long, datetime or duration", text[120];

  if (wanted != NULL)
    cedar_type_print(wanted, want, sizeof(want));
  cedar_type_print(found, text, sizeof(text));
  cedar_check_error(c, node, "expected %s, found %s", want, text);
}

static struct cedar_typed check_order(struct cedar_checker *c, const struct cedar_capability *prior,
                                      const struct cedar_node *node) {
  struct cedar_typed left = cedar_check(c, prior, node->a);
  struct cedar_typed right = cedar_check(c, prior, node->b);

  if (left.type == NULL || right.type == NULL)
    return typed_bool(false);
  if (left.type == right.type && is_ordered(left.type))
    return typed_bool(left.good && right.good);
  if (is_ordered(left.type) && right.type->kind != CEDAR_TYPE_LONG) {
    order_error(c, node->b, left.type, right.type);
  } else if (is_ordered(right.type)) {
    order_error(c, node->a, right.type, left.type);
  } else {
    order_error(c, node->a, NULL, left.type);
    order_error(c, node->b, NULL, right.type);
  }
  return typed_bool(false);
}

/* ---- in ---- */

/* What is known of the right side when left is an action. */
struct members {
  bool literal; /* made of literals only */
  bool action;  /* one of them is an action */
  bool unknown; /* one is an action that is not declared */
  bool hit;     /* left is one of them, or in it */
};

static bool action_is_in(const struct cedar_schema_action *action,
                         const struct cedar_schema_action *group) {
  size_t i;

  for (i = 0; i < action->ancestor_count; i++)
    if (action->ancestors[i] == group)
      return true;
  return action == group;
}

static void members_add(const struct cedar_checker *c, struct members *members,
                        const struct cedar_schema_action *left, struct literal item) {
  const struct cedar_schema_action *group = c->env->action;

  if (item.op != CEDAR_OP_ENTITY) {
    members->literal = false;
    return;
  }
  if (item.a != c->env->action_uid || item.a == CEDAR_NONE) {
    if (item.a != CEDAR_NONE &&
        !cedar_name_is_action(cedar_check_text(c, c->store->uids.at[item.a].type)))
      return;
    group = item.a == CEDAR_NONE ? group : cedar_check_uid_action(c, item.a);
  }
  members->action = true;
  if (group == NULL)
    members->unknown = true;
  else if (action_is_in(left, group))
    members->hit = true;
}

/* Whether entities of one type may be in entities of the other. */
static bool type_may_be_in(const struct cedar_checker *c, const struct cedar_type *type,
                           const struct cedar_type *group) {
  const struct cedar_schema *schema = c->schema;
  size_t i, k;

  if (type == group)
    return true;
  if (type->declared != NULL)
    return group->declared != NULL &&
           cedar_text_in(type->declared->ancestors, type->declared->ancestor_count, group->entity);
  for (i = 0; i < schema->action_count && group->declared == NULL; i++)
    for (k = 0; k < schema->actions[i].ancestor_count; k++)
      if (schema->actions[i].type == type && schema->actions[i].ancestors[k]->type == group)
        return true;
  return false;
}

static struct cedar_typed typed_in(struct cedar_checker *c, struct cedar_typed left,
                                   struct cedar_typed right,
                                   const struct cedar_schema_action *action,
                                   const struct members *members) {
  struct cedar_typed typed = typed_bool(left.good && right.good);
  const struct cedar_type *group;

  if (!typed.good)
    return typed;
  if (action != NULL && members->literal) {
    if (!members->unknown)
      typed.type = type_of_truth(members->hit);
    else
      typed.good = false;
    return typed;
  }
  group = right.type->kind == CEDAR_TYPE_SET ? right.type->element : right.type;
  if (!type_may_be_in(c, left.type, group))
    typed.type = &cedar_type_false;
  return typed;
}

/* The action that an operand surely is, NULL when it is another thing. */
static const struct cedar_schema_action *action_of(const struct cedar_checker *c,
                                                   struct literal literal) {
  if (literal.op != CEDAR_OP_ENTITY)
    return NULL;
  return literal.a == c->env->action_uid ? c->env->action : cedar_check_uid_action(c, literal.a);
}

static struct cedar_typed check_in(struct cedar_checker *c, const struct cedar_capability *prior,
                                   uint32_t left_node, uint32_t right_node) {
  struct cedar_typed left = cedar_check_want(c, prior, left_node, CEDAR_WANT_ENTITY);
  struct cedar_typed right = cedar_check_want(c, prior, right_node, CEDAR_WANT_ENTITIES);
  const struct cedar_schema_action *action = action_of(c, literal_of(c, left_node));
  const struct cedar_node *list = cedar_check_node(c, right_node);
  struct members members = {.literal = true};
  uint32_t i;

  if (action != NULL && list->op != CEDAR_OP_SET)
    members_add(c, &members, action, literal_of(c, right_node));
  for (i = 0; action != NULL && list->op == CEDAR_OP_SET && i < list->b; i++)
    members_add(c, &members, action, literal_of(c, c->store->code.at[list->a + i]));
  return typed_in(c, left, right, action, &members);
}

/* ---- is ---- */

static const struct cedar_type *type_of_is(const struct cedar_checker *c,
                                           const struct cedar_type *type, uint32_t name) {
  return type_of_truth(cedar_text_compare(type->entity, cedar_check_text(c, name)) == 0);
}

/* x is T, x is T in y */
static struct cedar_typed check_is(struct cedar_checker *c, const struct cedar_capability *prior,
                                   const struct cedar_node *node) {
  struct cedar_typed object = cedar_check_want(c, prior, node->a, CEDAR_WANT_ENTITY);
  struct cedar_typed typed = typed_bool(object.good && object.type != NULL);

  if (object.type != NULL)
    typed.type = type_of_is(c, object.type, node->b);
  if (node->c == CEDAR_NONE || typed.type == &cedar_type_false)
    return typed;
  return cedar_typed_and(c, typed, check_in(c, prior, node->a, node->c));
}

/* ---- sets ---- */

static struct cedar_typed check_contains(struct cedar_checker *c,
                                         const struct cedar_capability *prior, uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  bool one = node->op == CEDAR_OP_CONTAINS;
  struct cedar_typed set = cedar_check_want(c, prior, node->a, CEDAR_WANT_SET);
  struct cedar_typed other =
      one ? cedar_check(c, prior, node->b) : cedar_check_want(c, prior, node->b, CEDAR_WANT_SET);
  const struct cedar_type *left;

  if (set.type == NULL || other.type == NULL)
    return typed_bool(false);
  left = one ? set.type->element : set.type;
  if (cedar_type_join(c, left, other.type) != NULL)
    return typed_bool(set.good && other.good);
  cedar_check_misfit(c, index, one ? "`contains` looks for" : "the sets have types",
                     one ? other.type : left, one ? left : other.type);
  return typed_bool(false);
}

/* ---- operators with operands and a result of fixed types ---- */

static struct cedar_typed check_fixed(struct cedar_checker *c, const struct cedar_capability *prior,
                                      const struct cedar_node *node) {
  enum cedar_want want = node->op == CEDAR_OP_LIKE       ? CEDAR_WANT_STRING
                         : node->op == CEDAR_OP_IS_EMPTY ? CEDAR_WANT_SET
                                                         : CEDAR_WANT_LONG;
  bool good = cedar_check_want(c, prior, node->a, want).good;

  if (node->op == CEDAR_OP_ADD || node->op == CEDAR_OP_SUB || node->op == CEDAR_OP_MUL)
    good = cedar_check_want(c, prior, node->b, want).good && good;
  return cedar_typed_make(
      cedar_type_plain(want == CEDAR_WANT_LONG ? CEDAR_TYPE_LONG : CEDAR_TYPE_BOOL), good);
}

struct cedar_typed cedar_check_relation(struct cedar_checker *c,
                                        const struct cedar_capability *prior, uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);

  if (node->op == CEDAR_OP_EQ || node->op == CEDAR_OP_NE)
    return check_equal(c, prior, index);
  if (node->op >= CEDAR_OP_LT && node->op <= CEDAR_OP_GE)
    return check_order(c, prior, node);
  if (node->op == CEDAR_OP_IN)
    return check_in(c, prior, node->a, node->b);
  if (node->op == CEDAR_OP_IS)
    return check_is(c, prior, node);
  if (node->op >= CEDAR_OP_CONTAINS && node->op <= CEDAR_OP_CONTAINS_ANY)
    return check_contains(c, prior, index);
  return check_fixed(c, prior, node);
}

/* ---- the head of a policy ---- */

/* The variable that a part of the head constrains. */
static struct cedar_typed scope_var(const struct cedar_checker *c, enum cedar_var var) {
  return cedar_typed_make(var == CEDAR_PRINCIPAL  ? c->env->principal
                          : var == CEDAR_RESOURCE ? c->env->resource
                                                  : c->env->action->type,
                          true);
}

/* The entity that it is compared with: a literal or a slot. */
static struct cedar_typed scope_entity(const struct cedar_checker *c,
                                       const struct cedar_scope *scope, enum cedar_var var) {
  const struct cedar_type *type =
      scope->slot != 0 ? c->env->slots[var] : cedar_check_uid_type(c, scope->uid);

  return cedar_typed_make(type, type != NULL);
}

static struct cedar_typed scope_in(struct cedar_checker *c, const struct cedar_scope *scope,
                                   enum cedar_var var) {
  struct members members = {.literal = scope->slot == 0};
  struct literal item = {CEDAR_OP_ENTITY, scope->uid, 0};
  const struct cedar_schema_action *action = var == CEDAR_ACTION ? c->env->action : NULL;

  if (action != NULL)
    members_add(c, &members, action, item);
  return typed_in(c, scope_var(c, var), scope_entity(c, scope, var), action, &members);
}

/* action in [..]: the list must be a set of one type, as anywhere. */
static struct cedar_typed scope_list(struct cedar_checker *c, const struct cedar_policy *policy) {
  const struct cedar_scope *scope = &policy->scope[CEDAR_ACTION];
  struct cedar_type set = {.kind = CEDAR_TYPE_SET};
  struct cedar_typed right = cedar_typed_make(NULL, true);
  struct members members = {.literal = true};
  struct literal item = {CEDAR_OP_ENTITY, 0, 0};
  uint32_t i;

  if (scope->count == 0) {
    cedar_check_error_at(c, scope->line, scope->column,
                         "expected at least one element; the type of an empty set is not known");
    return typed_bool(false);
  }
  for (i = 0; i < scope->count; i++) {
    const struct cedar_type *type;

    item.a = c->store->code.at[scope->uid + i];
    members_add(c, &members, c->env->action, item);
    type = cedar_check_uid_type(c, item.a);
    right.good = right.good && type != NULL;
    if (right.good && set.element != NULL && set.element != type) {
      cedar_check_error_at(c, scope->line, scope->column,
                           "expected actions of one type, found %.*s and %.*s",
                           cedar_check_len(set.element->entity), set.element->entity.ptr,
                           cedar_check_len(type->entity), type->entity.ptr);
      right.good = false;
    }
    if (right.good)
      set.element = type;
  }
  right.type = &set;
  return typed_in(c, scope_var(c, CEDAR_ACTION), right, c->env->action, &members);
}

struct cedar_typed cedar_check_scope(struct cedar_checker *c, const struct cedar_policy *policy,
                                     enum cedar_var var) {
  const struct cedar_scope *scope = &policy->scope[var];
  struct literal sides[2] = {{CEDAR_OP_NONE, 0, 0}, {CEDAR_OP_NONE, 0, 0}};
  struct cedar_typed typed = cedar_typed_make(&cedar_type_true, true);

  switch ((enum cedar_scope_op)scope->op) {
  case CEDAR_SCOPE_ANY:
    return typed;
  case CEDAR_SCOPE_EQ:
    if (var == CEDAR_ACTION) {
      sides[0].op = sides[1].op = CEDAR_OP_ENTITY;
      sides[0].a = c->env->action_uid;
      sides[1].a = scope->uid;
    }
    return typed_equal(c, CEDAR_NONE, scope_var(c, var), scope_entity(c, scope, var), sides);
  case CEDAR_SCOPE_IN:
    return scope_in(c, scope, var);
  case CEDAR_SCOPE_IS:
  case CEDAR_SCOPE_IS_IN:
    typed.type = type_of_is(c, scope_var(c, var).type, scope->type);
    if (scope->op == CEDAR_SCOPE_IS || typed.type == &cedar_type_false)
      return typed;
    return cedar_typed_and(c, typed, scope_in(c, scope, var));
  case CEDAR_SCOPE_LIST:
    return scope_list(c, policy);
  }
  return typed;
}
