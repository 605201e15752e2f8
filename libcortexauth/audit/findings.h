/*
 * What verifying found, collected into ranges before it is told.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_FINDINGS_H
#define CX_AUDIT_FINDINGS_H

#include <cortexauth/audit.h>

#define CX_HOLES_MAX 64

/* Sequences that are missing so far: removed, unless they turn up later. */
struct cx_hole {
  uint64_t first, last;
  const char *file; /* of the record behind the hole, with its line and sequence */
  uint64_t line, behind;
};

struct cx_findings {
  const struct cortex_audit_check *check;
  struct cortex_audit_summary *summary;
  struct cortex_finding run; /* not told yet, may grow; line 0: none */
  struct cx_hole holes[CX_HOLES_MAX];
  size_t hole_count;
};

/* Tells one finding now. */
void cx_findings_tell(struct cx_findings *findings, const struct cortex_finding *finding);

/* Adds one line to the range of its kind that ends right before it, or begins a range. */
void cx_findings_extend(struct cx_findings *findings, const struct cortex_finding *finding);

/* Tells the range that was collected. */
void cx_findings_end_run(struct cx_findings *findings);

/* Notes that first to last are missing before this place. */
void cx_findings_open_hole(struct cx_findings *findings, const struct cx_hole *hole);

/* True when seq was missing; it no longer is. */
bool cx_findings_fill_hole(struct cx_findings *findings, uint64_t seq);

/* Tells everything that is still held back. */
void cx_findings_end(struct cx_findings *findings);

#endif
