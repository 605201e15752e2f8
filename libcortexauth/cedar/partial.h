/*
 * Expressions with an unknown context: known, an error, or a residue.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_PARTIAL_H
#define CEDAR_PARTIAL_H

#include "authorize.h"
#include "print.h"

enum cedar_part_state { CEDAR_PART_ERROR, CEDAR_PART_KNOWN, CEDAR_PART_RESIDUE };

/* What an expression came to; ERROR holds for every context, its message is in the eval. */
struct cedar_part {
  enum cedar_part_state state;
  struct cedar_value value; /* KNOWN */
  uint32_t node;            /* RESIDUE: of the store or the residue */
};

/* Evaluates as far as it can be; after a fatal end the part is an ERROR. */
void cedar_partial_node(struct cedar_eval *e, struct cedar_residue *residue, uint32_t node,
                        struct cedar_part *out);

/* A node, kids or a constant beside the store's; CEDAR_NONE after a fatal end. */
uint32_t cedar_residue_node(struct cedar_eval *e, struct cedar_residue *residue, unsigned int op,
                            uint32_t a, uint32_t b, uint32_t c);
uint32_t cedar_residue_kids(struct cedar_eval *e, struct cedar_residue *residue,
                            const uint32_t *kids, uint32_t count);
uint32_t cedar_residue_value(struct cedar_eval *e, struct cedar_residue *residue,
                             struct cedar_value value);

#endif
