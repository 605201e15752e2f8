/*
 * Expressions of the JSON policy format.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "est.h"

/* How an operator's members are called, and what makes its node. */
struct form {
  const char *name;
  uint32_t (*read)(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op);
  enum cedar_op op;
};

/* Nodes stand where their JSON stands. */
static void place_at(struct cedar_build *b, const struct cedar_json *json) {
  struct cedar_place place = cedar_places_at(&b->places, json->offset);

  b->place_line = place.line;
  b->place_column = place.column;
}

static uint32_t read_value(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op);

static uint32_t value_set(struct cedar_build *b, const struct cedar_json *json) {
  const struct cedar_json *child;
  uint32_t mark = b->stack_n;

  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next)
    cedar_build_push(b, read_value(b, child, CEDAR_OP_NONE));
  return cedar_build_set(b, mark);
}

static uint32_t value_record(struct cedar_build *b, const struct cedar_json *json) {
  const struct cedar_json *child;
  uint32_t mark = b->stack_n;

  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next) {
    cedar_build_push(b, cedar_build_sym(b, child->key));
    cedar_build_push(b, read_value(b, child, CEDAR_OP_NONE));
  }
  return cedar_build_record(b, mark);
}

/* {"fn","arg"} or {"fn","args":[..]}: a call with values for arguments. */
static uint32_t value_call(struct cedar_build *b, const struct cedar_json *json) {
  const struct cedar_json *args = cedar_json_member(json, "args");
  const struct cedar_json *arg = cedar_json_member(json, "arg");
  struct cedar_text name;
  uint32_t mark = b->stack_n;
  int function;

  if (!cedar_est_string(b, json, "fn", &name))
    return CEDAR_NONE;
  function = cedar_ext_find(name, false);
  if (function < 0)
    function = cedar_ext_find(name, true);
  if (function < 0)
    return cedar_est_fail(b, json, "`%.*s` is not an extension function",
                          (int)(name.len < 100 ? name.len : 100), name.ptr);
  if (arg == NULL) {
    if (args == NULL || args->kind != CEDAR_JSON_ARRAY)
      return cedar_est_fail(b, json, "an extension call needs \"arg\" or \"args\"");
    for (arg = args->u.child; arg != NULL && b->status == CEDAR_OK; arg = arg->next)
      cedar_build_push(b, read_value(b, arg, CEDAR_OP_NONE));
  } else {
    cedar_build_push(b, read_value(b, arg, CEDAR_OP_NONE));
  }
  place_at(b, json);
  return cedar_build_call(b, (unsigned int)function, mark);
}

static uint32_t value_object(struct cedar_build *b, const struct cedar_json *json) {
  const struct cedar_json *expr = cedar_json_member(json, "__expr");
  const struct cedar_json *entity = cedar_json_member(json, "__entity");
  const struct cedar_json *extn = cedar_json_member(json, "__extn");
  uint32_t uid;

  if (expr != NULL && expr->kind == CEDAR_JSON_STRING)
    return cedar_est_fail(b, json, "`__expr` is no longer supported");
  if (entity != NULL && entity->kind == CEDAR_JSON_OBJECT) {
    uid = cedar_est_uid(b, entity);
    return cedar_build_node(b, CEDAR_OP_ENTITY, uid, 0, 0);
  }
  if (extn != NULL && extn->kind == CEDAR_JSON_OBJECT)
    return value_call(b, extn);
  return value_record(b, json);
}

/* Value: a literal, or a set, record, entity or extension value made of them. */
static uint32_t read_value(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  uint32_t sym;

  (void)op;
  place_at(b, json);
  switch (json->kind) {
  case CEDAR_JSON_BOOL:
    return cedar_build_node(b, CEDAR_OP_BOOL, json->u.b, 0, 0);
  case CEDAR_JSON_LONG:
    return cedar_build_long(b, json->u.i);
  case CEDAR_JSON_STRING:
    sym = cedar_build_sym(b, json->u.string);
    return cedar_build_node(b, CEDAR_OP_STRING, sym, 0, 0);
  case CEDAR_JSON_ARRAY:
    return value_set(b, json);
  case CEDAR_JSON_OBJECT:
    return value_object(b, json);
  case CEDAR_JSON_NULL:
  case CEDAR_JSON_NUMBER:
  default:
    return cedar_est_fail(b, json, "%s is not a Cedar value", cedar_json_kind_name(json));
  }
}

static uint32_t read_var(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const char names[][10] = {"principal", "action", "resource", "context"};
  uint32_t i;

  for (i = 0; json->kind == CEDAR_JSON_STRING && i < 4; i++)
    if (cedar_text_is(json->u.string, names[i]))
      return cedar_build_node(b, op, i, 0, 0);
  return cedar_est_fail(b, json, "expected principal, action, resource or context");
}

static uint32_t read_slot(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  (void)op;
  return cedar_est_fail(b, json, "a slot may only stand in the scope of a policy");
}

static uint32_t read_unary(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const cedar_est_key keys[] = {"arg", ""};
  const struct cedar_json *arg = cedar_est_member(b, json, "arg");
  uint32_t node =
      arg == NULL || !cedar_est_only(b, json, keys) ? CEDAR_NONE : cedar_est_expr(b, arg);

  place_at(b, json);
  return cedar_build_node(b, op, node, 0, 0);
}

static bool read_sides(struct cedar_build *b, const struct cedar_json *json, uint32_t *left_out,
                       uint32_t *right_out) {
  static const cedar_est_key keys[] = {"left", "right", ""};
  const struct cedar_json *left = cedar_est_member(b, json, "left");
  const struct cedar_json *right = cedar_est_member(b, json, "right");

  if (left == NULL || right == NULL || !cedar_est_only(b, json, keys))
    return false;
  *left_out = cedar_est_expr(b, left);
  *right_out = cedar_est_expr(b, right);
  place_at(b, json);
  return b->status == CEDAR_OK;
}

static uint32_t read_binary(struct cedar_build *b, const struct cedar_json *json,
                            enum cedar_op op) {
  uint32_t left, right;

  if (!read_sides(b, json, &left, &right))
    return CEDAR_NONE;
  return cedar_build_node(b, op, left, right, 0);
}

/* (a && b) && c becomes one chain of three, as from text. */
static uint32_t read_chain(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  uint32_t left, right, mark, i;
  const struct cedar_node *n;

  if (!read_sides(b, json, &left, &right))
    return CEDAR_NONE;
  mark = b->stack_n;
  n = cedar_node_at(b->store, left);
  if (n->op == op)
    for (i = 0; i < n->b; i++)
      cedar_build_push(b, b->store->code.at[n->a + i]);
  else
    cedar_build_push(b, left);
  cedar_build_push(b, right);
  return cedar_build_chain(b, op, mark);
}

static uint32_t read_get(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const cedar_est_key keys[] = {"left", "attr", ""};
  const struct cedar_json *left = cedar_est_member(b, json, "left");
  struct cedar_text name;
  uint32_t node;

  if (left == NULL || !cedar_est_only(b, json, keys) || !cedar_est_string(b, json, "attr", &name))
    return CEDAR_NONE;
  node = cedar_est_expr(b, left);
  place_at(b, json);
  return cedar_build_node(b, op, node, cedar_build_sym(b, name), 0);
}

/* attr is a name, or a list of names for a path. */
static uint32_t read_has(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const cedar_est_key keys[] = {"left", "attr", ""};
  const struct cedar_json *left = cedar_est_member(b, json, "left");
  const struct cedar_json *attr = cedar_est_member(b, json, "attr"), *child;
  uint32_t node, mark, count;

  if (left == NULL || attr == NULL || !cedar_est_only(b, json, keys))
    return CEDAR_NONE;
  node = cedar_est_expr(b, left);
  mark = b->stack_n;
  if (attr->kind == CEDAR_JSON_STRING)
    cedar_build_push(b, cedar_build_sym(b, attr->u.string));
  for (child = attr->kind == CEDAR_JSON_ARRAY ? attr->u.child : NULL; child != NULL;
       child = child->next) {
    if (child->kind != CEDAR_JSON_STRING ||
        (attr->count > 1 &&
         (!cedar_is_ident(child->u.string) || cedar_is_reserved(child->u.string))))
      return cedar_est_fail(b, child, "expected an attribute name");
    cedar_build_push(b, cedar_build_sym(b, child->u.string));
  }
  count = b->stack_n - mark;
  if (count == 0)
    return cedar_est_fail(b, attr, "expected an attribute name or a list of them");
  place_at(b, json);
  return cedar_build_node(b, op, node, cedar_build_kids(b, mark), count);
}

/* One element of a pattern: "Wildcard" or {"Literal":"text"}. */
static bool pattern_piece(struct cedar_build *b, const struct cedar_json *json,
                          struct cedar_buf *buf) {
  static const cedar_est_key keys[] = {"Literal", ""};
  static const char wildcard = CEDAR_WILDCARD;
  struct cedar_text text;

  if (json->kind == CEDAR_JSON_STRING && cedar_text_is(json->u.string, "Wildcard")) {
    cedar_buf_put(buf, &wildcard, 1);
    return true;
  }
  if (json->kind != CEDAR_JSON_OBJECT || !cedar_est_only(b, json, keys) ||
      !cedar_est_string(b, json, "Literal", &text)) {
    cedar_est_fail(b, json, "expected \"Wildcard\" or {\"Literal\": ...}");
    return false;
  }
  cedar_buf_put(buf, text.ptr, text.len);
  return true;
}

static uint32_t read_like(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const cedar_est_key keys[] = {"left", "pattern", ""};
  const struct cedar_json *left = cedar_est_member(b, json, "left");
  const struct cedar_json *pattern = cedar_est_member(b, json, "pattern"), *child;
  struct cedar_text text = {"", 0};
  struct cedar_buf buf;
  uint32_t node;

  if (left == NULL || pattern == NULL || !cedar_est_only(b, json, keys))
    return CEDAR_NONE;
  if (pattern->kind != CEDAR_JSON_ARRAY)
    return cedar_est_fail(b, pattern, "a pattern must be an array");
  node = cedar_est_expr(b, left);
  cedar_buf_init(&buf, &b->arena);
  for (child = pattern->u.child; child != NULL; child = child->next)
    if (!pattern_piece(b, child, &buf))
      return CEDAR_NONE;
  text.ptr = cedar_buf_text(&buf);
  text.len = buf.len;
  if (text.ptr == NULL)
    return cedar_build_status(b, CEDAR_NOMEM);
  place_at(b, json);
  return cedar_build_node(b, op, node, cedar_build_sym(b, text), 0);
}

static uint32_t read_is(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const cedar_est_key keys[] = {"left", "entity_type", "in", ""};
  const struct cedar_json *left = cedar_est_member(b, json, "left");
  const struct cedar_json *in = cedar_json_member(json, "in");
  uint32_t node, type, place = CEDAR_NONE;

  if (left == NULL || !cedar_est_only(b, json, keys))
    return CEDAR_NONE;
  type = cedar_est_type(b, json, "entity_type");
  node = cedar_est_expr(b, left);
  if (in != NULL)
    place = cedar_est_expr(b, in);
  place_at(b, json);
  return cedar_build_node(b, op, node, type, place);
}

static uint32_t read_if(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  static const cedar_est_key keys[] = {"if", "then", "else", ""};
  uint32_t nodes[3];
  unsigned int i;

  for (i = 0; i < 3; i++) {
    const struct cedar_json *part = cedar_est_member(b, json, keys[i]);

    if (part == NULL)
      return CEDAR_NONE;
    nodes[i] = cedar_est_expr(b, part);
  }
  if (!cedar_est_only(b, json, keys))
    return CEDAR_NONE;
  place_at(b, json);
  return cedar_build_node(b, op, nodes[0], nodes[1], nodes[2]);
}

static void push_all(struct cedar_build *b, const struct cedar_json *array) {
  const struct cedar_json *child;

  for (child = array->u.child; child != NULL && b->status == CEDAR_OK; child = child->next)
    cedar_build_push(b, cedar_est_expr(b, child));
}

static uint32_t read_set(struct cedar_build *b, const struct cedar_json *json, enum cedar_op op) {
  uint32_t mark = b->stack_n;

  (void)op;
  if (json->kind != CEDAR_JSON_ARRAY)
    return cedar_est_fail(b, json, "a Set must be an array");
  push_all(b, json);
  place_at(b, json);
  return cedar_build_set(b, mark);
}

static uint32_t read_record(struct cedar_build *b, const struct cedar_json *json,
                            enum cedar_op op) {
  const struct cedar_json *child;
  uint32_t mark = b->stack_n;

  (void)op;
  if (json->kind != CEDAR_JSON_OBJECT)
    return cedar_est_fail(b, json, "a Record must be an object");
  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next) {
    cedar_build_push(b, cedar_build_sym(b, child->key));
    cedar_build_push(b, cedar_est_expr(b, child));
  }
  place_at(b, json);
  return cedar_build_record(b, mark);
}

static uint32_t read_call(struct cedar_build *b, const struct cedar_json *json) {
  int function = cedar_ext_find(json->key, false);
  uint32_t mark = b->stack_n;

  if (function < 0)
    function = cedar_ext_find(json->key, true);
  if (function < 0)
    return cedar_est_fail(b, json, "unknown operator or function `%.*s`",
                          (int)(json->key.len < 100 ? json->key.len : 100), json->key.ptr);
  if (json->kind != CEDAR_JSON_ARRAY)
    return cedar_est_fail(b, json, "a function's arguments must be an array");
  push_all(b, json);
  place_at(b, json);
  return cedar_build_call(b, (unsigned int)function, mark);
}

static const struct form forms[] = {
    {"Value", read_value, CEDAR_OP_NONE},
    {"Var", read_var, CEDAR_OP_VAR},
    {"Slot", read_slot, CEDAR_OP_NONE},
    {"!", read_unary, CEDAR_OP_NOT},
    {"neg", read_unary, CEDAR_OP_NEG},
    {"==", read_binary, CEDAR_OP_EQ},
    {"!=", read_binary, CEDAR_OP_NE},
    {"in", read_binary, CEDAR_OP_IN},
    {"<", read_binary, CEDAR_OP_LT},
    {"<=", read_binary, CEDAR_OP_LE},
    {">", read_binary, CEDAR_OP_GT},
    {">=", read_binary, CEDAR_OP_GE},
    {"&&", read_chain, CEDAR_OP_AND},
    {"||", read_chain, CEDAR_OP_OR},
    {"+", read_binary, CEDAR_OP_ADD},
    {"-", read_binary, CEDAR_OP_SUB},
    {"*", read_binary, CEDAR_OP_MUL},
    {"contains", read_binary, CEDAR_OP_CONTAINS},
    {"containsAll", read_binary, CEDAR_OP_CONTAINS_ALL},
    {"containsAny", read_binary, CEDAR_OP_CONTAINS_ANY},
    {"isEmpty", read_unary, CEDAR_OP_IS_EMPTY},
    {"getTag", read_binary, CEDAR_OP_GET_TAG},
    {"hasTag", read_binary, CEDAR_OP_HAS_TAG},
    {".", read_get, CEDAR_OP_GET},
    {"has", read_has, CEDAR_OP_HAS},
    {"like", read_like, CEDAR_OP_LIKE},
    {"is", read_is, CEDAR_OP_IS},
    {"if-then-else", read_if, CEDAR_OP_IF},
    {"Set", read_set, CEDAR_OP_SET},
    {"Record", read_record, CEDAR_OP_RECORD},
};

/* An object with one member, whose name is the operator. The JSON's depth is limited already. */
uint32_t cedar_est_expr(struct cedar_build *b, const struct cedar_json *json) {
  const struct cedar_json *body;
  size_t i;

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  if (json->kind != CEDAR_JSON_OBJECT || json->count != 1)
    return cedar_est_fail(b, json, "an expression is an object with exactly one member");
  body = json->u.child;
  place_at(b, json);
  for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
    if (cedar_text_is(body->key, forms[i].name))
      return forms[i].read(b, body, forms[i].op);
  return read_call(b, body);
}
