/*
 * What verifying found, collected into ranges before it is told.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/findings.h"

#include <string.h>

void cx_findings_tell(struct cx_findings *findings, const struct cortex_finding *finding) {
  if (cortex_finding_is_break(finding->kind))
    findings->summary->breaks++;
  else
    findings->summary->notes++;
  if (findings->check->report != NULL)
    findings->check->report(findings->check->context, finding);
}

void cx_findings_end_run(struct cx_findings *findings) {
  if (findings->run.line != 0)
    cx_findings_tell(findings, &findings->run);
  findings->run.line = 0;
}

void cx_findings_extend(struct cx_findings *findings, const struct cortex_finding *finding) {
  struct cortex_finding *run = &findings->run;

  if (run->line != 0 && run->kind == finding->kind && run->file == finding->file &&
      run->last_line + 1 == finding->line && run->last_seq + 1 == finding->seq) {
    run->last_line = finding->last_line;
    run->last_seq = finding->last_seq;
    return;
  }
  cx_findings_end_run(findings);
  *run = *finding;
}

static void tell_hole(struct cx_findings *findings, const struct cx_hole *hole) {
  cx_findings_tell(findings, &(struct cortex_finding){
                                 .kind = CORTEX_FINDING_REMOVED,
                                 .file = hole->file,
                                 .line = hole->line,
                                 .last_line = hole->line,
                                 .seq = hole->first,
                                 .last_seq = hole->last,
                                 .text = "records are missing before this line",
                             });
}

/* Either this record was moved to the front or those before it to the back: both are named. */
static void tell_early(struct cx_findings *findings, const struct cx_hole *hole) {
  cx_findings_tell(findings, &(struct cortex_finding){
                                 .kind = CORTEX_FINDING_REORDERED,
                                 .file = hole->file,
                                 .line = hole->line,
                                 .last_line = hole->line,
                                 .seq = hole->behind,
                                 .last_seq = hole->behind,
                                 .text = "this record stands before others that it follows",
                             });
}

/* Whether more is missing before the record that this hole is before. */
static bool has_rest(const struct cx_findings *findings, const struct cx_hole *hole) {
  size_t i;

  for (i = 0; i < findings->hole_count; i++)
    if (findings->holes[i].file == hole->file && findings->holes[i].line == hole->line)
      return true;
  return false;
}

static void close_hole(struct cx_findings *findings, size_t index) {
  findings->hole_count--;
  memmove(&findings->holes[index], &findings->holes[index + 1],
          (findings->hole_count - index) * sizeof findings->holes[0]);
}

void cx_findings_open_hole(struct cx_findings *findings, const struct cx_hole *hole) {
  if (findings->hole_count == CX_HOLES_MAX) {
    tell_hole(findings, &findings->holes[0]);
    close_hole(findings, 0);
  }
  findings->holes[findings->hole_count++] = *hole;
}

bool cx_findings_fill_hole(struct cx_findings *findings, uint64_t seq) {
  struct cx_hole *hole, rest, whole;
  size_t i = 0;

  while (i < findings->hole_count &&
         (seq < findings->holes[i].first || seq > findings->holes[i].last))
    i++;
  if (i == findings->hole_count)
    return false;
  hole = &findings->holes[i];
  whole = rest = *hole;
  rest.first = seq + 1;
  hole->last = seq - 1;
  if (hole->first > hole->last)
    close_hole(findings, i);
  if (rest.first <= rest.last)
    cx_findings_open_hole(findings, &rest);
  if (!has_rest(findings, &whole))
    tell_early(findings, &whole);
  return true;
}

void cx_findings_end(struct cx_findings *findings) {
  size_t i;

  cx_findings_end_run(findings);
  for (i = 0; i < findings->hole_count; i++)
    tell_hole(findings, &findings->holes[i]);
  findings->hole_count = 0;
}
