/*
 * Deciding with an unknown context: what holds anyway, and what is left to ask.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "partial.h"

#include <string.h>

/* What a policy's conditions come to. */
enum verdict { NEVER, ALWAYS, ERRS, DEPENDS };

struct partial {
  struct cedar_outcome o;
  struct cedar_residue residue;
  struct cedar_ids depends[2]; /* policies by effect */
  struct cedar_ids nodes[2];   /* their residual conditions, in the same order */
};

/* An operand of the conjunction that a policy's conditions are. */
static enum verdict operand_verdict(struct partial *s, uint32_t node, bool unless,
                                    struct cedar_ids *left) {
  struct cedar_part part;

  cedar_partial_node(&s->o.e, &s->residue, node, &part);
  if (s->o.e.fatal != CEDAR_OK)
    return NEVER;
  if (part.state == CEDAR_PART_KNOWN && part.value.kind != CEDAR_KIND_BOOL) {
    cedar_eval_type_error(&s->o.e, "Bool", part.value);
    part.state = CEDAR_PART_ERROR;
  }
  if (part.state == CEDAR_PART_ERROR)
    return left->n == 0 ? ERRS : NEVER;
  if (part.state == CEDAR_PART_KNOWN)
    return (part.value.u.i != 0) != unless ? ALWAYS : NEVER;
  if (unless)
    part.node = cedar_residue_node(&s->o.e, &s->residue, CEDAR_OP_NOT, part.node, 0, 0);
  return cedar_ids_put(&s->o, left, part.node) ? DEPENDS : NEVER;
}

/*
 * One condition. `when { a && b }` asks for a and for b, `unless { a || b }` for neither; once
 * something is left open before it, an operand that errs is as good as one that is false.
 */
static enum verdict condition_verdict(struct partial *s, const struct cedar_node *cond,
                                      struct cedar_ids *left) {
  const struct cedar_node *body;
  bool unless = cond->op == CEDAR_OP_UNLESS;
  const uint32_t *kids;
  uint32_t i;

  body = cedar_node_get(s->o.e.store, cond->a);
  if (body == NULL)
    return cedar_eval_fatal(&s->o.e, CEDAR_DAMAGED), NEVER;
  if (body->op != (unless ? CEDAR_OP_OR : CEDAR_OP_AND))
    return operand_verdict(s, cond->a, unless, left);
  kids = cedar_eval_kids(&s->o.e, body->a, body->b);
  for (i = 0; kids != NULL && i < body->b; i++) {
    enum verdict verdict = operand_verdict(s, kids[i], unless, left);

    if (verdict == NEVER || verdict == ERRS)
      return verdict;
  }
  return ALWAYS;
}

static enum verdict policy_verdict(struct partial *s, const struct cedar_policy *policy,
                                   struct cedar_ids *left) {
  const uint32_t *conds = cedar_eval_kids(&s->o.e, policy->conds, policy->cond_count);
  uint32_t i;

  s->o.e.steps = 0;
  s->o.e.node = CEDAR_NONE;
  s->o.e.message[0] = '\0';
  for (i = 0; conds != NULL && i < policy->cond_count; i++) {
    const struct cedar_node *cond = cedar_node_get(s->o.e.store, conds[i]);
    enum verdict verdict;

    if (cond == NULL)
      return cedar_eval_fatal(&s->o.e, CEDAR_DAMAGED), NEVER;
    verdict = condition_verdict(s, cond, left);
    if (verdict == NEVER || verdict == ERRS)
      return verdict;
  }
  return left->n == 0 ? ALWAYS : DEPENDS;
}

static bool depends_put(struct partial *s, uint32_t index, const struct cedar_policy *policy,
                        const struct cedar_ids *left) {
  bool permit = policy->effect == CEDAR_PERMIT;
  uint32_t node = left->at[0], first;

  if (left->n > 1) {
    first = cedar_residue_kids(&s->o.e, &s->residue, left->at, left->n);
    node = cedar_residue_node(&s->o.e, &s->residue, CEDAR_OP_AND, first, left->n, 0);
  }
  return s->o.e.fatal == CEDAR_OK && cedar_ids_put(&s->o, &s->depends[permit], index) &&
         cedar_ids_put(&s->o, &s->nodes[permit], node);
}

/* Visits get the outcome, which is the first member of struct partial. */
static bool visit_partial(struct cedar_outcome *o, const struct cedar_post *post) {
  struct partial *s = (struct partial *)(void *)o;
  uint32_t index = post->policy;
  const struct cedar_policy *policy;
  struct cedar_ids left = {NULL, 0, 0};
  enum verdict verdict;

  policy = cedar_policies_get(o->e.store, index, 1);
  if (policy == NULL)
    return cedar_eval_fatal(&o->e, CEDAR_DAMAGED);
  verdict = policy_verdict(s, policy, &left);
  if (o->e.fatal != CEDAR_OK)
    return false;
  if (verdict == ERRS)
    return cedar_outcome_error(o, index);
  if (verdict == ALWAYS)
    return cedar_ids_put(o, &o->satisfied[policy->effect == CEDAR_PERMIT], index);
  return verdict == NEVER || depends_put(s, index, policy, &left);
}

static const char *condition_text(struct partial *s, uint32_t node) {
  struct cedar_printer p;
  struct cedar_buf buf;

  cedar_buf_init(&buf, &s->o.e.request->work);
  cedar_printer_init(&p, s->o.e.store, s->o.e.request, cedar_buf_sink(&buf));
  p.residue = &s->residue;
  cedar_put_expr(&p, node);
  return p.ok ? cedar_buf_text(&buf) : NULL;
}

static bool residuals_fill(struct partial *s, enum cedar_effect effect, struct cedar_residual *list,
                           uint32_t *n) {
  const struct cedar_ids *policies = &s->depends[effect], *nodes = &s->nodes[effect];
  uint32_t i, j;

  for (i = 0; i < policies->n; i++) {
    struct cedar_residual moved = {policies->at[i], effect, condition_text(s, nodes->at[i])};

    if (moved.condition == NULL)
      return cedar_eval_fatal(&s->o.e, CEDAR_LIMIT);
    for (j = *n; j > 0 && list[j - 1].policy > moved.policy; j--)
      list[j] = list[j - 1];
    list[j] = moved;
    (*n)++;
  }
  return true;
}

/* With a permit that always holds only forbids can still matter. */
static bool conditional_fill(struct partial *s, struct cedar_partial_answer *out) {
  bool permitted = s->o.satisfied[CEDAR_PERMIT].n > 0;
  uint32_t max = s->depends[CEDAR_FORBID].n + (permitted ? 0 : s->depends[CEDAR_PERMIT].n);
  struct cedar_residual *list = cedar_arena_get_array(&s->o.e.request->work, max, sizeof(*list));

  if (list == NULL)
    return cedar_eval_fatal(&s->o.e, CEDAR_LIMIT);
  out->residuals = list;
  return residuals_fill(s, CEDAR_FORBID, list, &out->residual_count) &&
         (permitted || residuals_fill(s, CEDAR_PERMIT, list, &out->residual_count));
}

static void answer_fill(struct partial *s, struct cedar_partial_answer *out) {
  const struct cedar_ids *forbids = &s->o.satisfied[CEDAR_FORBID];
  const struct cedar_ids *permits = &s->o.satisfied[CEDAR_PERMIT];
  const struct cedar_ids *reasons = forbids->n > 0 ? forbids : permits;

  out->errors = s->o.errors;
  out->error_count = s->o.error_n;
  out->reasons = reasons->at;
  out->reason_count = reasons->n;
  if (forbids->n > 0 || (permits->n == 0 && s->depends[CEDAR_PERMIT].n == 0)) {
    out->decision = CEDAR_PARTIAL_DENY;
  } else if (permits->n > 0 && s->depends[CEDAR_FORBID].n == 0) {
    out->decision = CEDAR_PARTIAL_ALLOW;
  } else if (conditional_fill(s, out)) {
    out->decision = CEDAR_PARTIAL_CONDITIONAL;
  }
}

enum cedar_status cedar_authorize_partial(struct cedar_request *request,
                                          struct cedar_partial_answer *answer_out,
                                          struct cedar_error *error) {
  struct partial s;
  enum cedar_status status;

  memset(answer_out, 0, sizeof(*answer_out));
  cedar_arena_reset(&request->work);
  status = cedar_request_settle(request, error);
  if (status != CEDAR_OK)
    return status;
  memset(&s, 0, sizeof(s));
  cedar_outcome_init(&s.o, request);
  if (!cedar_index_visit(&s.o, visit_partial) && s.o.e.fatal == CEDAR_OK)
    cedar_eval_fatal(&s.o.e, CEDAR_DAMAGED);
  if (s.o.e.fatal == CEDAR_OK) {
    cedar_outcome_sort(&s.o);
    answer_fill(&s, answer_out);
  }
  status = cedar_eval_report(&s.o.e, error);
  if (status != CEDAR_OK)
    memset(answer_out, 0, sizeof(*answer_out));
  return status;
}
