/*
 * Reach: which permits can concern a principal at all, by the heads of the policies.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_REACH_H
#define CX_POLICY_REACH_H

#include "policy/policy.h"

/* A service and a level, as one number: 3 * service + bit of the level. */
#define CX_REACH_LEVELS 3

struct cx_reach;

/* out  reach_out: release with cx_reach_free; NULL without memory; needs the policy to live */
CORTEX_MUSTCHECK bool cx_reach_new(const struct cortex_policy *policy, struct cx_reach **reach_out);
void cx_reach_free(struct cx_reach **reach);

/*
 * Starts anew, then collects what permits that name this entity, or no entity,
 * reach. Too many are fine, too few never happen: heads cannot err.
 */
void cx_reach_begin(struct cx_reach *reach);
void cx_reach_add(struct cx_reach *reach, struct cedar_uid_text principal);

/* Collects targets that were found before. */
void cx_reach_meet(struct cx_reach *reach, const uint32_t *targets, size_t count);

/* What was collected, each once, in the order it was met. */
size_t cx_reach_count(const struct cx_reach *reach);
uint32_t cx_reach_get(const struct cx_reach *reach, size_t index);

/* Does a part of a policy's head take this entity? */
CORTEX_MUSTCHECK bool cx_head_takes(const struct cedar_store *store, uint32_t policy,
                                    enum cedar_scope_part part, struct cedar_uid_text entity);

int cx_head_compare(const struct cedar_uid_text *left, const struct cedar_uid_text *right);

#endif
