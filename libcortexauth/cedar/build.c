/*
 * Building policies: nodes, lists, and constants that are worked out once, at load.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fold.h"

void cedar_build_init(struct cedar_build *b, struct cedar_store *store,
                      const struct cedar_source *source, struct cedar_error *error) {
  memset(b, 0, sizeof(*b));
  b->store = store;
  b->source = source;
  b->error = error;
  cedar_places_init(&b->places, source);
  cedar_arena_init(&b->arena, &store->alloc, SIZE_MAX / 2);
}

void cedar_build_clear(struct cedar_build *b) {
  cedar_arena_clear(&b->arena);
  if (b->stack != NULL)
    b->store->alloc.free(b->store->alloc.ctx, b->stack, b->stack_cap * sizeof(*b->stack));
  b->stack = NULL;
}

uint32_t cedar_build_fail(struct cedar_build *b, enum cedar_status status, uint32_t line,
                          uint32_t column, const char *format, ...) {
  struct cedar_place place = {b->source->name, line, column};
  char message[sizeof(b->error->message)];
  va_list args;

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  b->status = cedar_error_set(b->error, status, place, "%s", message);
  return CEDAR_NONE;
}

uint32_t cedar_build_status(struct cedar_build *b, enum cedar_status status) {
  return cedar_build_fail(b, status, b->place_line, b->place_column, "%s",
                          status == CEDAR_NOMEM
                              ? "out of memory"
                              : "too large: a ceiling of the policy store is reached");
}

uint32_t cedar_build_sym(struct cedar_build *b, struct cedar_text text) {
  uint32_t sym = CEDAR_NONE;
  enum cedar_status status;

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  status = cedar_sym_put(b->store, text.ptr, text.len, &sym);
  return status == CEDAR_OK ? sym : cedar_build_status(b, status);
}

uint32_t cedar_build_uid(struct cedar_build *b, uint32_t type, struct cedar_text id) {
  uint32_t sym = cedar_build_sym(b, id), uid = CEDAR_NONE;
  enum cedar_status status;

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  status = cedar_uid_put(b->store, type, sym, &uid);
  return status == CEDAR_OK ? uid : cedar_build_status(b, status);
}

static unsigned int height_of(const struct cedar_build *b, uint32_t node) {
  return node < b->store->code.n ? cedar_node_at(b->store, node)->height : 0;
}

/* An operand makes the node higher, and brings in what it mentions. */
static void operand_note(const struct cedar_build *b, struct cedar_node *n, unsigned int *height,
                         uint32_t operand) {
  const struct cedar_node *o;

  if (operand >= b->store->code.n)
    return;
  o = cedar_node_at(b->store, operand);
  if (o->height > *height)
    *height = o->height;
  n->context |= o->context;
}

static void kids_note(const struct cedar_build *b, struct cedar_node *n, unsigned int *height,
                      uint32_t step) {
  uint32_t i;

  for (i = step - 1; i < n->b * step; i += step)
    operand_note(b, n, height, b->store->code.at[n->a + i]);
}

/* The height of the highest operand; also sets n->context. */
static unsigned int operands_note(const struct cedar_build *b, struct cedar_node *n) {
  unsigned int height = 0;

  if (n->op == CEDAR_OP_VAR)
    n->context = n->a == CEDAR_CONTEXT;
  if (n->op <= CEDAR_OP_VAR)
    return 0;
  if (n->op == CEDAR_OP_AND || n->op == CEDAR_OP_OR || n->op == CEDAR_OP_SET ||
      n->op == CEDAR_OP_CALL) {
    kids_note(b, n, &height, 1);
    return height;
  }
  if (n->op == CEDAR_OP_RECORD) {
    kids_note(b, n, &height, 2);
    return height;
  }
  operand_note(b, n, &height, n->a);
  if (n->op == CEDAR_OP_IF || (n->op >= CEDAR_OP_EQ && n->op <= CEDAR_OP_HAS_TAG))
    operand_note(b, n, &height, n->b);
  if (n->op == CEDAR_OP_IF || n->op == CEDAR_OP_IS)
    operand_note(b, n, &height, n->c);
  return height;
}

static uint32_t node_put(struct cedar_build *b, const struct cedar_node *node) {
  enum cedar_status status = CEDAR_ROOM(b->store, code, CEDAR_NODE_UNITS, CEDAR_MAX_CODE);
  uint32_t place = b->store->code.n;

  if (status != CEDAR_OK)
    return cedar_build_status(b, status);
  *cedar_node_at(b->store, place) = *node;
  b->store->code.n += CEDAR_NODE_UNITS;
  return place;
}

uint32_t cedar_build_node(struct cedar_build *b, enum cedar_op op, uint32_t x, uint32_t y,
                          uint32_t z) {
  struct cedar_node node = {
      .op = (uint8_t)op, .line = b->place_line, .column = b->place_column, .a = x, .b = y, .c = z};
  unsigned int height;

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  height = operands_note(b, &node) + 1;
  if (height > CEDAR_MAX_DEPTH)
    return cedar_build_fail(b, CEDAR_LIMIT, b->place_line, b->place_column,
                            "expression is nested deeper than %d", CEDAR_MAX_DEPTH);
  node.height = (uint8_t)height;
  return node_put(b, &node);
}

uint32_t cedar_build_condition(struct cedar_build *b, bool when, uint32_t body) {
  struct cedar_node node = {.op = when ? CEDAR_OP_WHEN : CEDAR_OP_UNLESS,
                            .line = b->place_line,
                            .column = b->place_column,
                            .a = body};

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  node.height = (uint8_t)height_of(b, body);
  return node_put(b, &node);
}

uint32_t cedar_build_long(struct cedar_build *b, int64_t value) {
  return cedar_build_node(b, CEDAR_OP_LONG, (uint32_t)((uint64_t)value & 0xffffffffU),
                          (uint32_t)((uint64_t)value >> 32), 0);
}

void cedar_build_push(struct cedar_build *b, uint32_t item) {
  enum cedar_status status;

  if (b->status != CEDAR_OK)
    return;
  if (b->stack_n == b->stack_cap) {
    status = cedar_array_grow(&b->store->alloc, (void **)(void *)&b->stack, &b->stack_cap,
                              sizeof(*b->stack), (uint64_t)b->stack_n + 1, CEDAR_MAX_ITEMS);
    if (status != CEDAR_OK) {
      cedar_build_status(b, status);
      return;
    }
  }
  b->stack[b->stack_n++] = item;
}

uint32_t cedar_build_kids(struct cedar_build *b, uint32_t mark) {
  uint32_t count = b->stack_n - mark, first = b->store->code.n;
  enum cedar_status status;

  b->stack_n = mark;
  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  status = CEDAR_ROOM(b->store, code, count, CEDAR_MAX_CODE);
  if (status != CEDAR_OK)
    return cedar_build_status(b, status);
  if (count > 0)
    memcpy(b->store->code.at + first, b->stack + mark, count * sizeof(uint32_t));
  b->store->code.n += count;
  return first;
}

uint32_t cedar_build_chain(struct cedar_build *b, enum cedar_op op, uint32_t mark) {
  uint32_t count = b->stack_n - mark, first;

  if (count == 1 && b->status == CEDAR_OK) {
    b->stack_n = mark;
    return b->stack[mark];
  }
  first = cedar_build_kids(b, mark);
  return cedar_build_node(b, op, first, count, 0);
}

/* Puts the constant's cell into a node that has one. */
static uint32_t folded(struct cedar_build *b, uint32_t node) {
  enum cedar_status status;

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  status = cedar_fold(b->store, &b->arena, node);
  return status == CEDAR_OK ? node : cedar_build_status(b, status);
}

uint32_t cedar_build_set(struct cedar_build *b, uint32_t mark) {
  uint32_t count = b->stack_n - mark, first = cedar_build_kids(b, mark);

  return folded(b, cedar_build_node(b, CEDAR_OP_SET, first, count, CEDAR_NONE));
}

uint32_t cedar_build_record(struct cedar_build *b, uint32_t mark) {
  uint32_t count = (b->stack_n - mark) / 2, first = cedar_build_kids(b, mark);

  return folded(b, cedar_build_node(b, CEDAR_OP_RECORD, first, count, CEDAR_NONE));
}

uint32_t cedar_build_call(struct cedar_build *b, unsigned int function, uint32_t mark) {
  uint32_t count = b->stack_n - mark, first = cedar_build_kids(b, mark);
  uint32_t node = cedar_build_node(b, CEDAR_OP_CALL, first, count, CEDAR_NONE);

  if (b->status != CEDAR_OK)
    return CEDAR_NONE;
  cedar_node_at(b->store, node)->flags = (uint8_t)function;
  return folded(b, node);
}

static const struct {
  char name[12];
  enum cedar_op op;
  unsigned int args;
} methods[] = {
    {"contains", CEDAR_OP_CONTAINS, 1},        {"containsAll", CEDAR_OP_CONTAINS_ALL, 1},
    {"containsAny", CEDAR_OP_CONTAINS_ANY, 1}, {"isEmpty", CEDAR_OP_IS_EMPTY, 0},
    {"getTag", CEDAR_OP_GET_TAG, 1},           {"hasTag", CEDAR_OP_HAS_TAG, 1},
};

enum cedar_op cedar_method_op(struct cedar_text name, unsigned int *args_out) {
  size_t i;

  for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
    if (cedar_text_is(name, methods[i].name)) {
      *args_out = methods[i].args;
      return methods[i].op;
    }
  }
  return CEDAR_OP_NONE;
}

const char *cedar_method_name(enum cedar_op op) {
  size_t i;

  for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
    if (methods[i].op == op)
      return methods[i].name;
  return NULL;
}
