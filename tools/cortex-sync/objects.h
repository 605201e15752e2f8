/*
 * What comes behind the roles: privileges in the databases, and leavers who are due.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_OBJECTS_H
#define SYNC_OBJECTS_H

#include "common/cli.h"
#include "database.h"
#include "leaver.h"
#include "record.h"

struct objects {
  struct database_run run;
  const struct record_run *record;
  bool needs_record; /* what cannot be recorded is not done */
  struct database_list databases;
  struct leaver_list leavers;
};

/*
 * Looks at every database of the cluster and at the leavers, and with apply does what is to do.
 * A database that fails does not keep the others waiting.
 *   in   pg: the home; grace: [sync] leaver_grace, or NULL
 *   gives  CLI_DONE, or CLI_OUTSIDE after a complaint
 */
enum cli_exit objects_run(struct objects *objects, struct model *model, const char *grace,
                          struct pg *pg, bool apply);
void objects_clear(struct objects *objects);

/* True when a valve refused something; when nothing is to do. */
bool objects_are_refused(const struct objects *objects);
bool objects_are_in_sync(const struct objects *objects);

/* Privileges that still differ; those that no rule says go to *extra_out. */
size_t objects_left(const struct objects *objects, size_t *extra_out);

/* Leavers who are due and stay, schemas and creators that are not there. */
size_t objects_rejected(const struct objects *objects);

#endif
