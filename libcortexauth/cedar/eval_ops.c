/*
 * Operators on values: hierarchy, comparison, arithmetic, sets, attributes, tags, extensions.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "eval.h"

/* Whose fields they are; false when the entity is neither in the store nor the overlay. */
static bool view_fill(const struct cedar_request *request, uint32_t uid,
                      struct cedar_entity_view *view) {
  const struct cedar_store *store = request->store;
  const struct cedar_uid *entity;

  if (request->overlay && uid == request->var[CEDAR_PRINCIPAL]) {
    view->attrs = (struct cedar_fields_view){request->attrs, request->attr_n, 0};
    view->tags = (struct cedar_fields_view){request->tags, request->tag_n, 0};
    return true;
  }
  entity = cedar_uid_entity(store, uid);
  if (entity == NULL)
    return false;
  view->attrs.at = cedar_fields_get(store, entity->attrs, entity->attr_count);
  view->attrs.count = view->attrs.at == NULL ? 0 : entity->attr_count;
  view->tags.at = cedar_fields_get(store, entity->tags, entity->tag_count);
  view->tags.count = view->tags.at == NULL ? 0 : entity->tag_count;
  view->attrs.flags = view->tags.flags = CEDAR_STORED;
  return true;
}

const struct cedar_entity_view *cedar_eval_entity(struct cedar_eval *e, uint32_t uid) {
  struct cedar_entity_view *view = e->view;

  /* Conditions mostly ask the same few again and again. */
  while (view < e->view + 3 && uid != e->var[view - e->view].uid)
    view++;
  if (!view->is_set || view->uid != uid) {
    memset(view, 0, sizeof(*view));
    view->is_known = view_fill(e->request, uid, view);
    view->is_set = true;
    view->uid = uid;
  }
  return view->is_known ? view : NULL;
}

bool cedar_uid_in(const struct cedar_request *request, uint32_t a, uint32_t b) {
  const struct cedar_store *store = request->store;
  const struct cedar_uid *entity;
  const uint32_t *above;
  uint32_t count;

  if (a == b)
    return true;
  if (cedar_request_reach(request, a, &above, &count))
    return cedar_ids_has(above, count, b);
  entity = cedar_uid_entity(store, a);
  if (entity == NULL)
    return false;
  above = cedar_entity_reach(store, entity, &count);
  return cedar_ids_has(above, count, b);
}

static bool list_has(const struct cedar_eval *e, const struct cedar_ask *ask,
                     const struct cedar_var_view *view) {
  const uint32_t *uids = cedar_eval_code(e, ask->uid, ask->count);
  uint32_t i;

  for (i = 0; uids != NULL && i < ask->count; i++)
    if (cedar_var_in(view, uids[i]))
      return true;
  return false;
}

bool cedar_ask_matches(const struct cedar_eval *e, const struct cedar_ask *ask,
                       enum cedar_var var) {
  const struct cedar_var_view *view = &e->var[var];

  switch (ask->op) {
  case CEDAR_SCOPE_ANY:
    return true;
  case CEDAR_SCOPE_EQ:
    return view->uid == ask->uid;
  case CEDAR_SCOPE_IN:
    return cedar_var_in(view, ask->uid);
  case CEDAR_SCOPE_LIST:
    return list_has(e, ask, view);
  case CEDAR_SCOPE_IS:
    return view->type == ask->type;
  case CEDAR_SCOPE_IS_IN:
    return view->type == ask->type && cedar_var_in(view, ask->uid);
  default:
    return false;
  }
}

struct cedar_ask cedar_scope_ask(const struct cedar_scope *scope) {
  struct cedar_ask ask = {
      .op = scope->op, .type = scope->type, .uid = scope->uid, .count = scope->count};

  return ask;
}

bool cedar_scope_matches(const struct cedar_eval *e, const struct cedar_scope *scope,
                         enum cedar_var var) {
  struct cedar_ask ask = cedar_scope_ask(scope);

  return cedar_ask_matches(e, &ask, var);
}

bool cedar_op_in(struct cedar_eval *e, struct cedar_value left, struct cedar_value right,
                 bool *out) {
  const struct cedar_value *elements;
  uint32_t i;

  if (left.kind != CEDAR_KIND_ENTITY)
    return cedar_eval_type_error(e, "an entity", left);
  if (right.kind == CEDAR_KIND_ENTITY) {
    *out = cedar_uid_in(e->request, left.u.id, right.u.id);
    return true;
  }
  if (right.kind != CEDAR_KIND_SET)
    return cedar_eval_type_error(e, "an entity or a Set of entities", right);
  elements = cedar_value_elements(e->store, right);
  *out = false;
  if (elements == NULL)
    return right.n == 0 || cedar_eval_fatal(e, CEDAR_DAMAGED);
  for (i = 0; i < right.n; i++)
    if (elements[i].kind != CEDAR_KIND_ENTITY)
      return cedar_eval_type_error(e, "an entity in the Set", elements[i]);
  for (i = 0; i < right.n && !*out; i++)
    *out = cedar_uid_in(e->request, left.u.id, elements[i].u.id);
  return true;
}

/* <, <=, >, >=: of two Longs, two datetimes, two durations. */
static bool op_order(struct cedar_eval *e, unsigned int op, struct cedar_value left,
                     struct cedar_value right, bool *out) {
  int64_t a = left.u.i, b = right.u.i;

  if (left.kind != CEDAR_KIND_LONG && left.kind != CEDAR_KIND_DATETIME &&
      left.kind != CEDAR_KIND_DURATION)
    return cedar_eval_type_error(e, "Long, datetime or duration", left);
  if (right.kind != left.kind)
    return cedar_eval_type_error(e, cedar_kind_name(left.kind), right);
  *out = op == CEDAR_OP_LT   ? a < b
         : op == CEDAR_OP_LE ? a <= b
         : op == CEDAR_OP_GT ? a > b
                             : a >= b;
  return true;
}

static bool op_arithmetic(struct cedar_eval *e, unsigned int op, struct cedar_value left,
                          struct cedar_value right, struct cedar_value *out) {
  bool overflow;

  if (left.kind != CEDAR_KIND_LONG)
    return cedar_eval_type_error(e, "Long", left);
  if (right.kind != CEDAR_KIND_LONG)
    return cedar_eval_type_error(e, "Long", right);
  *out = cedar_value_make(CEDAR_KIND_LONG, 0);
  if (op == CEDAR_OP_ADD)
    overflow = __builtin_add_overflow(left.u.i, right.u.i, &out->u.i);
  else if (op == CEDAR_OP_SUB)
    overflow = __builtin_sub_overflow(left.u.i, right.u.i, &out->u.i);
  else
    overflow = __builtin_mul_overflow(left.u.i, right.u.i, &out->u.i);
  return !overflow || cedar_eval_error(e, "integer overflow: %lld %c %lld", (long long)left.u.i,
                                       op == CEDAR_OP_ADD   ? '+'
                                       : op == CEDAR_OP_SUB ? '-'
                                                            : '*',
                                       (long long)right.u.i);
}

/* Both sets are sorted: one pass over the larger while the smaller is short is enough. */
static bool op_sets(struct cedar_eval *e, unsigned int op, struct cedar_value left,
                    struct cedar_value right, bool *out) {
  const struct cedar_value *a, *b;
  uint32_t i = 0, j = 0;

  if (left.kind != CEDAR_KIND_SET)
    return cedar_eval_type_error(e, "a Set", left);
  if (right.kind != CEDAR_KIND_SET)
    return cedar_eval_type_error(e, "a Set", right);
  a = cedar_value_elements(e->store, left);
  b = cedar_value_elements(e->store, right);
  if ((a == NULL && left.n > 0) || (b == NULL && right.n > 0))
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  *out = op == CEDAR_OP_CONTAINS_ALL;
  while (j < right.n) {
    int order = i == left.n ? 1
                            : cedar_value_compare(e->store, cedar_value_child(left, a[i]),
                                                  cedar_value_child(right, b[j]));

    if (order < 0) {
      i++;
    } else if (order > 0) {
      if (op == CEDAR_OP_CONTAINS_ALL) {
        *out = false;
        return true;
      }
      j++;
    } else if (op == CEDAR_OP_CONTAINS_ANY) {
      *out = true;
      return true;
    } else {
      i++;
      j++;
    }
  }
  return true;
}

static bool op_tag(struct cedar_eval *e, unsigned int op, struct cedar_value left,
                   struct cedar_value right, struct cedar_value *out) {
  const struct cedar_entity_view *view;
  const struct cedar_value *found = NULL;
  struct cedar_text name;

  if (left.kind != CEDAR_KIND_ENTITY)
    return cedar_eval_type_error(e, "an entity", left);
  if (right.kind != CEDAR_KIND_STRING)
    return cedar_eval_type_error(e, "String", right);
  view = cedar_eval_entity(e, left.u.id);
  if (view != NULL)
    found = cedar_fields_find(view->tags.at, view->tags.count, right.u.id);
  if (op == CEDAR_OP_HAS_TAG) {
    *out = cedar_value_make(CEDAR_KIND_BOOL, found != NULL);
    return true;
  }
  if (view == NULL)
    return cedar_eval_error(e, "the entity does not exist");
  if (found == NULL) {
    name = cedar_request_text(e->request, right.u.id);
    return cedar_eval_error(e, "the entity has no tag \"%.*s\"",
                            (int)(name.len < 100 ? name.len : 100), name.ptr);
  }
  *out = *found;
  out->flags |= view->tags.flags;
  return true;
}

bool cedar_op_binary(struct cedar_eval *e, unsigned int op, struct cedar_value left,
                     struct cedar_value right, struct cedar_value *out) {
  bool b = false, ok;

  if (op >= CEDAR_OP_ADD && op <= CEDAR_OP_MUL)
    return op_arithmetic(e, op, left, right, out);
  if (op == CEDAR_OP_GET_TAG || op == CEDAR_OP_HAS_TAG)
    return op_tag(e, op, left, right, out);
  if (op == CEDAR_OP_IN) {
    ok = cedar_op_in(e, left, right, &b);
  } else if (op == CEDAR_OP_CONTAINS) {
    ok = left.kind == CEDAR_KIND_SET || cedar_eval_type_error(e, "a Set", left);
    b = ok && cedar_set_has(e->store, left, right);
  } else if (op == CEDAR_OP_CONTAINS_ALL || op == CEDAR_OP_CONTAINS_ANY) {
    ok = op_sets(e, op, left, right, &b);
  } else {
    ok = op_order(e, op, left, right, &b);
  }
  *out = cedar_value_make(CEDAR_KIND_BOOL, b);
  return ok;
}

/* Fields of a record or attributes of an entity; *known false: there is no such entity. */
static bool attrs_get(struct cedar_eval *e, struct cedar_value object, bool *known,
                      struct cedar_fields_view *attrs) {
  const struct cedar_entity_view *view;

  *known = true;
  if (object.kind == CEDAR_KIND_RECORD) {
    attrs->at = cedar_value_fields(e->store, object);
    attrs->count = attrs->at == NULL ? 0 : object.n;
    attrs->flags = object.flags & CEDAR_STORED;
    return attrs->at != NULL || object.n == 0 || cedar_eval_fatal(e, CEDAR_DAMAGED);
  }
  if (object.kind != CEDAR_KIND_ENTITY)
    return cedar_eval_type_error(e, "an entity or a record", object);
  view = cedar_eval_entity(e, object.u.id);
  *known = view != NULL;
  if (view != NULL)
    *attrs = view->attrs;
  return true;
}

bool cedar_op_get(struct cedar_eval *e, struct cedar_value object, uint32_t key,
                  struct cedar_value *out) {
  const struct cedar_value *found;
  struct cedar_fields_view attrs;
  struct cedar_text name;
  bool known;

  if (!attrs_get(e, object, &known, &attrs))
    return false;
  if (!known)
    return cedar_eval_error(e, "the entity does not exist");
  found = cedar_fields_find(attrs.at, attrs.count, key);
  if (found == NULL) {
    name = cedar_request_text(e->request, key);
    return cedar_eval_error(e, "%s has no attribute \"%.*s\"",
                            object.kind == CEDAR_KIND_RECORD ? "the record" : "the entity",
                            (int)(name.len < 100 ? name.len : 100), name.ptr);
  }
  *out = *found;
  out->flags |= attrs.flags;
  return true;
}

/* a has b.c is a has b && a.b has c. */
bool cedar_op_has(struct cedar_eval *e, struct cedar_value object, const uint32_t *path,
                  uint32_t count, bool *out) {
  const struct cedar_value *found;
  struct cedar_fields_view attrs;
  bool known;
  uint32_t i;

  *out = false;
  for (i = 0; i < count; i++) {
    if (!attrs_get(e, object, &known, &attrs))
      return false;
    found = known ? cedar_fields_find(attrs.at, attrs.count, path[i]) : NULL;
    if (found == NULL)
      return true;
    object = *found;
    object.flags |= attrs.flags;
  }
  *out = true;
  return true;
}

static bool constructor_call(struct cedar_eval *e, const struct cedar_ext *function,
                             struct cedar_value arg, struct cedar_ext_value *result) {
  struct cedar_text text = cedar_request_text(e->request, arg.u.id);

  return (text.ptr != NULL && cedar_ext_parse(function->result, text, result)) ||
         cedar_eval_error(e, "\"%.*s\" is not a valid %s", (int)(text.len < 100 ? text.len : 100),
                          text.ptr, function->name);
}

bool cedar_op_call(struct cedar_eval *e, unsigned int index, const struct cedar_value *args,
                   uint32_t count, struct cedar_value *out) {
  struct cedar_ext_value loaded[2], result;
  const struct cedar_ext *function;
  struct cedar_value *cell = NULL;
  uint32_t i;

  if (index >= cedar_ext_count)
    return cedar_eval_fatal(e, CEDAR_DAMAGED);
  function = &cedar_ext_table[index];
  if (count != function->arity)
    return cedar_eval_error(e, "`%s` takes %u argument%s, got %u", function->name,
                            function->method ? function->arity - 1U : function->arity,
                            function->arity == (function->method ? 2 : 1) ? "" : "s",
                            function->method && count > 0 ? count - 1 : count);
  for (i = 0; i < count; i++) {
    if (args[i].kind != function->args[i])
      return cedar_eval_type_error(e, cedar_kind_name(function->args[i]), args[i]);
    if (args[i].kind != CEDAR_KIND_STRING && !cedar_ext_load(e->store, args[i], &loaded[i]))
      return cedar_eval_fatal(e, CEDAR_DAMAGED);
  }
  memset(&result, 0, sizeof(result));
  if (function->call == NULL) {
    if (!constructor_call(e, function, args[0], &result))
      return false;
  } else if (!function->call(loaded, &result)) {
    return cedar_eval_error(e, "overflow in `%s`", function->name);
  }
  if (result.kind == CEDAR_KIND_IPADDR) {
    cell = cedar_arena_get(&e->request->work, sizeof(*cell));
    if (cell == NULL)
      return cedar_eval_fatal(e, CEDAR_LIMIT);
  }
  *out = cedar_ext_save(&result, cell);
  return true;
}
