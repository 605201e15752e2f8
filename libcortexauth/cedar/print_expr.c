/*
 * Expressions and scopes as Cedar text.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "build.h"
#include "print.h"

/* How tightly a construct binds; an operand that binds less gets parentheses. */
enum level {
  LEVEL_EXPR,
  LEVEL_OR,
  LEVEL_AND,
  LEVEL_RELATION,
  LEVEL_ADD,
  LEVEL_MULT,
  LEVEL_UNARY,
  LEVEL_MEMBER
};

static void put_node(struct cedar_printer *p, uint32_t index, enum level least);

/* The signs of binary operators, with the level of the whole and of its operands. */
static const struct {
  char sign[3]; /* empty: no binary operator */
  unsigned char level, left, right;
} signs[CEDAR_OP_COUNT] = {
    [CEDAR_OP_EQ] = {"==", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_NE] = {"!=", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_LT] = {"<", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_LE] = {"<=", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_GT] = {">", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_GE] = {">=", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_IN] = {"in", LEVEL_RELATION, LEVEL_ADD, LEVEL_ADD},
    [CEDAR_OP_ADD] = {"+", LEVEL_ADD, LEVEL_ADD, LEVEL_MULT},
    [CEDAR_OP_SUB] = {"-", LEVEL_ADD, LEVEL_ADD, LEVEL_MULT},
    [CEDAR_OP_MUL] = {"*", LEVEL_MULT, LEVEL_MULT, LEVEL_UNARY},
};

const char *cedar_op_sign(unsigned int op) {
  return op < CEDAR_OP_COUNT && signs[op].sign[0] != '\0' ? signs[op].sign : NULL;
}

const char *cedar_var_name(uint32_t var) {
  static const char names[][10] = {"principal", "action", "resource", "context"};

  return var < 4 ? names[var] : "context";
}

static int64_t long_of(const struct cedar_node *n) {
  return (int64_t)((uint64_t)n->b << 32 | n->a);
}

/* A value that partial evaluation worked out; false for any other node. */
static bool residue_value(const struct cedar_printer *p, const struct cedar_node *n,
                          struct cedar_value *out) {
  if (n->op != CEDAR_OP_VALUE || p->residue == NULL || n->a >= p->residue->value_n)
    return false;
  *out = p->residue->values[n->a];
  return true;
}

static bool is_negative(const struct cedar_printer *p, const struct cedar_node *n) {
  struct cedar_value value;

  if (n->op == CEDAR_OP_LONG)
    return long_of(n) < 0;
  return residue_value(p, n, &value) && value.kind == CEDAR_KIND_LONG && value.u.i < 0;
}

static enum level level_of(const struct cedar_printer *p, const struct cedar_node *n) {
  switch (n->op) {
  case CEDAR_OP_IF:
    return LEVEL_EXPR;
  case CEDAR_OP_OR:
    return LEVEL_OR;
  case CEDAR_OP_AND:
    return LEVEL_AND;
  case CEDAR_OP_HAS:
  case CEDAR_OP_LIKE:
  case CEDAR_OP_IS:
    return LEVEL_RELATION;
  case CEDAR_OP_NOT:
  case CEDAR_OP_NEG:
    return LEVEL_UNARY;
  default:
    if (signs[n->op].sign[0] != '\0')
      return (enum level)signs[n->op].level;
    return is_negative(p, n) ? LEVEL_UNARY : LEVEL_MEMBER;
  }
}

static void put_list(struct cedar_printer *p, const uint32_t *kids, uint32_t count) {
  uint32_t i;

  for (i = 0; p->ok && i < count; i++) {
    if (i > 0)
      cedar_puts(p, ", ");
    put_node(p, kids[i], LEVEL_EXPR);
  }
}

static void put_chain(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *kids = cedar_printer_kids(p, n->a, n->b);
  bool and = n->op == CEDAR_OP_AND;
  uint32_t i;

  for (i = 0; p->ok && i < n->b; i++) {
    if (i > 0)
      cedar_puts(p, and? " && " : " || ");
    put_node(p, kids[i], and? LEVEL_RELATION : LEVEL_AND);
  }
}

static void put_if(struct cedar_printer *p, const struct cedar_node *n) {
  cedar_puts(p, "if ");
  put_node(p, n->a, LEVEL_EXPR);
  cedar_puts(p, " then ");
  put_node(p, n->b, LEVEL_EXPR);
  cedar_puts(p, " else ");
  put_node(p, n->c, LEVEL_EXPR);
}

/* The minus of a literal is part of it, so a negated literal needs parentheses. */
static void put_unary(struct cedar_printer *p, const struct cedar_node *n) {
  const struct cedar_node *operand = cedar_printer_node(p, n->a);
  struct cedar_value value;
  bool literal;

  cedar_puts(p, n->op == CEDAR_OP_NOT ? "!" : "-");
  if (operand == NULL)
    return;
  literal = operand->op == CEDAR_OP_LONG || residue_value(p, operand, &value);
  if (n->op == CEDAR_OP_NEG && literal) {
    cedar_puts(p, "(");
    put_node(p, n->a, LEVEL_EXPR);
    cedar_puts(p, ")");
    return;
  }
  put_node(p, n->a, LEVEL_MEMBER);
}

static void put_binary(struct cedar_printer *p, const struct cedar_node *n) {
  put_node(p, n->a, signs[n->op].left);
  cedar_puts(p, " ");
  cedar_puts(p, signs[n->op].sign);
  cedar_puts(p, " ");
  put_node(p, n->b, signs[n->op].right);
}

static bool is_bare(struct cedar_text text) {
  return cedar_is_ident(text) && !cedar_is_reserved(text);
}

static void put_get(struct cedar_printer *p, const struct cedar_node *n) {
  struct cedar_text name = cedar_printer_sym(p, n->b);

  put_node(p, n->a, LEVEL_MEMBER);
  if (!p->ok)
    return;
  cedar_puts(p, is_bare(name) ? "." : "[");
  if (is_bare(name)) {
    cedar_put(p, name.ptr, name.len);
    return;
  }
  cedar_put_string(p, name);
  cedar_puts(p, "]");
}

static void put_has(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *path = cedar_printer_kids(p, n->b, n->c);
  struct cedar_text name;
  uint32_t i;

  put_node(p, n->a, LEVEL_ADD);
  cedar_puts(p, " has ");
  for (i = 0; p->ok && i < n->c; i++) {
    name = cedar_printer_sym(p, path[i]);
    if (i > 0)
      cedar_puts(p, ".");
    if (!p->ok)
      return;
    if (n->c > 1 || is_bare(name))
      cedar_put(p, name.ptr, name.len);
    else
      cedar_put_string(p, name);
  }
}

static void put_like(struct cedar_printer *p, const struct cedar_node *n) {
  put_node(p, n->a, LEVEL_ADD);
  cedar_puts(p, " like ");
  cedar_put_pattern(p, cedar_printer_sym(p, n->b));
}

static void put_is(struct cedar_printer *p, const struct cedar_node *n) {
  struct cedar_text type = cedar_printer_sym(p, n->b);

  put_node(p, n->a, LEVEL_ADD);
  cedar_puts(p, " is ");
  cedar_put(p, type.ptr, type.len);
  if (n->c != CEDAR_NONE) {
    cedar_puts(p, " in ");
    put_node(p, n->c, LEVEL_ADD);
  }
}

static void put_set(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *kids = cedar_printer_kids(p, n->a, n->b);

  cedar_puts(p, "[");
  put_list(p, kids, n->b);
  cedar_puts(p, "]");
}

static void put_record(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *kids = n->b > UINT32_MAX / 2 ? NULL : cedar_printer_kids(p, n->a, 2 * n->b);
  struct cedar_text key;
  uint32_t i;

  p->ok = p->ok && kids != NULL;
  cedar_puts(p, "{");
  for (i = 0; p->ok && i < n->b; i++) {
    if (i > 0)
      cedar_puts(p, ", ");
    key = cedar_printer_sym(p, kids[2 * i]);
    if (!p->ok)
      return;
    if (is_bare(key))
      cedar_put(p, key.ptr, key.len);
    else
      cedar_put_string(p, key);
    cedar_puts(p, ": ");
    put_node(p, kids[2 * i + 1], LEVEL_EXPR);
  }
  cedar_puts(p, "}");
}

static void put_call(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *kids = cedar_printer_kids(p, n->a, n->b);
  bool method;

  if (!p->ok || n->flags >= cedar_ext_count) {
    p->ok = false;
    return;
  }
  method = cedar_ext_table[n->flags].method && n->b > 0;
  if (method) {
    put_node(p, kids[0], LEVEL_MEMBER);
    cedar_puts(p, ".");
  }
  cedar_puts(p, cedar_ext_table[n->flags].name);
  cedar_puts(p, "(");
  put_list(p, kids + method, n->b - method);
  cedar_puts(p, ")");
}

/* contains, getTag and the like. */
static void put_method(struct cedar_printer *p, const struct cedar_node *n) {
  const char *name = cedar_method_name((enum cedar_op)n->op);

  p->ok = p->ok && name != NULL;
  put_node(p, n->a, LEVEL_MEMBER);
  if (!p->ok)
    return;
  cedar_puts(p, ".");
  cedar_puts(p, name);
  cedar_puts(p, "(");
  if (n->op != CEDAR_OP_IS_EMPTY)
    put_node(p, n->b, LEVEL_EXPR);
  cedar_puts(p, ")");
}

static void put_literal(struct cedar_printer *p, const struct cedar_node *n) {
  struct cedar_value value;

  switch (n->op) {
  case CEDAR_OP_BOOL:
    cedar_puts(p, n->a != 0 ? "true" : "false");
    break;
  case CEDAR_OP_LONG:
    cedar_put_long(p, long_of(n));
    break;
  case CEDAR_OP_STRING:
    cedar_put_string(p, cedar_printer_sym(p, n->a));
    break;
  case CEDAR_OP_ENTITY:
    cedar_put_uid(p, n->a);
    break;
  case CEDAR_OP_VAR:
    cedar_puts(p, cedar_var_name(n->a));
    break;
  default:
    if (residue_value(p, n, &value))
      cedar_put_value(p, value);
    else
      p->ok = false;
  }
}

typedef void put_fn(struct cedar_printer *p, const struct cedar_node *n);

static put_fn *const put_table[CEDAR_OP_COUNT] = {
    [CEDAR_OP_AND] = put_chain,
    [CEDAR_OP_OR] = put_chain,
    [CEDAR_OP_IF] = put_if,
    [CEDAR_OP_NOT] = put_unary,
    [CEDAR_OP_NEG] = put_unary,
    [CEDAR_OP_IS_EMPTY] = put_method,
    [CEDAR_OP_CONTAINS] = put_method,
    [CEDAR_OP_CONTAINS_ALL] = put_method,
    [CEDAR_OP_CONTAINS_ANY] = put_method,
    [CEDAR_OP_GET_TAG] = put_method,
    [CEDAR_OP_HAS_TAG] = put_method,
    [CEDAR_OP_GET] = put_get,
    [CEDAR_OP_HAS] = put_has,
    [CEDAR_OP_LIKE] = put_like,
    [CEDAR_OP_IS] = put_is,
    [CEDAR_OP_SET] = put_set,
    [CEDAR_OP_RECORD] = put_record,
    [CEDAR_OP_CALL] = put_call,
};

static void put_node(struct cedar_printer *p, uint32_t index, enum level least) {
  const struct cedar_node *n = cedar_printer_node(p, index);
  bool wrap;

  if (n == NULL || !p->ok || n->op >= CEDAR_OP_COUNT || p->depth > 2 * CEDAR_MAX_DEPTH) {
    p->ok = false;
    return;
  }
  wrap = level_of(p, n) < least;
  p->depth++;
  if (wrap)
    cedar_puts(p, "(");
  if (signs[n->op].sign[0] != '\0')
    put_binary(p, n);
  else if (put_table[n->op] != NULL)
    put_table[n->op](p, n);
  else
    put_literal(p, n);
  if (wrap)
    cedar_puts(p, ")");
  p->depth--;
}

void cedar_put_expr(struct cedar_printer *p, uint32_t node) {
  put_node(p, node, LEVEL_EXPR);
}

static void put_target(struct cedar_printer *p, const struct cedar_scope *scope,
                       enum cedar_var var) {
  if (scope->slot) {
    cedar_puts(p, "?");
    cedar_puts(p, cedar_var_name(var));
    return;
  }
  cedar_put_uid(p, scope->uid);
}

static void put_target_list(struct cedar_printer *p, const struct cedar_scope *scope) {
  const uint32_t *kids = cedar_printer_kids(p, scope->uid, scope->count);
  uint32_t i;

  cedar_puts(p, " in [");
  for (i = 0; p->ok && i < scope->count; i++) {
    if (i > 0)
      cedar_puts(p, ", ");
    cedar_put_uid(p, kids[i]);
  }
  cedar_puts(p, "]");
}

void cedar_put_scope(struct cedar_printer *p, const struct cedar_scope *scope, enum cedar_var var) {
  struct cedar_text type;

  cedar_puts(p, cedar_var_name(var));
  if (scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN) {
    type = cedar_printer_sym(p, scope->type);
    cedar_puts(p, " is ");
    cedar_put(p, type.ptr, type.len);
  }
  if (scope->op == CEDAR_SCOPE_LIST) {
    put_target_list(p, scope);
  } else if (scope->op != CEDAR_SCOPE_ANY && scope->op != CEDAR_SCOPE_IS) {
    cedar_puts(p, scope->op == CEDAR_SCOPE_EQ ? " == " : " in ");
    put_target(p, scope, var);
  }
}
