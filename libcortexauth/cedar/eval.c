/*
 * Expressions to values: one function per kind of node, in a table.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "eval.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fold.h"

typedef bool eval_fn(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out);

static eval_fn *const eval_table[CEDAR_OP_COUNT];

static void var_init(struct cedar_eval *e, enum cedar_var var) {
  const struct cedar_request *request = e->request;
  struct cedar_var_view *view = &e->var[var];
  const struct cedar_uid *named = request->named[var];
  uint32_t id;

  view->uid = request->var[var];
  view->type = CEDAR_NONE;
  view->above = NULL;
  view->count = 0;
  if (named != NULL)
    view->type = named->type;
  else
    cedar_request_uid_parts(request, view->uid, &view->type, &id);
  if (cedar_request_reach(request, view->uid, &view->above, &view->count))
    return;
  if (named != NULL && named->entity != CEDAR_NONE)
    view->above = cedar_entity_reach(request->store, named, &view->count);
}

void cedar_eval_init(struct cedar_eval *e, struct cedar_request *request) {
  unsigned int i;

  e->request = request;
  e->store = request->store;
  e->fatal = CEDAR_OK;
  e->steps = 0;
  e->depth = 0;
  e->ahead = 0;
  e->node = CEDAR_NONE;
  e->code = (struct cedar_window){e->store->code.at, 0, e->store->code.n};
  if (e->store->pager != NULL)
    e->code.n = 0;
  e->message[0] = '\0';
  for (i = 0; i < 4; i++)
    e->view[i].is_set = false;
  for (i = 0; i < 3; i++)
    var_init(e, (enum cedar_var)i);
}

bool cedar_eval_fatal(struct cedar_eval *e, enum cedar_status status) {
  if (e->fatal == CEDAR_OK)
    e->fatal = status;
  return false;
}

bool cedar_eval_error(struct cedar_eval *e, const char *format, ...) {
  va_list args;

  va_start(args, format);
  vsnprintf(e->message, sizeof(e->message), format, args);
  va_end(args);
  return false;
}

const char *cedar_kind_name(unsigned int kind) {
  static const char names[][10] = {"nothing",   "Bool",     "Long",     "String",
                                   "an entity", "a Set",    "a record", "decimal",
                                   "ipaddr",    "datetime", "duration"};

  return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : names[0];
}

bool cedar_eval_type_error(struct cedar_eval *e, const char *expected, struct cedar_value got) {
  return cedar_eval_error(e, "type error: expected %s, got %s", expected,
                          cedar_kind_name(got.kind));
}

const uint32_t *cedar_eval_kids(struct cedar_eval *e, uint32_t first, uint32_t count) {
  static const uint32_t none[1];
  const uint32_t *kids = count == 0 ? none : cedar_eval_code(e, first, count);

  if (kids == NULL)
    cedar_eval_fatal(e, CEDAR_DAMAGED);
  return kids;
}

static bool give_bool(struct cedar_value *out, bool b) {
  *out = cedar_value_make(CEDAR_KIND_BOOL, b);
  return true;
}

static bool eval_bad(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  (void)node;
  (void)out;
  return cedar_eval_fatal(e, CEDAR_DAMAGED);
}

static bool eval_literal(struct cedar_eval *e, const struct cedar_node *node,
                         struct cedar_value *out) {
  return cedar_node_constant(e->store, node, out);
}

static bool eval_var(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  if (node->a < 3) {
    *out = cedar_value_symbol(CEDAR_KIND_ENTITY, e->request->var[node->a]);
    return true;
  }
  *out = cedar_value_make(CEDAR_KIND_RECORD, 0);
  out->n = e->request->context_n;
  out->u.record = e->request->context;
  return true;
}

/* An attribute of a variable's entity; false when there is none, or more must be looked at. */
static bool var_attr(struct cedar_eval *e, const struct cedar_node *get, struct cedar_value *out) {
  const struct cedar_node *object = cedar_eval_place(e, get->a);
  const struct cedar_entity_view *view;
  const struct cedar_value *found;

  if (object == NULL || object->op != CEDAR_OP_VAR || object->a >= 3)
    return false;
  view = &e->view[object->a];
  if (!view->is_set)
    view = cedar_eval_entity(e, e->var[object->a].uid);
  found = view == NULL ? NULL : cedar_fields_find(view->attrs.at, view->attrs.count, get->b);
  if (found == NULL)
    return false;
  *out = *found;
  out->flags |= view->attrs.flags;
  return true;
}

/* A value; what most operands are, without a turn of the table. */
static bool eval_operand(struct cedar_eval *e, uint32_t index, struct cedar_value *out) {
  const struct cedar_node *node = cedar_eval_place(e, index);

  if (node == NULL)
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  switch (node->op) {
  case CEDAR_OP_VAR:
    return eval_var(e, node, out);
  case CEDAR_OP_STRING:
    *out = cedar_value_symbol(CEDAR_KIND_STRING, node->a);
    return true;
  case CEDAR_OP_ENTITY:
    *out = cedar_value_symbol(CEDAR_KIND_ENTITY, node->a);
    return true;
  case CEDAR_OP_GET:
    if (var_attr(e, node, out))
      return true;
    break;
  default:
    break;
  }
  return cedar_eval_node(e, index, out);
}

/* What a condition is made of, is evaluated without making a value of it. */
enum truth { NEITHER = -1, NO, YES }; /* NEITHER: an error, or no Bool */

static enum truth truth_of(struct cedar_eval *e, uint32_t index);

/* Left to right until one operand decides; each that is looked at must be a Bool. */
static enum truth chain_truth(struct cedar_eval *e, const struct cedar_node *node) {
  const uint32_t *kids = cedar_eval_kids(e, node->a, node->b);
  enum truth deciding = node->op == CEDAR_OP_OR ? YES : NO, truth;
  uint32_t i;

  if (kids == NULL)
    return NEITHER;
  for (i = 0; i < node->b; i++) {
    truth = truth_of(e, kids[i]);
    if (truth == NEITHER || truth == deciding)
      return truth;
  }
  return deciding == YES ? NO : YES;
}

static enum truth equal_truth(struct cedar_eval *e, const struct cedar_node *node) {
  struct cedar_value left, right;
  bool equal;

  if (!eval_operand(e, node->a, &left) || !eval_operand(e, node->b, &right))
    return NEITHER;
  if (left.kind == CEDAR_KIND_STRING || left.kind == CEDAR_KIND_ENTITY)
    equal = left.kind == right.kind && left.u.id == right.u.id;
  else
    equal = cedar_value_compare(e->store, left, right) == 0;
  return equal == (node->op == CEDAR_OP_EQ) ? YES : NO;
}

static enum truth not_truth(struct cedar_eval *e, const struct cedar_node *node) {
  enum truth truth = truth_of(e, node->a);

  return truth == NEITHER ? NEITHER : truth == YES ? NO : YES;
}

static enum truth value_truth(struct cedar_eval *e, const struct cedar_node *node) {
  struct cedar_value value;

  if (!eval_table[node->op](e, node, &value))
    return NEITHER;
  if (value.kind == CEDAR_KIND_BOOL)
    return value.u.i != 0 ? YES : NO;
  cedar_eval_type_error(e, "Bool", value);
  return NEITHER;
}

static enum truth node_truth(struct cedar_eval *e, const struct cedar_node *node) {
  switch (node->op) {
  case CEDAR_OP_AND:
  case CEDAR_OP_OR:
    return chain_truth(e, node);
  case CEDAR_OP_EQ:
  case CEDAR_OP_NE:
    return equal_truth(e, node);
  case CEDAR_OP_NOT:
    return not_truth(e, node);
  default:
    return value_truth(e, node);
  }
}

/* Depth and steps end an evaluation only in a damaged image, whose nodes may form a loop. */
static const struct cedar_node *node_enter(struct cedar_eval *e, uint32_t index) {
  const struct cedar_node *node = cedar_eval_place(e, index);

  if (node == NULL || node->op >= CEDAR_OP_COUNT || e->depth > CEDAR_MAX_DEPTH)
    cedar_eval_fatal(e, CEDAR_DAMAGED);
  else if (++e->steps > CEDAR_MAX_STEPS)
    cedar_eval_fatal(e, CEDAR_LIMIT);
  else
    return node;
  return NULL;
}

static enum truth truth_of(struct cedar_eval *e, uint32_t index) {
  const struct cedar_node *node = node_enter(e, index);
  enum truth truth;

  if (node == NULL)
    return NEITHER;
  e->depth++;
  truth = node_truth(e, node);
  e->depth--;
  if (truth == NEITHER && e->node == CEDAR_NONE)
    e->node = index;
  return truth;
}

static bool eval_truth(struct cedar_eval *e, const struct cedar_node *node,
                       struct cedar_value *out) {
  enum truth truth = node_truth(e, node);

  return truth != NEITHER && give_bool(out, truth == YES);
}

static bool eval_if(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  bool b = false;

  return cedar_eval_bool(e, node->a, &b) && cedar_eval_node(e, b ? node->b : node->c, out);
}

static bool eval_neg(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  struct cedar_value value;

  if (!cedar_eval_node(e, node->a, &value))
    return false;
  if (value.kind != CEDAR_KIND_LONG)
    return cedar_eval_type_error(e, "Long", value);
  *out = cedar_value_make(CEDAR_KIND_LONG, 0);
  if (__builtin_sub_overflow((int64_t)0, value.u.i, &out->u.i))
    return cedar_eval_error(e, "integer overflow while negating %lld", (long long)value.u.i);
  return true;
}

static bool eval_is_empty(struct cedar_eval *e, const struct cedar_node *node,
                          struct cedar_value *out) {
  struct cedar_value value;

  if (!cedar_eval_node(e, node->a, &value))
    return false;
  if (value.kind != CEDAR_KIND_SET)
    return cedar_eval_type_error(e, "a Set", value);
  return give_bool(out, value.n == 0);
}

static bool eval_binary(struct cedar_eval *e, const struct cedar_node *node,
                        struct cedar_value *out) {
  struct cedar_value left, right;

  return eval_operand(e, node->a, &left) && eval_operand(e, node->b, &right) &&
         cedar_op_binary(e, node->op, left, right, out);
}

static bool eval_get(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  struct cedar_value object;

  return eval_operand(e, node->a, &object) && cedar_op_get(e, object, node->b, out);
}

static bool eval_has(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  const uint32_t *path = cedar_eval_kids(e, node->b, node->c);
  struct cedar_value object;
  bool b;

  return path != NULL && cedar_eval_node(e, node->a, &object) &&
         cedar_op_has(e, object, path, node->c, &b) && give_bool(out, b);
}

static bool eval_like(struct cedar_eval *e, const struct cedar_node *node,
                      struct cedar_value *out) {
  struct cedar_text pattern = cedar_sym_text(e->store, node->b), text;
  struct cedar_value value;

  if (!cedar_eval_node(e, node->a, &value))
    return false;
  if (value.kind != CEDAR_KIND_STRING)
    return cedar_eval_type_error(e, "String", value);
  text = cedar_request_text(e->request, value.u.id);
  if (pattern.ptr == NULL || text.ptr == NULL)
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  return give_bool(out, cedar_like(text, pattern));
}

static bool eval_is(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  struct cedar_value object, in;
  uint32_t type, id;
  bool b;

  if (!cedar_eval_node(e, node->a, &object))
    return false;
  if (object.kind != CEDAR_KIND_ENTITY)
    return cedar_eval_type_error(e, "an entity", object);
  if (!cedar_request_uid_parts(e->request, object.u.id, &type, &id))
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  if (type != node->b || node->c == CEDAR_NONE)
    return give_bool(out, type == node->b);
  return cedar_eval_node(e, node->c, &in) && cedar_op_in(e, object, in, &b) && give_bool(out, b);
}

/* Operands of a SET or CALL, in the memory of this decision. */
static struct cedar_value *operands(struct cedar_eval *e, const struct cedar_node *node) {
  const uint32_t *kids = cedar_eval_kids(e, node->a, node->b);
  struct cedar_value *values;
  uint32_t i;

  if (kids == NULL)
    return NULL;
  values = cedar_arena_get_array(&e->request->work, node->b, sizeof(*values));
  if (values == NULL) {
    cedar_eval_fatal(e, CEDAR_LIMIT);
    return NULL;
  }
  for (i = 0; i < node->b; i++)
    if (!cedar_eval_node(e, kids[i], &values[i]))
      return NULL;
  return values;
}

static bool eval_set(struct cedar_eval *e, const struct cedar_node *node, struct cedar_value *out) {
  struct cedar_value *values;

  if (node->c != CEDAR_NONE)
    return cedar_node_constant(e->store, node, out) || cedar_eval_fatal(e, CEDAR_DAMAGED);
  values = operands(e, node);
  if (values == NULL)
    return false;
  *out = cedar_value_make(CEDAR_KIND_SET, 0);
  out->n = cedar_set_normalize(e->store, values, node->b);
  out->u.set = values;
  return true;
}

static bool eval_record(struct cedar_eval *e, const struct cedar_node *node,
                        struct cedar_value *out) {
  struct cedar_field *fields;
  const uint32_t *kids;
  uint32_t i;

  if (node->c != CEDAR_NONE)
    return cedar_node_constant(e->store, node, out) || cedar_eval_fatal(e, CEDAR_DAMAGED);
  kids = node->b > UINT32_MAX / 2 ? NULL : cedar_eval_kids(e, node->a, 2 * node->b);
  if (kids == NULL)
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  fields = cedar_arena_get_array(&e->request->work, node->b, sizeof(*fields));
  if (fields == NULL)
    return cedar_eval_fatal(e, CEDAR_LIMIT);
  for (i = 0; i < node->b; i++) {
    fields[i].key = kids[2 * i];
    if (!cedar_eval_node(e, kids[2 * i + 1], &fields[i].value))
      return false;
  }
  cedar_fields_sort(fields, node->b);
  *out = cedar_value_make(CEDAR_KIND_RECORD, 0);
  out->n = node->b;
  out->u.record = fields;
  return true;
}

static bool eval_call(struct cedar_eval *e, const struct cedar_node *node,
                      struct cedar_value *out) {
  struct cedar_value *args;

  if (node->c != CEDAR_NONE)
    return cedar_node_constant(e->store, node, out) || cedar_eval_fatal(e, CEDAR_DAMAGED);
  args = operands(e, node);
  return args != NULL && cedar_op_call(e, node->flags, args, node->b, out);
}

static eval_fn *const eval_table[CEDAR_OP_COUNT] = {
    [CEDAR_OP_NONE] = eval_bad,
    [CEDAR_OP_BOOL] = eval_literal,
    [CEDAR_OP_LONG] = eval_literal,
    [CEDAR_OP_STRING] = eval_literal,
    [CEDAR_OP_ENTITY] = eval_literal,
    [CEDAR_OP_VAR] = eval_var,
    [CEDAR_OP_AND] = eval_truth,
    [CEDAR_OP_OR] = eval_truth,
    [CEDAR_OP_IF] = eval_if,
    [CEDAR_OP_NOT] = eval_truth,
    [CEDAR_OP_NEG] = eval_neg,
    [CEDAR_OP_IS_EMPTY] = eval_is_empty,
    [CEDAR_OP_EQ] = eval_truth,
    [CEDAR_OP_NE] = eval_truth,
    [CEDAR_OP_LT] = eval_binary,
    [CEDAR_OP_LE] = eval_binary,
    [CEDAR_OP_GT] = eval_binary,
    [CEDAR_OP_GE] = eval_binary,
    [CEDAR_OP_ADD] = eval_binary,
    [CEDAR_OP_SUB] = eval_binary,
    [CEDAR_OP_MUL] = eval_binary,
    [CEDAR_OP_IN] = eval_binary,
    [CEDAR_OP_CONTAINS] = eval_binary,
    [CEDAR_OP_CONTAINS_ALL] = eval_binary,
    [CEDAR_OP_CONTAINS_ANY] = eval_binary,
    [CEDAR_OP_GET_TAG] = eval_binary,
    [CEDAR_OP_HAS_TAG] = eval_binary,
    [CEDAR_OP_GET] = eval_get,
    [CEDAR_OP_HAS] = eval_has,
    [CEDAR_OP_LIKE] = eval_like,
    [CEDAR_OP_IS] = eval_is,
    [CEDAR_OP_SET] = eval_set,
    [CEDAR_OP_RECORD] = eval_record,
    [CEDAR_OP_CALL] = eval_call,
    [CEDAR_OP_WHEN] = eval_bad,
    [CEDAR_OP_UNLESS] = eval_bad,
    [CEDAR_OP_VALUE] = eval_bad,
};

bool cedar_eval_node(struct cedar_eval *e, uint32_t index, struct cedar_value *out) {
  const struct cedar_node *node = node_enter(e, index);
  bool ok;

  if (node == NULL)
    return false;
  e->depth++;
  ok = eval_table[node->op](e, node, out);
  e->depth--;
  if (!ok && e->node == CEDAR_NONE)
    e->node = index;
  return ok;
}

bool cedar_eval_bool(struct cedar_eval *e, uint32_t node, bool *out) {
  enum truth truth = truth_of(e, node);

  *out = truth == YES;
  return truth != NEITHER;
}

/* Whether a condition, a WHEN or UNLESS node, lets its policy hold. */
static bool condition_holds(struct cedar_eval *e, uint32_t cond, bool *out) {
  const struct cedar_node *node = cedar_eval_place(e, cond);
  bool b;

  if (node == NULL)
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  if (!cedar_eval_bool(e, node->a, &b))
    return false;
  *out = b == (node->op == CEDAR_OP_WHEN);
  return true;
}

static void body_begin(struct cedar_eval *e, uint32_t cond) {
  if (e->ahead > 0)
    cedar_code_ahead(e->store, cond, e->ahead);
  e->steps = 0;
  e->node = CEDAR_NONE;
  e->message[0] = '\0';
}

bool cedar_eval_conditions(struct cedar_eval *e, uint32_t first, uint32_t count, bool *out) {
  const uint32_t *conds = cedar_eval_kids(e, first, count);
  uint32_t i;

  *out = conds != NULL;
  if (conds == NULL)
    return false;
  body_begin(e, count > 0 ? conds[0] : CEDAR_NONE);
  for (i = 0; i < count && *out; i++)
    if (!condition_holds(e, conds[i], out))
      return false;
  return true;
}

bool cedar_eval_condition(struct cedar_eval *e, uint32_t cond, bool *out) {
  body_begin(e, cond);
  return condition_holds(e, cond, out);
}
