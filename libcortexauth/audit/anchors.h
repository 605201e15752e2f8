/*
 * The anchors that a chain is held against.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_ANCHORS_H
#define CX_AUDIT_ANCHORS_H

#include <cortexauth/audit.h>

#define CX_ANCHORS_MAX 100000

/* Sorted by sequence. */
struct cx_anchors {
  struct cortex_anchor *items;
  size_t count;
  size_t capacity;
};

/*
 * Collects the anchors of a check: its own and those of its file, wherever in a
 * line SEQ:HASH stands between blanks.
 *   out  anchors_out: release with cx_anchors_clear; empty on failure
 *   gives  CORTEX_OK, CORTEX_AUDIT_UNAVAILABLE, CORTEX_TOO_LARGE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_anchors_load(const struct cortex_audit_check *check,
                                                    struct cx_anchors *anchors_out,
                                                    struct cortex_error *error);
void cx_anchors_clear(struct cx_anchors *anchors);

/* Index of the first anchor of a sequence at or behind seq; count when there is none. */
size_t cx_anchors_find(const struct cx_anchors *anchors, uint64_t seq);

#endif
