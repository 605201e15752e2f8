/*
 * Parts of a plan: transactions that the server's lock table has room for.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_PARTS_H
#define SYNC_PARTS_H

#include "plan.h"

/* Roles that one part touches at most. */
#define PARTS_ROLES 4000

/* How a plan is cut: what takes away comes first, then what gives, then attributes. */
struct parts {
  const struct model *model;
  const struct plan *plan;
  size_t limit;  /* roles of a part */
  size_t losses; /* parts of each */
  size_t gains;
  size_t attributes;
  uint32_t *cut;  /* by role: in which of the losses */
  uint32_t *made; /* by role: in which of the gains */
};

/*
 * Locks that all of a plan would hold at once.
 *   in   version: of the server, as 150020; 16 and later lock each role that is made
 */
size_t parts_locks(const struct model *model, const struct plan *plan, int version);

/*
 * Cuts a plan for a server that has room for so many locks.
 *   gives  false without memory; release with parts_clear
 */
bool parts_init(const struct model *model, const struct plan *plan, size_t room,
                struct parts *parts_out);
void parts_clear(struct parts *parts);
size_t parts_count(const struct parts *parts);

/* The part of a number, to be released with plan_clear; ask part_out->failed. */
void parts_get(const struct parts *parts, size_t number, struct plan *part_out);

/*
 * All that a plan takes away and does not give again: what must not wait for what gives.
 * To be released with plan_clear; ask losses_out->failed.
 */
void parts_losses(const struct model *model, const struct plan *plan, struct plan *losses_out);

#endif
