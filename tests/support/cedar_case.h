/*
 * Cases of the Cedar library: one file each, parts under lines `--- NAME`.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SUPPORT_CEDAR_CASE_H
#define SUPPORT_CEDAR_CASE_H

#include <cmocka.h>
#include <cortexauth/cedar.h>

#define CASE_PARTS 8

struct cedar_case {
  char *bytes;
  size_t count;
  struct cedar_source parts[CASE_PARTS]; /* name is the part's, without the dashes */
};

/* Reads a case; a file that is none fails the test. */
void cedar_case_load(const char *path, struct cedar_case *case_out);
void cedar_case_clear(struct cedar_case *c);

/* A part by name, NULL when the case has none. Its text ends before the line break of the next. */
const struct cedar_source *cedar_case_part(const struct cedar_case *c, const char *name);

/* Reads the case's schema (part schema or schema-json); fallback is used when it has neither. */
enum cedar_status cedar_case_schema(const struct cedar_case *c, const struct cedar_source *fallback,
                                    const struct cedar_allocator *allocator,
                                    struct cedar_schema **schema_out, struct cedar_error *error);

/*
 * Runs one test for each *.case of a folder below $cases, its path as the test's state, and then
 * further tests; gives the number of failures.
 */
int cedar_cases_run(const char *folder, CMUnitTestFunction run, const struct CMUnitTest *more,
                    size_t more_count);

/* An allocator that fails at the nth call and counts what it has given out. */
struct cedar_failing {
  size_t calls;
  size_t fail_at; /* 0: never */
  size_t live;    /* pieces not given back */
};
struct cedar_allocator cedar_failing_allocator(struct cedar_failing *failing);

#endif
