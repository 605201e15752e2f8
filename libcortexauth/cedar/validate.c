/*
 * Validation of all policies of a store: every policy in every kind of request.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "validate.h"

#include <string.h>

struct cedar_validation {
  struct cedar_arena arena;
  struct cedar_findings findings;
};

/* What is shared by the policies of one validation. */
struct run {
  struct cedar_checker checker;
  struct cedar_environment env;
  uint32_t *action_uids; /* by action of the schema; CEDAR_NONE when no policy names it */
  bool possible;         /* the policy at hand may hold in some environment */
};

/* ---- environments ---- */

static void check_here(struct run *run, const struct cedar_policy *policy) {
  struct cedar_typed typed;

  cedar_arena_reset(run->checker.scratch);
  typed = cedar_check_policy(&run->checker, policy);
  if (typed.type != &cedar_type_false)
    run->possible = true;
}

/*
 * The entity types that may fill a slot of the head without making it surely false: the
 * variable's own, and what it may be in.
 */
static void check_slots_from(struct run *run, const struct cedar_policy *policy,
                             enum cedar_var var) {
  const struct cedar_type *type = var == CEDAR_PRINCIPAL ? run->env.principal : run->env.resource;
  const struct cedar_scope *scope = &policy->scope[var];
  size_t i, count = 0;

  if (var == CEDAR_ACTION) {
    check_slots_from(run, policy, CEDAR_RESOURCE);
    return;
  }
  if (scope->slot != 0 && scope->op != CEDAR_SCOPE_EQ)
    count = type->declared->ancestor_count;
  for (i = 0; i <= count && run->checker.status == CEDAR_OK; i++) {
    run->env.slots[var] =
        i == count
            ? type
            : cedar_schema_entity_find(run->checker.schema, type->declared->ancestors[i])->type;
    if (var == CEDAR_PRINCIPAL)
      check_slots_from(run, policy, CEDAR_RESOURCE);
    else
      check_here(run, policy);
  }
}

static void check_environments(struct run *run, const struct cedar_policy *policy) {
  const struct cedar_schema *schema = run->checker.schema;
  size_t i, p, r;

  for (i = 0; i < schema->action_count; i++) {
    run->env.action = &schema->actions[i];
    run->env.action_uid = run->action_uids[i];
    for (p = 0; p < run->env.action->principal_count; p++) {
      run->env.principal = cedar_schema_entity_find(schema, run->env.action->principals[p])->type;
      for (r = 0; r < run->env.action->resource_count; r++) {
        run->env.resource = cedar_schema_entity_find(schema, run->env.action->resources[r])->type;
        check_slots_from(run, policy, CEDAR_PRINCIPAL);
      }
    }
  }
}

/* ---- policies ---- */

static void check_policy(struct run *run, const struct cedar_policy *policy) {
  cedar_check_applicable(&run->checker, policy);
  if (policy->kind == CEDAR_POLICY_LINK) {
    cedar_check_slots(&run->checker, policy);
    return;
  }
  cedar_check_names(&run->checker, policy);
  cedar_check_texts(&run->checker, policy);
  run->possible = false;
  check_environments(run, policy);
  if (!run->possible)
    cedar_check_report(&run->checker, CEDAR_IS_WARNING, policy->line, policy->column,
                       "the policy is impossible: no valid request makes its conditions true");
}

static bool tables_make(struct run *run, struct cedar_arena *arena) {
  const struct cedar_schema *schema = run->checker.schema;
  const struct cedar_store *store = run->checker.store;
  size_t i;

  run->checker.known = cedar_arena_get_array(arena, store->uids.n, sizeof(struct cedar_known));
  run->action_uids = cedar_arena_get_array(arena, schema->action_count, sizeof(uint32_t));
  for (i = 0; run->action_uids != NULL && i < schema->action_count; i++)
    run->action_uids[i] = cedar_uid_find(store, schema->actions[i].uid);
  return run->action_uids != NULL && run->checker.known != NULL;
}

static enum cedar_status validate_all(struct run *run, struct cedar_validation *validation,
                                      struct cedar_report *report) {
  const struct cedar_store *store = run->checker.store;
  enum cedar_status status;
  uint32_t i;

  if (!tables_make(run, &validation->arena))
    return CEDAR_NOMEM;
  for (i = 0; i < store->policies.n && run->checker.status == CEDAR_OK; i++) {
    cedar_report_policy(report, i);
    check_policy(run, &store->policies.at[i]);
  }
  if (run->checker.status != CEDAR_OK)
    return run->checker.status;
  validation->findings.error_count = report->lists[CEDAR_IS_ERROR].count;
  validation->findings.warning_count = report->lists[CEDAR_IS_WARNING].count;
  status = cedar_report_array(report, CEDAR_IS_ERROR, &validation->findings.errors);
  return status != CEDAR_OK
             ? status
             : cedar_report_array(report, CEDAR_IS_WARNING, &validation->findings.warnings);
}

enum cedar_status cedar_validate(const struct cedar_store *store, const struct cedar_schema *schema,
                                 const struct cedar_allocator *allocator,
                                 struct cedar_validation **validation_out,
                                 struct cedar_error *error) {
  struct cedar_allocator alloc = cedar_allocator_get(allocator);
  struct cedar_validation *validation;
  struct cedar_report report;
  struct cedar_arena scratch;
  struct run run = {
      .checker = {.store = store, .schema = schema, .scratch = &scratch, .report = &report}};
  enum cedar_status status;

  *validation_out = NULL;
  if (store->broken || store->mapped)
    return cedar_error_plain(error, CEDAR_MISUSE, "policies are validated when they are read");
  validation = alloc.alloc(alloc.ctx, sizeof(*validation));
  if (validation == NULL)
    return cedar_error_plain(error, CEDAR_NOMEM, "out of memory");
  memset(validation, 0, sizeof(*validation));
  cedar_arena_init(&validation->arena, &alloc, CEDAR_MAX_SCHEMA);
  cedar_arena_init(&scratch, &alloc, CEDAR_MAX_SCHEMA);
  cedar_report_init(&report, &validation->arena, store);
  run.checker.env = &run.env;
  status = validate_all(&run, validation, &report);
  cedar_arena_clear(&scratch);
  if (status != CEDAR_OK) {
    cedar_validation_free(&validation);
    return cedar_error_plain(error, status, "out of memory while validating");
  }
  *validation_out = validation;
  return CEDAR_OK;
}

struct cedar_findings cedar_validation_findings(const struct cedar_validation *validation) {
  return validation->findings;
}

void cedar_validation_free(struct cedar_validation **validation) {
  struct cedar_allocator alloc;

  if (validation == NULL || *validation == NULL)
    return;
  alloc = (*validation)->arena.alloc;
  cedar_arena_clear(&(*validation)->arena);
  alloc.free(alloc.ctx, *validation, sizeof(**validation));
  *validation = NULL;
}
