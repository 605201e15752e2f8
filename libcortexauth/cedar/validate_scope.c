/*
 * Checks without an environment: what a policy names, and to which actions its head applies.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "validate.h"

/* ---- names ---- */

static void type_check(struct cedar_checker *c, struct cedar_text type, uint32_t line,
                       uint32_t column) {
  if (!cedar_name_is_action(type) && cedar_schema_entity_find(c->schema, type) == NULL)
    cedar_check_error_at(c, line, column, "expected a declared entity type, found `%.*s`",
                         cedar_check_len(type), type.ptr);
}

/* An action, and an entity of an enum, must be one of those declared. */
static void uid_check(struct cedar_checker *c, uint32_t uid, uint32_t line, uint32_t column) {
  const struct cedar_type *declared = cedar_check_uid_type(c, uid);
  struct cedar_text type = cedar_check_text(c, c->store->uids.at[uid].type);
  struct cedar_text id = cedar_check_text(c, c->store->uids.at[uid].id);

  if (declared == NULL && cedar_name_is_action(type))
    cedar_check_error_at(c, line, column, "expected a declared action, found %.*s::\"%.*s\"",
                         cedar_check_len(type), type.ptr, cedar_check_len(id), id.ptr);
  else if (declared == NULL)
    type_check(c, type, line, column);
  else if (declared->declared != NULL && declared->declared->id_count > 0 &&
           !cedar_text_in(declared->declared->ids, declared->declared->id_count, id))
    cedar_check_error_at(c, line, column, "expected one of the ids of `%.*s`, found \"%.*s\"",
                         cedar_check_len(type), type.ptr, cedar_check_len(id), id.ptr);
}

static void scope_check(struct cedar_checker *c, const struct cedar_scope *scope) {
  uint32_t i;

  if (scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN)
    type_check(c, cedar_check_text(c, scope->type), scope->line, scope->column);
  if (scope->op == CEDAR_SCOPE_ANY || scope->op == CEDAR_SCOPE_IS || scope->slot != 0)
    return;
  if (scope->op != CEDAR_SCOPE_LIST) {
    uid_check(c, scope->uid, scope->line, scope->column);
    return;
  }
  for (i = 0; i < scope->count; i++)
    uid_check(c, c->store->code.at[scope->uid + i], scope->line, scope->column);
}

static void node_check(struct cedar_checker *c, uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  uint32_t i, kid;

  if (node->op == CEDAR_OP_ENTITY)
    uid_check(c, node->a, node->line, node->column);
  if (node->op == CEDAR_OP_IS)
    type_check(c, cedar_check_text(c, node->b), node->line, node->column);
  for (i = 0; cedar_node_kid(c->store, node, i, &kid); i++)
    node_check(c, kid);
}

void cedar_check_names(struct cedar_checker *c, const struct cedar_policy *policy) {
  uint32_t i;

  for (i = 0; i < 3; i++)
    scope_check(c, &policy->scope[i]);
  for (i = 0; i < policy->cond_count; i++)
    node_check(c, c->store->code.at[policy->conds + i]);
}

void cedar_check_slots(struct cedar_checker *c, const struct cedar_policy *link) {
  const struct cedar_policy *tmpl = &c->store->policies.at[link->tmpl];
  const enum cedar_var vars[] = {CEDAR_PRINCIPAL, CEDAR_RESOURCE};
  size_t i;

  for (i = 0; i < 2; i++)
    if (tmpl->scope[vars[i]].slot != 0)
      type_check(c, cedar_check_text(c, c->store->uids.at[link->scope[vars[i]].uid].type),
                 link->line, link->column);
}

/* ---- applicability ---- */

/* Whether an entity type can satisfy one part of the head. */
static bool entity_fits(const struct cedar_checker *c, const struct cedar_scope *scope,
                        const struct cedar_schema_entity *entity) {
  const struct cedar_type *declared;

  if ((scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN) &&
      cedar_text_compare(entity->name, cedar_check_text(c, scope->type)) != 0)
    return false;
  if (scope->op == CEDAR_SCOPE_ANY || scope->op == CEDAR_SCOPE_IS || scope->slot != 0)
    return true;
  declared = cedar_check_uid_type(c, scope->uid);
  if (declared == NULL || declared == entity->type)
    return declared != NULL;
  return scope->op != CEDAR_SCOPE_EQ &&
         cedar_text_in(entity->ancestors, entity->ancestor_count, declared->entity);
}

static bool action_is_under(const struct cedar_schema_action *action,
                            const struct cedar_schema_action *group) {
  size_t i;

  for (i = 0; i < action->ancestor_count; i++)
    if (action->ancestors[i] == group)
      return true;
  return action == group;
}

/* The position-th uid of what the action is compared with. */
static uint32_t action_uid(const struct cedar_checker *c, const struct cedar_scope *scope,
                           uint32_t position) {
  return scope->op == CEDAR_SCOPE_LIST ? c->store->code.at[scope->uid + position] : scope->uid;
}

/* In a list with an unknown action nothing is certain: then none fits. */
static bool action_fits(const struct cedar_checker *c, const struct cedar_scope *scope,
                        const struct cedar_schema_action *action) {
  uint32_t i, count = scope->op == CEDAR_SCOPE_LIST ? scope->count : 1;
  const struct cedar_schema_action *group;
  bool fits = false;

  if (scope->op == CEDAR_SCOPE_ANY)
    return true;
  for (i = 0; i < count; i++) {
    group = cedar_check_uid_action(c, action_uid(c, scope, i));
    if (group == NULL)
      return false;
    fits = fits || (scope->op == CEDAR_SCOPE_EQ ? group == action : action_is_under(action, group));
  }
  return fits;
}

static bool some_fits(const struct cedar_checker *c, const struct cedar_scope *scope,
                      const struct cedar_text *types, size_t count) {
  size_t i;

  for (i = 0; i < count; i++)
    if (entity_fits(c, scope, cedar_schema_entity_find(c->schema, types[i])))
      return true;
  return false;
}

void cedar_check_applicable(struct cedar_checker *c, const struct cedar_policy *policy) {
  const struct cedar_schema_action *action;
  size_t i;

  for (i = 0; i < c->schema->action_count; i++) {
    action = &c->schema->actions[i];
    if (action_fits(c, &policy->scope[CEDAR_ACTION], action) &&
        some_fits(c, &policy->scope[CEDAR_PRINCIPAL], action->principals,
                  action->principal_count) &&
        some_fits(c, &policy->scope[CEDAR_RESOURCE], action->resources, action->resource_count))
      return;
  }
  cedar_check_report(c, CEDAR_IS_WARNING, policy->line, policy->column,
                     "no action of the schema applies to what the head of the policy asks for");
}
