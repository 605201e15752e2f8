/*
 * One of an operator's own policy tests, as it stands in a file.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_POLICY_CASE_H
#define CORTEXCTL_POLICY_CASE_H

#include <cortexauth/cedar.h>
#include <jansson.h>

struct policy_case {
  const char *name;
  const char *user;
  const char *service;
  const char *role;       /* that is assumed; NULL: none */
  const json_t *groups;   /* array of strings; NULL: none */
  const json_t *tags;     /* object of arrays of strings; NULL: none */
  const json_t *policies; /* ids that must decide; NULL: any */
  bool allow;
};

/*
 * Checks one test strictly, so that a typing mistake cannot make it pass.
 *   out  item_out: borrows from the test
 *   gives  NULL, or what is wrong with it
 */
const char *policy_case_read(json_t *test, struct policy_case *item_out);

/* The Cedar request of a test that was read; NULL without memory. The caller releases it. */
json_t *policy_case_request(const json_t *test);

/*
 * Gives the request what a login would: the principal's username, groups and tags, and the
 * service that a role is in.
 */
void policy_case_overlay(const struct policy_case *item, struct cedar_request *request);

#endif
