/*
 * Collecting the policies that decide.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_AUTHORIZE_H
#define CEDAR_AUTHORIZE_H

#include "eval.h"

/* A list in the memory of the decision. */
struct cedar_ids {
  uint32_t *at;
  uint32_t n;
  uint32_t cap;
};

/* What the evaluation of all policies came to. */
struct cedar_outcome {
  struct cedar_eval e;
  uint32_t kinds;                /* of keys that the index has; see index.c */
  struct cedar_ids satisfied[2]; /* indexed by enum cedar_effect */
  struct cedar_policy_error *errors;
  uint32_t error_n;
  uint32_t error_cap;
};

/* Called for policies whose scope fits; gives false to stop. */
typedef bool cedar_visit_fn(struct cedar_outcome *o, const struct cedar_post *post);

void cedar_outcome_init(struct cedar_outcome *o, struct cedar_request *request);

/* Both give false when memory ended (o->e.fatal says so). */
CEDAR_MUST_CHECK bool cedar_ids_put(struct cedar_outcome *o, struct cedar_ids *list, uint32_t id);
CEDAR_MUST_CHECK bool cedar_outcome_error(struct cedar_outcome *o, uint32_t policy);

/* Puts lists into policy order. */
void cedar_outcome_sort(struct cedar_outcome *o);

/* Visits every policy whose scope fits, templates left out. */
CEDAR_MUST_CHECK bool cedar_index_visit(struct cedar_outcome *o, cedar_visit_fn *visit);

/* Evaluates all policies for a settled request. */
CEDAR_MUST_CHECK enum cedar_status cedar_outcome_collect(struct cedar_outcome *o,
                                                         struct cedar_error *error);

/* The answer that an outcome means. */
void cedar_outcome_answer(const struct cedar_outcome *o, struct cedar_answer *answer_out);

/* Message for a fatal status. */
enum cedar_status cedar_eval_report(const struct cedar_eval *e, struct cedar_error *error);

#endif
