/*
 * Plans for people and for programs.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_PRINT_H
#define SYNC_PRINT_H

#include "apply.h"
#include "objects.h"
#include "plan.h"
#include "valve.h"

struct print_result {
  const struct model *model;
  const struct plan *plan;
  const struct valve *valve;
  bool is_refused; /* by a valve */
  bool is_applied;
  const struct ended_list *ended; /* sessions; NULL: none */
  const char *cluster;            /* its label; NULL: there is only one */
  const struct objects *objects;  /* privileges and leavers */
  size_t transactions;            /* that the roles took */
};

/* One line for each difference, then a sum; with brief only what went wrong and the sum. */
bool print_text(const struct print_result *result, bool brief);

/* One JSON object. false: out of memory, or standard output failed. */
bool print_json(const struct print_result *result);

/* Where there is no plan: the exit code; why is said on standard error. */
bool print_json_failure(const char *cluster, int exit);

/* Where there is none because the server is a standby. */
bool print_standby(const char *cluster, bool brief);
bool print_json_standby(const char *cluster);

#endif
