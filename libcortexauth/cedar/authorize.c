/*
 * The decision: forbid over permit, deny by default; errors skip a policy and are reported.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "authorize.h"

#include <string.h>

void cedar_outcome_init(struct cedar_outcome *o, struct cedar_request *request) {
  cedar_eval_init(&o->e, request);
  memset(o->satisfied, 0, sizeof(o->satisfied));
  o->errors = NULL;
  o->error_n = 0;
  o->error_cap = 0;
}

bool cedar_ids_put(struct cedar_outcome *o, struct cedar_ids *list, uint32_t id) {
  if (list->n == list->cap) {
    uint32_t cap = list->cap == 0 ? 16 : list->cap * 2;
    uint32_t *grown = cedar_arena_get(&o->e.request->work, cap * sizeof(*grown));

    if (grown == NULL)
      return cedar_eval_fatal(&o->e, CEDAR_LIMIT);
    if (list->n > 0)
      memcpy(grown, list->at, list->n * sizeof(*grown));
    list->at = grown;
    list->cap = cap;
  }
  list->at[list->n++] = id;
  return true;
}

bool cedar_outcome_error(struct cedar_outcome *o, uint32_t policy) {
  const char *text;

  if (o->error_n == o->error_cap) {
    uint32_t cap = o->error_cap == 0 ? 8 : o->error_cap * 2;
    struct cedar_policy_error *grown = cedar_arena_get(&o->e.request->work, cap * sizeof(*grown));

    if (grown == NULL)
      return cedar_eval_fatal(&o->e, CEDAR_LIMIT);
    if (o->error_n > 0)
      memcpy(grown, o->errors, o->error_n * sizeof(*grown));
    o->errors = grown;
    o->error_cap = cap;
  }
  text = cedar_arena_dup(&o->e.request->work, o->e.message, strlen(o->e.message));
  if (text == NULL)
    return cedar_eval_fatal(&o->e, CEDAR_LIMIT);
  o->errors[o->error_n].policy = policy;
  o->errors[o->error_n++].message = text;
  return true;
}

void cedar_outcome_sort(struct cedar_outcome *o) {
  uint32_t i, j;

  cedar_ids_sort(o->satisfied[CEDAR_FORBID].at, o->satisfied[CEDAR_FORBID].n);
  cedar_ids_sort(o->satisfied[CEDAR_PERMIT].at, o->satisfied[CEDAR_PERMIT].n);
  /* Mostly in order already: policies of a bucket are. */
  for (i = 1; i < o->error_n; i++) {
    struct cedar_policy_error moved = o->errors[i];

    for (j = i; j > 0 && o->errors[j - 1].policy > moved.policy; j--)
      o->errors[j] = o->errors[j - 1];
    o->errors[j] = moved;
  }
}

static bool visit_decide(struct cedar_outcome *o, const struct cedar_post *post) {
  struct cedar_mark mark;
  bool holds = false, ok;

  mark = cedar_arena_mark(&o->e.request->work);
  ok = post->cond_count == 1 ? cedar_eval_condition(&o->e, post->conds, &holds)
                             : cedar_eval_conditions(&o->e, post->conds, post->cond_count, &holds);
  cedar_arena_rewind(&o->e.request->work, mark);
  if (o->e.fatal != CEDAR_OK)
    return false;
  if (!ok)
    return cedar_outcome_error(o, post->policy);
  return !holds || cedar_ids_put(o, &o->satisfied[post->effect == CEDAR_PERMIT], post->policy);
}

enum cedar_status cedar_eval_report(const struct cedar_eval *e, struct cedar_error *error) {
  /* What could not be read may have looked like something that is not there. */
  enum cedar_status status =
      e->fatal == CEDAR_OK && cedar_store_failed(e->store) ? CEDAR_DAMAGED : e->fatal;

  if (status == CEDAR_OK)
    return CEDAR_OK;
  return cedar_error_plain(error, status,
                           status == CEDAR_DAMAGED
                               ? "the policy image is damaged"
                               : "the evaluation needs more memory or steps than allowed");
}

enum cedar_status cedar_outcome_collect(struct cedar_outcome *o, struct cedar_error *error) {
  if (!cedar_index_visit(o, visit_decide) && o->e.fatal == CEDAR_OK)
    cedar_eval_fatal(&o->e, CEDAR_DAMAGED);
  cedar_outcome_sort(o);
  return cedar_eval_report(&o->e, error);
}

void cedar_outcome_answer(const struct cedar_outcome *o, struct cedar_answer *answer_out) {
  const struct cedar_ids *forbids = &o->satisfied[CEDAR_FORBID];
  const struct cedar_ids *permits = &o->satisfied[CEDAR_PERMIT];
  bool allow = forbids->n == 0 && permits->n > 0;
  const struct cedar_ids *reasons = allow ? permits : forbids;

  answer_out->decision = allow ? CEDAR_ALLOW : CEDAR_DENY;
  answer_out->reasons = reasons->at;
  answer_out->reason_count = reasons->n;
  answer_out->errors = o->errors;
  answer_out->error_count = o->error_n;
}

enum cedar_status cedar_authorize(struct cedar_request *request, struct cedar_answer *answer_out,
                                  struct cedar_error *error) {
  struct cedar_outcome o;
  enum cedar_status status;

  memset(answer_out, 0, sizeof(*answer_out));
  cedar_arena_reset(&request->work);
  status = cedar_request_settle(request, error);
  if (status != CEDAR_OK)
    return status;
  cedar_outcome_init(&o, request);
  status = cedar_outcome_collect(&o, error);
  if (status == CEDAR_OK)
    cedar_outcome_answer(&o, answer_out);
  return status;
}
