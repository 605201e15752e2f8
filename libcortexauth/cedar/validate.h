/*
 * Findings of a validation, and the checks that ask for no environment.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_VALIDATE_H
#define CEDAR_VALIDATE_H

#include "typecheck.h"

struct cedar_finding_item {
  struct cedar_finding finding;
  struct cedar_finding_item *next;
};

struct cedar_finding_list {
  struct cedar_finding_item *first;
  struct cedar_finding_item **last;
  struct cedar_finding_item *policy_first; /* of the policy at hand */
  uint32_t count;
  uint32_t policy_count;
};

/* Where findings go: the lists of errors and warnings, and the policy at hand. */
struct cedar_report {
  struct cedar_arena *arena;
  const struct cedar_store *store;
  struct cedar_finding_list lists[2]; /* errors, warnings */
  uint32_t policy;
};

enum cedar_severity { CEDAR_IS_ERROR, CEDAR_IS_WARNING };

void cedar_report_init(struct cedar_report *report, struct cedar_arena *arena,
                       const struct cedar_store *store);

/* Goes on to the next policy. */
void cedar_report_policy(struct cedar_report *report, uint32_t policy);

/*
 * Adds a finding about the policy at hand, unless the same was found before. A policy has at most
 * CEDAR_MAX_FINDINGS of a kind; what comes later is dropped.
 */
CEDAR_MUST_CHECK enum cedar_status cedar_report_add(struct cedar_report *report,
                                                    enum cedar_severity severity,
                                                    struct cedar_place place, const char *message);

/* Copies a list into an array. */
CEDAR_MUST_CHECK enum cedar_status cedar_report_array(struct cedar_report *report,
                                                      enum cedar_severity severity,
                                                      const struct cedar_finding **array_out);

/* Entity types, ids of enums and actions that a policy or template names: are they declared? */
void cedar_check_names(struct cedar_checker *c, const struct cedar_policy *policy);

/* The same for what fills the slots of a link. */
void cedar_check_slots(struct cedar_checker *c, const struct cedar_policy *link);

/* Warns when no action applies to what the head of a policy asks for. */
void cedar_check_applicable(struct cedar_checker *c, const struct cedar_policy *policy);

/* Warns about texts that look like others: writing direction, mixed alphabets. */
void cedar_check_texts(struct cedar_checker *c, const struct cedar_policy *policy);

/* Reports at a line and column of the policy at hand. */
__attribute__((format(printf, 5, 6))) void cedar_check_report(struct cedar_checker *c,
                                                              enum cedar_severity severity,
                                                              uint32_t line, uint32_t column,
                                                              const char *format, ...);

#endif
