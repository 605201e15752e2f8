/*
 * Recall: a person who stands to the policies as another did gets the same answer, unasked.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_RECALL_H
#define CX_POLICY_RECALL_H

#include "policy/policy.h"

/*
 * Where no policy that can concern a service and level looks at the principal outside its head,
 * only one thing about a person matters there: in which of the entities that those heads name they
 * are. Targets are numbered as in reach.h.
 */
struct cx_recall;

/* out  recall_out: release with cx_recall_free; NULL without memory; needs the policy to live */
CORTEX_MUSTCHECK bool cx_recall_new(const struct cortex_policy *policy,
                                    struct cx_recall **recall_out);
void cx_recall_free(struct cx_recall **recall);

/* Position of an entity among those that policies name; false: nothing names it. */
CORTEX_MUSTCHECK bool cx_recall_find(const struct cx_recall *recall, struct cedar_uid_text entity,
                                     uint32_t *position_out);

/* Starts with the next person; then says by positions which entities they are, or are in. */
void cx_recall_begin(struct cx_recall *recall);
void cx_recall_mark(struct cx_recall *recall, const uint32_t *positions, size_t count);

/* An answer that was put for somebody who stands as this person does; NULL: none yet. */
const struct cortex_standing_level *cx_recall_get(const struct cx_recall *recall, uint32_t target);

/* Keeps an answer where that is sound; level 0 in it stands for a refusal. */
CORTEX_MUSTCHECK bool cx_recall_put(struct cx_recall *recall, uint32_t target,
                                    const struct cortex_standing_level *answer);

#endif
