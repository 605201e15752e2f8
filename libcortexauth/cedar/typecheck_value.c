/*
 * Types of literals, variables, sets, records and calls of extension functions.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "ext.h"
#include "typecheck.h"

static const struct cedar_known *uid_known(const struct cedar_checker *c, uint32_t uid) {
  struct cedar_known *known = &c->known[uid];
  const struct cedar_schema_entity *entity;
  struct cedar_uid_text name;

  if (known->done)
    return known;
  known->done = true;
  name.type = cedar_check_text(c, c->store->uids.at[uid].type);
  name.id = cedar_check_text(c, c->store->uids.at[uid].id);
  if (cedar_name_is_action(name.type)) {
    known->action = cedar_schema_action_find(c->schema, name);
    known->type = known->action != NULL ? known->action->type : NULL;
  } else {
    entity = cedar_schema_entity_find(c->schema, name.type);
    known->type = entity != NULL ? entity->type : NULL;
  }
  return known;
}

const struct cedar_schema_action *cedar_check_uid_action(const struct cedar_checker *c,
                                                         uint32_t uid) {
  return uid < c->store->uids.n ? uid_known(c, uid)->action : NULL;
}

const struct cedar_type *cedar_check_uid_type(const struct cedar_checker *c, uint32_t uid) {
  return uid < c->store->uids.n ? uid_known(c, uid)->type : NULL;
}

static struct cedar_typed check_var(const struct cedar_checker *c, uint32_t var) {
  const struct cedar_environment *env = c->env;
  const struct cedar_type *types[] = {[CEDAR_PRINCIPAL] = env->principal,
                                      [CEDAR_ACTION] = env->action->type,
                                      [CEDAR_RESOURCE] = env->resource,
                                      [CEDAR_CONTEXT] = env->action->context};

  return cedar_typed_make(types[var], true);
}

static struct cedar_typed check_set(struct cedar_checker *c, const struct cedar_capability *prior,
                                    uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  const struct cedar_type *element = NULL, *joined;
  struct cedar_typed typed;
  struct cedar_type *set;
  bool good = true, known = true;
  uint32_t i;

  if (node->b == 0) {
    cedar_check_error(c, index,
                      "expected at least one element; the type of an empty set is not known");
    return cedar_typed_make(NULL, false);
  }
  for (i = 0; i < node->b; i++) {
    typed = cedar_check(c, prior, c->store->code.at[node->a + i]);
    good = good && typed.good;
    known = known && typed.type != NULL;
    if (!known)
      continue;
    joined = element == NULL ? typed.type : cedar_type_join(c, element, typed.type);
    if (joined == NULL) {
      cedar_check_misfit(c, index, "a set holds", element, typed.type);
      known = false;
    }
    element = joined;
  }
  set = known ? cedar_check_get(c, 1, sizeof(*set)) : NULL;
  if (set == NULL)
    return cedar_typed_make(NULL, false);
  set->kind = CEDAR_TYPE_SET;
  set->element = element;
  return cedar_typed_make(set, good);
}

static int member_compare(const void *a, const void *b) {
  return cedar_text_compare(((const struct cedar_member *)a)->name,
                            ((const struct cedar_member *)b)->name);
}

static struct cedar_typed check_record(struct cedar_checker *c,
                                       const struct cedar_capability *prior,
                                       const struct cedar_node *node) {
  struct cedar_member *members = cedar_check_get(c, node->b, sizeof(*members));
  struct cedar_type *record = cedar_check_get(c, 1, sizeof(*record));
  struct cedar_typed typed;
  bool good = true, known = members != NULL && record != NULL;
  uint32_t i;

  for (i = 0; i < node->b; i++) {
    typed = cedar_check(c, prior, c->store->code.at[node->a + 2 * i + 1]);
    good = good && typed.good;
    known = known && typed.type != NULL;
    if (!known)
      continue;
    members[i].name = cedar_check_text(c, c->store->code.at[node->a + 2 * i]);
    members[i].type = typed.type;
    members[i].required = true;
  }
  if (!known)
    return cedar_typed_make(NULL, false);
  qsort(members, node->b, sizeof(*members), member_compare);
  record->kind = CEDAR_TYPE_RECORD;
  record->members = members;
  record->member_count = node->b;
  return cedar_typed_make(record, good);
}

/* ---- extension functions ---- */

static const struct cedar_type *type_of_kind(enum cedar_kind kind) {
  static const struct {
    enum cedar_kind kind;
    enum cedar_type_kind type;
  } pairs[] = {
      {CEDAR_KIND_BOOL, CEDAR_TYPE_BOOL},        {CEDAR_KIND_LONG, CEDAR_TYPE_LONG},
      {CEDAR_KIND_STRING, CEDAR_TYPE_STRING},    {CEDAR_KIND_DECIMAL, CEDAR_TYPE_DECIMAL},
      {CEDAR_KIND_IPADDR, CEDAR_TYPE_IPADDR},    {CEDAR_KIND_DATETIME, CEDAR_TYPE_DATETIME},
      {CEDAR_KIND_DURATION, CEDAR_TYPE_DURATION}};
  size_t i;

  for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
    if (pairs[i].kind == kind)
      return cedar_type_plain(pairs[i].type);
  return NULL;
}

static bool is_literal(const struct cedar_node *node) {
  return node->op == CEDAR_OP_BOOL || node->op == CEDAR_OP_LONG || node->op == CEDAR_OP_STRING ||
         node->op == CEDAR_OP_ENTITY;
}

/* A constructor takes literals only, and a text must be one of its type. */
static bool constructor_good(struct cedar_checker *c, uint32_t index, const struct cedar_ext *ext) {
  const struct cedar_node *node = cedar_check_node(c, index), *arg;
  struct cedar_ext_value value;
  struct cedar_text text;
  bool good = true;
  uint32_t i;

  for (i = 0; i < node->b; i++) {
    arg = cedar_check_node(c, c->store->code.at[node->a + i]);
    if (!is_literal(arg)) {
      cedar_check_error(c, c->store->code.at[node->a + i],
                        "expected a literal; `%s` may not be called on anything else", ext->name);
      return false;
    }
    if (node->b != 1 || arg->op != CEDAR_OP_STRING)
      continue;
    text = cedar_check_text(c, arg->a);
    good = cedar_ext_parse(ext->result, text, &value);
    if (!good)
      cedar_check_error(c, c->store->code.at[node->a + i],
                        "expected a text that `%s` can read, found \"%.*s\"", ext->name,
                        cedar_check_len(text), text.ptr);
  }
  return good;
}

static struct cedar_typed check_call(struct cedar_checker *c, const struct cedar_capability *prior,
                                     uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  const struct cedar_ext *ext = &cedar_ext_table[node->flags];
  const struct cedar_type *wanted;
  struct cedar_typed typed;
  bool good = true, fixed;
  uint32_t i;

  if (node->b != ext->arity) {
    cedar_check_error(c, index, "`%s` expects %u argument%s, found %u", ext->name,
                      ext->method ? ext->arity - 1U : ext->arity,
                      (ext->method ? ext->arity - 1U : ext->arity) == 1 ? "" : "s",
                      ext->method ? node->b - 1 : node->b);
    good = false;
  }
  if (ext->call == NULL && !constructor_good(c, index, ext))
    good = false;
  fixed = good;
  for (i = 0; i < node->b; i++) {
    typed = cedar_check(c, prior, c->store->code.at[node->a + i]);
    good = good && typed.good;
    wanted = fixed ? type_of_kind(ext->args[i]) : typed.type;
    if (typed.type != NULL && typed.type != wanted &&
        !(cedar_type_is_bool(typed.type) && cedar_type_is_bool(wanted))) {
      char want[20], found[120];

      cedar_type_print(wanted, want, sizeof(want));
      cedar_type_print(typed.type, found, sizeof(found));
      cedar_check_error(c, c->store->code.at[node->a + i], "expected %s, found %s", want, found);
      good = false;
    }
  }
  return cedar_typed_make(type_of_kind(ext->result), good);
}

struct cedar_typed cedar_check_value(struct cedar_checker *c, const struct cedar_capability *prior,
                                     uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  const struct cedar_type *type;

  switch (node->op) {
  case CEDAR_OP_BOOL:
    return cedar_typed_make(node->a != 0 ? &cedar_type_true : &cedar_type_false, true);
  case CEDAR_OP_LONG:
    return cedar_typed_make(cedar_type_plain(CEDAR_TYPE_LONG), true);
  case CEDAR_OP_STRING:
    return cedar_typed_make(cedar_type_plain(CEDAR_TYPE_STRING), true);
  case CEDAR_OP_ENTITY:
    type = cedar_check_uid_type(c, node->a);
    return cedar_typed_make(type, type != NULL);
  case CEDAR_OP_VAR:
    return check_var(c, node->a);
  case CEDAR_OP_SET:
    return check_set(c, prior, index);
  case CEDAR_OP_RECORD:
    return check_record(c, prior, node);
  default:
    return check_call(c, prior, index);
  }
}
