/*
 * Expressions with an unknown context. Whatever is rewritten errs exactly when the original does.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "partial.h"

typedef void part_fn(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                     struct cedar_part *out);

/* Room for more items of an array in the memory of the decision. */
static bool room(struct cedar_eval *e, void **at, uint32_t *cap, uint32_t need, size_t item) {
  uint32_t want = *cap == 0 ? 16 : *cap * 2;
  void *grown;

  if (need <= *cap)
    return true;
  if (want < need)
    want = need;
  grown = cedar_arena_get_array(&e->request->work, want, item);
  if (grown == NULL)
    return cedar_eval_fatal(e, CEDAR_LIMIT);
  if (*cap > 0)
    memcpy(grown, *at, *cap * item);
  *at = grown;
  *cap = want;
  return true;
}

uint32_t cedar_residue_node(struct cedar_eval *e, struct cedar_residue *residue, unsigned int op,
                            uint32_t a, uint32_t b, uint32_t c) {
  struct cedar_node node = {.op = (uint8_t)op, .a = a, .b = b, .c = c};

  if (e->fatal != CEDAR_OK || !room(e, (void **)(void *)&residue->nodes, &residue->node_cap,
                                    residue->node_n + 1, sizeof(node)))
    return CEDAR_NONE;
  residue->nodes[residue->node_n] = node;
  return e->store->code.n + residue->node_n++;
}

uint32_t cedar_residue_kids(struct cedar_eval *e, struct cedar_residue *residue,
                            const uint32_t *kids, uint32_t count) {
  uint32_t first = e->store->code.n + residue->kid_n;

  if (e->fatal != CEDAR_OK || !room(e, (void **)(void *)&residue->kids, &residue->kid_cap,
                                    residue->kid_n + count, sizeof(*kids)))
    return CEDAR_NONE;
  memcpy(residue->kids + residue->kid_n, kids, count * sizeof(*kids));
  residue->kid_n += count;
  return first;
}

uint32_t cedar_residue_value(struct cedar_eval *e, struct cedar_residue *residue,
                             struct cedar_value value) {
  if (e->fatal != CEDAR_OK || !room(e, (void **)(void *)&residue->values, &residue->value_cap,
                                    residue->value_n + 1, sizeof(value)))
    return CEDAR_NONE;
  residue->values[residue->value_n] = value;
  return cedar_residue_node(e, residue, CEDAR_OP_VALUE, residue->value_n++, 0, 0);
}

static void give_error(struct cedar_part *out) {
  out->state = CEDAR_PART_ERROR;
}

static void give_value(struct cedar_part *out, struct cedar_value value) {
  out->state = CEDAR_PART_KNOWN;
  out->value = value;
}

static void give_node(struct cedar_eval *e, struct cedar_part *out, uint32_t node) {
  out->state = e->fatal == CEDAR_OK ? CEDAR_PART_RESIDUE : CEDAR_PART_ERROR;
  out->node = node;
}

/* The result of an operator on known values. */
static void give_if(struct cedar_part *out, bool ok, struct cedar_value value) {
  if (ok)
    give_value(out, value);
  else
    give_error(out);
}

/* A part as an operand of a residue; one that errs stays as it was written. */
static uint32_t as_node(struct cedar_eval *e, struct cedar_residue *residue,
                        const struct cedar_part *part, uint32_t original) {
  if (part->state == CEDAR_PART_RESIDUE)
    return part->node;
  if (part->state == CEDAR_PART_KNOWN)
    return cedar_residue_value(e, residue, part->value);
  return original;
}

static bool is_known_bool(const struct cedar_part *part) {
  return part->state == CEDAR_PART_KNOWN && part->value.kind == CEDAR_KIND_BOOL;
}

/* A node that was looked at already; without operands when the image cannot be read any more. */
static struct cedar_node node_at(struct cedar_eval *e, uint32_t index) {
  const struct cedar_node *found = cedar_node_get(e->store, index);
  struct cedar_node none = {.op = CEDAR_OP_NONE, .a = CEDAR_NONE, .b = 0, .c = CEDAR_NONE};

  if (found == NULL)
    cedar_eval_fatal(e, CEDAR_DAMAGED);
  return found == NULL ? none : *found;
}

static void part_var(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                     struct cedar_part *out) {
  (void)residue;
  give_node(e, out, index);
}

/* Operators whose result is a Bool or an error. */
static bool gives_bool(const struct cedar_eval *e, const struct cedar_residue *residue,
                       uint32_t index) {
  const struct cedar_node *n = cedar_node_get(e->store, index);

  if (n == NULL && index - e->store->code.n < residue->node_n)
    n = &residue->nodes[index - e->store->code.n];
  if (n == NULL)
    return false;
  if (n->op == CEDAR_OP_CALL)
    return n->flags < cedar_ext_count && cedar_ext_table[n->flags].result == CEDAR_KIND_BOOL;
  return n->op == CEDAR_OP_AND || n->op == CEDAR_OP_OR || n->op == CEDAR_OP_NOT ||
         (n->op >= CEDAR_OP_IS_EMPTY && n->op <= CEDAR_OP_GE) ||
         (n->op >= CEDAR_OP_IN && n->op <= CEDAR_OP_CONTAINS_ANY) || n->op == CEDAR_OP_HAS_TAG ||
         n->op == CEDAR_OP_HAS || n->op == CEDAR_OP_LIKE || n->op == CEDAR_OP_IS;
}

/* What is left of && or ||: at least one operand. */
static void chain_give(struct cedar_eval *e, struct cedar_residue *residue, unsigned int op,
                       uint32_t *left, uint32_t count, struct cedar_part *out) {
  uint32_t first;

  if (count == 1 && gives_bool(e, residue, left[0])) {
    give_node(e, out, left[0]);
    return;
  }
  /* Alone it would lose the check that it is a Bool. */
  if (count == 1)
    left[count++] =
        cedar_residue_value(e, residue, cedar_value_make(CEDAR_KIND_BOOL, op == CEDAR_OP_AND));
  first = cedar_residue_kids(e, residue, left, count);
  give_node(e, out, cedar_residue_node(e, residue, op, first, count, 0));
}

/*
 * && and ||. Before anything is left open an operand decides as usual; after that one that does
 * not decide is dropped, and behind one that decides or errs nothing is ever reached.
 */
static void part_chain(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                       struct cedar_part *out) {
  struct cedar_node n = node_at(e, index);
  const uint32_t *kids = cedar_eval_kids(e, n.a, n.b);
  bool deciding = n.op == CEDAR_OP_OR;
  uint32_t *left, count = 0, i;
  struct cedar_part part;

  give_error(out);
  left = cedar_arena_get_array(&e->request->work, (size_t)n.b + 1, sizeof(*left));
  if (kids == NULL || left == NULL) {
    cedar_eval_fatal(e, CEDAR_LIMIT);
    return;
  }
  for (i = 0; i < n.b; i++) {
    cedar_partial_node(e, residue, kids[i], &part);
    if (part.state == CEDAR_PART_KNOWN && part.value.kind != CEDAR_KIND_BOOL) {
      cedar_eval_type_error(e, "Bool", part.value);
      part.state = CEDAR_PART_ERROR;
    }
    if (e->fatal != CEDAR_OK || (part.state == CEDAR_PART_ERROR && count == 0))
      return;
    if (is_known_bool(&part) && (part.value.u.i != 0) != deciding)
      continue;
    if (is_known_bool(&part) && count == 0) {
      give_value(out, part.value);
      return;
    }
    left[count++] = as_node(e, residue, &part, kids[i]);
    if (part.state != CEDAR_PART_RESIDUE)
      break;
  }
  if (count == 0)
    give_value(out, cedar_value_make(CEDAR_KIND_BOOL, !deciding));
  else
    chain_give(e, residue, n.op, left, count, out);
}

static void part_if(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                    struct cedar_part *out) {
  struct cedar_node n = node_at(e, index);
  struct cedar_part condition, yes, no;

  cedar_partial_node(e, residue, n.a, &condition);
  if (is_known_bool(&condition)) {
    cedar_partial_node(e, residue, condition.value.u.i != 0 ? n.b : n.c, out);
    return;
  }
  give_error(out);
  if (condition.state == CEDAR_PART_KNOWN)
    cedar_eval_type_error(e, "Bool", condition.value);
  if (condition.state != CEDAR_PART_RESIDUE)
    return;
  cedar_partial_node(e, residue, n.b, &yes);
  cedar_partial_node(e, residue, n.c, &no);
  give_node(e, out,
            cedar_residue_node(e, residue, CEDAR_OP_IF, condition.node,
                               as_node(e, residue, &yes, n.b), as_node(e, residue, &no, n.c)));
}

/* Operators on one value: what is known is worked out by the evaluator itself. */
static bool unary_value(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value v,
                        struct cedar_value *out) {
  bool b = false, ok = true;
  struct cedar_text pattern, text;

  switch (n->op) {
  case CEDAR_OP_GET:
    return cedar_op_get(e, v, n->b, out);
  case CEDAR_OP_HAS: {
    const uint32_t *path = cedar_eval_kids(e, n->b, n->c);

    ok = path != NULL && cedar_op_has(e, v, path, n->c, &b);
    break;
  }
  case CEDAR_OP_NOT:
    ok = v.kind == CEDAR_KIND_BOOL || cedar_eval_type_error(e, "Bool", v);
    b = v.u.i == 0;
    break;
  case CEDAR_OP_IS_EMPTY:
    ok = v.kind == CEDAR_KIND_SET || cedar_eval_type_error(e, "a Set", v);
    b = v.n == 0;
    break;
  case CEDAR_OP_NEG:
    *out = cedar_value_make(CEDAR_KIND_LONG, 0);
    if (v.kind != CEDAR_KIND_LONG)
      return cedar_eval_type_error(e, "Long", v);
    return !__builtin_sub_overflow((int64_t)0, v.u.i, &out->u.i) ||
           cedar_eval_error(e, "integer overflow");
  default: /* CEDAR_OP_LIKE */
    pattern = cedar_sym_text(e->store, n->b);
    if (v.kind != CEDAR_KIND_STRING)
      return cedar_eval_type_error(e, "String", v);
    text = cedar_request_text(e->request, v.u.id);
    if (pattern.ptr == NULL || text.ptr == NULL)
      return cedar_eval_fatal(e, CEDAR_DAMAGED);
    b = cedar_like(text, pattern);
  }
  *out = cedar_value_make(CEDAR_KIND_BOOL, b);
  return ok;
}

static void part_unary(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                       struct cedar_part *out) {
  struct cedar_node n = node_at(e, index);
  struct cedar_value value = {0};
  struct cedar_part part;

  cedar_partial_node(e, residue, n.a, &part);
  give_error(out);
  if (part.state == CEDAR_PART_KNOWN)
    give_if(out, unary_value(e, &n, part.value, &value), value);
  else if (part.state == CEDAR_PART_RESIDUE)
    give_node(e, out, cedar_residue_node(e, residue, n.op, part.node, n.b, n.c));
}

static void part_binary(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                        struct cedar_part *out) {
  struct cedar_node n = node_at(e, index);
  struct cedar_value value = {0};
  struct cedar_part left, right;
  bool ok = true;

  cedar_partial_node(e, residue, n.a, &left);
  give_error(out);
  if (left.state == CEDAR_PART_ERROR)
    return;
  cedar_partial_node(e, residue, n.b, &right);
  if (right.state == CEDAR_PART_ERROR)
    return;
  if (left.state == CEDAR_PART_RESIDUE || right.state == CEDAR_PART_RESIDUE) {
    uint32_t a = as_node(e, residue, &left, n.a), b = as_node(e, residue, &right, n.b);

    give_node(e, out, cedar_residue_node(e, residue, n.op, a, b, 0));
    return;
  }
  if (n.op == CEDAR_OP_EQ || n.op == CEDAR_OP_NE)
    value = cedar_value_bool((cedar_value_compare(e->store, left.value, right.value) == 0) ==
                             (n.op == CEDAR_OP_EQ));
  else
    ok = cedar_op_binary(e, n.op, left.value, right.value, &value);
  give_if(out, ok, value);
}

/* x is T in E: E only counts when the type fits. */
static void part_is(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                    struct cedar_part *out) {
  struct cedar_node n = node_at(e, index);
  struct cedar_part object, in = {.state = CEDAR_PART_ERROR};
  uint32_t type = 0, id;
  bool b = false, ok;

  cedar_partial_node(e, residue, n.a, &object);
  give_error(out);
  if (object.state == CEDAR_PART_ERROR)
    return;
  if (object.state == CEDAR_PART_RESIDUE) {
    if (n.c != CEDAR_NONE) {
      cedar_partial_node(e, residue, n.c, &in);
      n.c = as_node(e, residue, &in, n.c);
    }
    give_node(e, out, cedar_residue_node(e, residue, CEDAR_OP_IS, object.node, n.b, n.c));
    return;
  }
  if (object.value.kind != CEDAR_KIND_ENTITY) {
    cedar_eval_type_error(e, "an entity", object.value);
    return;
  }
  cedar_request_uid_parts(e->request, object.value.u.id, &type, &id);
  if (type != n.b || n.c == CEDAR_NONE) {
    give_value(out, cedar_value_bool(type == n.b));
    return;
  }
  cedar_partial_node(e, residue, n.c, &in);
  if (in.state == CEDAR_PART_KNOWN) {
    ok = cedar_op_in(e, object.value, in.value, &b);
    give_if(out, ok, cedar_value_bool(b));
  } else if (in.state == CEDAR_PART_RESIDUE) {
    give_node(e, out,
              cedar_residue_node(e, residue, CEDAR_OP_IN,
                                 cedar_residue_value(e, residue, object.value), in.node, 0));
  }
}

/* SET, RECORD and CALL evaluate all their operands, so one that errs decides. */
static void part_list(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                      struct cedar_part *out) {
  struct cedar_node n = node_at(e, index);
  uint32_t step = n.op == CEDAR_OP_RECORD ? 2 : 1, count = n.b * step, i, made;
  const uint32_t *kids = n.b > UINT32_MAX / 2 ? NULL : cedar_eval_kids(e, n.a, count);
  uint32_t *left = cedar_arena_get_array(&e->request->work, count, sizeof(*left));
  struct cedar_part part;
  bool open = false;

  give_error(out);
  if (kids == NULL || left == NULL) {
    cedar_eval_fatal(e, CEDAR_LIMIT);
    return;
  }
  for (i = 0; i < count; i++) {
    left[i] = kids[i];
    if (step == 2 && i % 2 == 0)
      continue;
    cedar_partial_node(e, residue, kids[i], &part);
    if (part.state == CEDAR_PART_ERROR)
      return;
    open = open || part.state == CEDAR_PART_RESIDUE;
    left[i] = as_node(e, residue, &part, kids[i]);
  }
  /* All known: the context only stands where evaluation does not come by. */
  if (!open) {
    give_if(out, cedar_eval_node(e, index, &part.value), part.value);
    return;
  }
  made = cedar_residue_node(e, residue, n.op, cedar_residue_kids(e, residue, left, count), n.b,
                            CEDAR_NONE);
  if (made != CEDAR_NONE)
    residue->nodes[made - e->store->code.n].flags = n.flags;
  give_node(e, out, made);
}

static part_fn *const part_table[CEDAR_OP_COUNT] = {
    [CEDAR_OP_VAR] = part_var,
    [CEDAR_OP_AND] = part_chain,
    [CEDAR_OP_OR] = part_chain,
    [CEDAR_OP_IF] = part_if,
    [CEDAR_OP_NOT] = part_unary,
    [CEDAR_OP_NEG] = part_unary,
    [CEDAR_OP_IS_EMPTY] = part_unary,
    [CEDAR_OP_EQ] = part_binary,
    [CEDAR_OP_NE] = part_binary,
    [CEDAR_OP_LT] = part_binary,
    [CEDAR_OP_LE] = part_binary,
    [CEDAR_OP_GT] = part_binary,
    [CEDAR_OP_GE] = part_binary,
    [CEDAR_OP_ADD] = part_binary,
    [CEDAR_OP_SUB] = part_binary,
    [CEDAR_OP_MUL] = part_binary,
    [CEDAR_OP_IN] = part_binary,
    [CEDAR_OP_CONTAINS] = part_binary,
    [CEDAR_OP_CONTAINS_ALL] = part_binary,
    [CEDAR_OP_CONTAINS_ANY] = part_binary,
    [CEDAR_OP_GET_TAG] = part_binary,
    [CEDAR_OP_HAS_TAG] = part_binary,
    [CEDAR_OP_GET] = part_unary,
    [CEDAR_OP_HAS] = part_unary,
    [CEDAR_OP_LIKE] = part_unary,
    [CEDAR_OP_IS] = part_is,
    [CEDAR_OP_SET] = part_list,
    [CEDAR_OP_RECORD] = part_list,
    [CEDAR_OP_CALL] = part_list,
};

void cedar_partial_node(struct cedar_eval *e, struct cedar_residue *residue, uint32_t index,
                        struct cedar_part *out) {
  const struct cedar_node *n = cedar_node_get(e->store, index);
  bool ok;

  memset(out, 0, sizeof(*out));
  if (n == NULL || n->op >= CEDAR_OP_COUNT || e->depth > CEDAR_MAX_DEPTH) {
    cedar_eval_fatal(e, CEDAR_DAMAGED);
    return;
  }
  if (++e->steps > CEDAR_MAX_STEPS) {
    cedar_eval_fatal(e, CEDAR_LIMIT);
    return;
  }
  if (!n->context || part_table[n->op] == NULL) {
    ok = cedar_eval_node(e, index, &out->value);
    out->state = ok ? CEDAR_PART_KNOWN : CEDAR_PART_ERROR;
    return;
  }
  e->depth++;
  part_table[n->op](e, residue, index, out);
  e->depth--;
  if (e->fatal != CEDAR_OK)
    give_error(out);
}
