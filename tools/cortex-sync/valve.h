/*
 * Valves: plans that take so much away that a person should look first.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_VALVE_H
#define SYNC_VALVE_H

#include "plan.h"

#define VALVE_NOT_GIVEN ((int64_t)-1)

/* A group role of at least so many members that would have none is one. */
#define VALVE_GROUP 3
/* Removals above both of these are too many. */
#define VALVE_COUNT 5
#define VALVE_PERCENT 10

/* Why plans are refused: a list, in the order of valve.c. */
struct valve {
  const char *why[4]; /* static texts */
  size_t count;
  size_t removals; /* what --allow-removals has to reach */
};

/* More than VALVE_COUNT, and more than VALVE_PERCENT of those that are there. */
bool valve_is_too_many(size_t removed, size_t there);

/*
 * Asks all valves.
 *   in   allowed: the number of removals that an operator allows this once, or VALVE_NOT_GIVEN
 *   gives  true when the plan may be applied
 */
bool valve_check(const struct model *model, const struct plan *plan, int64_t allowed,
                 struct valve *valve_out);

#endif
