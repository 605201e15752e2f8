/*
 * One run over one cluster: what its steps hand on to each other.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include <cortexauth/cortexauth.h>

#include "apply.h"
#include "common/cli.h"
#include "metrics.h"
#include "objects.h"
#include "record.h"
#include "valve.h"
#include "wanted.h"

/* Exit codes of this program alone. */
#define SYNC_REJECTED ((enum cli_exit)4) /* done, but some names were rejected */
#define SYNC_REFUSED ((enum cli_exit)5)  /* by a valve */
#define SYNC_ACTIVE ((enum cli_exit)6)   /* another run is */

struct sync {
  const struct cli *cli;
  struct cortex_settings *settings;
  struct cortex_policy *policy;
  const char *name; /* of the cluster, where there are several */
  const char *conninfo;
  const char *cluster; /* HOST:PORT whose services it has; NULL: all */
  struct pg *pg;
  struct model model;
  struct plan plan;
  struct valve valve;
  struct objects objects;
  struct cortex_audit_options audit;
  struct record_run record;
  char host[256];
  struct ended_list ended;
  struct source_list sources;
  struct metrics metrics;
  size_t transactions; /* that were committed for the roles */
  bool has_plan;
  bool is_reported;   /* printed */
  bool is_incomplete; /* a directory was not read whole */
  int64_t allowed;
  int64_t timeout; /* seconds, of a statement */
  bool is_refused;
  bool is_applied;
};

/* Connects, takes the lock where the run changes something, and reads the cluster. */
enum cli_exit sync_connect(struct sync *sync);

/* What the database said. */
enum cli_exit sync_complain(const struct sync *sync);

/* False where the operator asks no records: then what cannot be recorded is done all the same. */
bool sync_needs_record(const struct sync *sync);

#endif
