/*
 * One audit record for each change.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_RECORD_H
#define SYNC_RECORD_H

#include <cortexauth/cortexauth.h>

#include "apply.h"
#include "leaver.h"
#include "plan.h"

/* What all records of a run say. */
struct record_run {
  const struct cortex_audit_options *options;
  const char *host;
  const char *database;
  const char *policy_digest;
  char reference[CORTEX_REFERENCE_LEN + 1];
};

/* A reference for a run. false: the system gave no random bytes. */
bool record_reference(char *reference);

/* Records a plan that was carried out and is about to be committed. */
CORTEX_MUSTCHECK enum cortex_reason record_plan(const struct record_run *run,
                                                const struct model *model, const struct plan *plan,
                                                struct cortex_error *error);

/* Records sessions that were ended. */
CORTEX_MUSTCHECK enum cortex_reason record_ended(const struct record_run *run,
                                                 const struct model *model,
                                                 const struct ended_list *ended,
                                                 struct cortex_error *error);

/* Records the lines of a database that are carried out. */
CORTEX_MUSTCHECK enum cortex_reason record_privileges(const struct record_run *run,
                                                      const struct database_run *how,
                                                      const struct database *database,
                                                      struct cortex_error *error);

/* Records the leavers that were dropped. */
CORTEX_MUSTCHECK enum cortex_reason record_dropped(const struct record_run *run,
                                                   const struct leaver_list *list,
                                                   struct cortex_error *error);

/*
 * Records that what was recorded last was not committed after all.
 *   in   what: such as "changes to roles"; database: NULL: the home
 *        is_known: false: the server did not say, and they may have been
 */
CORTEX_MUSTCHECK enum cortex_reason record_undone(const struct record_run *run, const char *what,
                                                  const char *database, bool is_known,
                                                  struct cortex_error *error);

#endif
