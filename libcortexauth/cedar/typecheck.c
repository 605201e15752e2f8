/*
 * Types of expressions: dispatch by kind of node, and what all kinds share.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "typecheck.h"

#include <stdarg.h>
#include <stdio.h>

#include "validate.h"

struct cedar_typed cedar_typed_make(const struct cedar_type *type, bool good) {
  struct cedar_typed typed = {type, good, NULL};

  return typed;
}

const struct cedar_node *cedar_check_node(const struct cedar_checker *c, uint32_t node) {
  return cedar_node_at(c->store, node);
}

struct cedar_text cedar_check_text(const struct cedar_checker *c, uint32_t sym) {
  return cedar_sym_text(c->store, sym);
}

int cedar_check_len(struct cedar_text text) {
  return (int)(text.len < 100 ? text.len : 100);
}

void *cedar_check_get(struct cedar_checker *c, size_t count, size_t size) {
  void *piece = cedar_arena_get_array(c->scratch, count, size);

  if (piece == NULL)
    c->status = CEDAR_NOMEM;
  return piece;
}

__attribute__((format(printf, 4, 0))) static void report(struct cedar_checker *c,
                                                         enum cedar_severity severity,
                                                         struct cedar_place place,
                                                         const char *format, va_list args) {
  char message[sizeof(((struct cedar_error *)NULL)->message)];
  enum cedar_status status;

  vsnprintf(message, sizeof(message), format, args);
  status = cedar_report_add(c->report, severity, place, message);
  if (status != CEDAR_OK)
    c->status = status;
}

void cedar_check_report(struct cedar_checker *c, enum cedar_severity severity, uint32_t line,
                        uint32_t column, const char *format, ...) {
  struct cedar_place place = {NULL, line, column};
  va_list args;

  va_start(args, format);
  report(c, severity, place, format, args);
  va_end(args);
}

void cedar_check_error_at(struct cedar_checker *c, uint32_t line, uint32_t column,
                          const char *format, ...) {
  struct cedar_place place = {NULL, line, column};
  va_list args;

  va_start(args, format);
  report(c, CEDAR_IS_ERROR, place, format, args);
  va_end(args);
}

void cedar_check_error(struct cedar_checker *c, uint32_t node, const char *format, ...) {
  struct cedar_place place = {NULL, 0, 0};
  va_list args;

  if (node < c->store->code.n) {
    place.line = cedar_check_node(c, node)->line;
    place.column = cedar_check_node(c, node)->column;
  }
  va_start(args, format);
  report(c, CEDAR_IS_ERROR, place, format, args);
  va_end(args);
}

static bool is_wanted(const struct cedar_type *type, enum cedar_want want) {
  switch (want) {
  case CEDAR_WANT_BOOL:
    return type->kind == CEDAR_TYPE_BOOL;
  case CEDAR_WANT_LONG:
    return type->kind == CEDAR_TYPE_LONG;
  case CEDAR_WANT_STRING:
    return type->kind == CEDAR_TYPE_STRING;
  case CEDAR_WANT_SET:
    return type->kind == CEDAR_TYPE_SET;
  case CEDAR_WANT_ENTITY:
    return type->kind == CEDAR_TYPE_ENTITY;
  case CEDAR_WANT_ENTITIES:
    return type->kind == CEDAR_TYPE_ENTITY ||
           (type->kind == CEDAR_TYPE_SET && type->element->kind == CEDAR_TYPE_ENTITY);
  case CEDAR_WANT_FIELDS:
    return type->kind == CEDAR_TYPE_ENTITY || type->kind == CEDAR_TYPE_RECORD;
  }
  return false;
}

/* What the author may have meant. */
static const char *hint(enum cedar_want want, const struct cedar_type *found) {
  if (want == CEDAR_WANT_ENTITIES && found->kind == CEDAR_TYPE_SET)
    return "; `.contains()` looks into a set of other values";
  if (want == CEDAR_WANT_ENTITIES && found->kind == CEDAR_TYPE_STRING)
    return "; an entity is written Type::\"id\", `like` compares texts";
  if (want == CEDAR_WANT_ENTITY && found->kind != CEDAR_TYPE_RECORD)
    return "; only entities have a type, groups and tags";
  if (want == CEDAR_WANT_SET && found->kind == CEDAR_TYPE_ENTITY)
    return "; `in` looks at groups of entities";
  if (want == CEDAR_WANT_SET && found->kind == CEDAR_TYPE_STRING)
    return "; `like` compares texts";
  return "";
}

struct cedar_typed cedar_check_want(struct cedar_checker *c, const struct cedar_capability *prior,
                                    uint32_t node, enum cedar_want want) {
  static const char names[][31] = {"Bool",
                                   "Long",
                                   "String",
                                   "a set",
                                   "an entity",
                                   "an entity or a set of entities",
                                   "an entity or a record"};
  struct cedar_typed typed = cedar_check(c, prior, node);
  char found[120];

  if (typed.type == NULL)
    return cedar_typed_make(NULL, false);
  if (is_wanted(typed.type, want))
    return typed;
  cedar_type_print(typed.type, found, sizeof(found));
  cedar_check_error(c, node, "expected %s, found %s%s", names[want], found, hint(want, typed.type));
  return cedar_typed_make(NULL, false);
}

struct cedar_typed cedar_check(struct cedar_checker *c, const struct cedar_capability *prior,
                               uint32_t index) {
  switch ((enum cedar_op)cedar_check_node(c, index)->op) {
  case CEDAR_OP_AND:
  case CEDAR_OP_OR:
  case CEDAR_OP_NOT:
  case CEDAR_OP_IF:
    return cedar_check_logic(c, prior, index);
  case CEDAR_OP_GET:
  case CEDAR_OP_HAS:
  case CEDAR_OP_GET_TAG:
  case CEDAR_OP_HAS_TAG:
    return cedar_check_access(c, prior, index);
  case CEDAR_OP_NEG:
  case CEDAR_OP_IS_EMPTY:
  case CEDAR_OP_EQ:
  case CEDAR_OP_NE:
  case CEDAR_OP_LT:
  case CEDAR_OP_LE:
  case CEDAR_OP_GT:
  case CEDAR_OP_GE:
  case CEDAR_OP_ADD:
  case CEDAR_OP_SUB:
  case CEDAR_OP_MUL:
  case CEDAR_OP_IN:
  case CEDAR_OP_CONTAINS:
  case CEDAR_OP_CONTAINS_ALL:
  case CEDAR_OP_CONTAINS_ANY:
  case CEDAR_OP_LIKE:
  case CEDAR_OP_IS:
    return cedar_check_relation(c, prior, index);
  case CEDAR_OP_BOOL:
  case CEDAR_OP_LONG:
  case CEDAR_OP_STRING:
  case CEDAR_OP_ENTITY:
  case CEDAR_OP_VAR:
  case CEDAR_OP_SET:
  case CEDAR_OP_RECORD:
  case CEDAR_OP_CALL:
    return cedar_check_value(c, prior, index);
  case CEDAR_OP_NONE:
  case CEDAR_OP_WHEN:
  case CEDAR_OP_UNLESS:
  case CEDAR_OP_VALUE:
  case CEDAR_OP_COUNT:
    break;
  }
  return cedar_typed_make(NULL, false);
}

/* One `when` or `unless`. */
static struct cedar_typed check_clause(struct cedar_checker *c,
                                       const struct cedar_capability *prior, uint32_t index) {
  const struct cedar_node *clause = cedar_check_node(c, index);
  struct cedar_typed typed = cedar_check_want(c, prior, clause->a, CEDAR_WANT_BOOL);

  if (clause->op == CEDAR_OP_WHEN)
    return typed;
  typed.gains = NULL;
  if (typed.type == &cedar_type_true)
    typed.type = &cedar_type_false;
  else if (typed.type == &cedar_type_false)
    typed.type = &cedar_type_true;
  else
    typed.type = cedar_type_plain(CEDAR_TYPE_BOOL);
  return typed;
}

/*
 * Clauses join from the right: a && (b && c). Forward they are checked, each knowing what those
 * before it gained, and backward they are joined.
 */
static struct cedar_typed check_clauses(struct cedar_checker *c,
                                        const struct cedar_policy *policy) {
  const uint32_t *kids = c->store->code.at + policy->conds;
  struct cedar_typed *typed = cedar_check_get(c, policy->cond_count, sizeof(*typed)), all;
  const struct cedar_capability *prior = NULL;
  uint32_t i;

  if (typed == NULL)
    return cedar_typed_make(NULL, false);
  for (i = 0; i < policy->cond_count; i++) {
    typed[i] = check_clause(c, prior, kids[i]);
    if (typed[i].type == &cedar_type_false)
      break;
    prior = cedar_capability_union(c, prior, typed[i].gains);
  }
  if (i == policy->cond_count)
    i--;
  for (all = typed[i]; i-- > 0;)
    all = cedar_typed_and(c, typed[i], all);
  return all;
}

struct cedar_typed cedar_check_policy(struct cedar_checker *c, const struct cedar_policy *policy) {
  static const enum cedar_var order[] = {CEDAR_PRINCIPAL, CEDAR_ACTION, CEDAR_RESOURCE};
  struct cedar_typed all = cedar_check_scope(c, policy, order[0]);
  size_t i;

  for (i = 1; i < 3 && all.type != &cedar_type_false; i++)
    all = cedar_typed_and(c, all, cedar_check_scope(c, policy, order[i]));
  if (all.type == &cedar_type_false || policy->cond_count == 0)
    return all;
  return cedar_typed_and(c, all, check_clauses(c, policy));
}
