/*
 * The databases of a cluster: privileges of group roles on their objects.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_DATABASE_H
#define SYNC_DATABASE_H

#include <cortexauth/cortexauth.h>

#include "common/pg.h"
#include "model.h"

/* What all databases of a run have in common. */
struct database_run {
  const struct cortex_settings *settings;
  const struct cortex_policy *policy;
  const char *label;    /* of the [cluster]; NULL: there is only one */
  const char *cluster;  /* HOST:PORT; NULL: all services */
  const char *conninfo; /* of the home */
  int64_t timeout;      /* seconds, of a statement */
  bool strict;          /* what no rule says is revoked */
  int64_t allowed;      /* removals, or VALVE_NOT_GIVEN */
};

enum database_verb {
  VERB_GRANT,
  VERB_REVOKE,        /* what no rule says: only with strict */
  VERB_REVOKE_OPTION, /* may be passed on: only with strict */
  VERB_FOREIGN,       /* somebody else than the owner granted it */
  VERB_WIDE,          /* many grantees: holder says how many */
  VERB_ABSENT,        /* a schema or creator that is not there */
  VERB_THERE,         /* holder says how many privileges are */
  VERBS
};

struct database {
  const char *name;
  const struct cortex_section *section;
  PGresult *lines; /* of cortex.sync_privileges; NULL: none asked, or failed */
  size_t counts[VERBS];
  bool is_refused; /* by a valve */
  bool is_applied;
  bool failed; /* a complaint was made */
};

struct database_list {
  struct database *items;
  size_t count;
};

/* The sections of this cluster. false: no memory. */
bool databases_list(const struct database_run *run, struct database_list *list_out);
void databases_clear(struct database_list *list);

/* The database of a name; NULL: no section names it. */
const struct database *databases_find(const struct database_list *list, const char *name);

/* Connects to a database of the cluster. */
bool database_open(const struct database_run *run, const char *name, struct pg **pg_out);

/* Asks a database what differs. Rejects rules that name roles which are not ours. */
void database_read(const struct database_run *run, struct model *model, struct database *database);

/* True when lines of this verb are carried out. */
bool database_does(const struct database_run *run, enum database_verb verb);

/* How many lines would be carried out. */
size_t database_changes(const struct database_run *run, const struct database *database);

/* Queues the call that carries them out. */
bool database_send(const struct database_run *run, const struct database *database, struct pg *pg);

struct database_recorder {
  /* Just before the commit; false: nothing is done. */
  bool (*before)(void *context, const struct database *database);
  /* The commit failed; is_known: the server said so. */
  void (*undone)(void *context, const struct database *database, bool is_known);
  void *context;
};

/* Carries them out, proves it, and has it recorded. */
void database_apply(const struct database_run *run, const struct model *model,
                    struct database *database, const struct database_recorder *recorder);

/* A line of the answer, by its columns. */
enum database_column {
  COLUMN_VERB,
  COLUMN_KIND,
  COLUMN_OBJECT,
  COLUMN_PART,
  COLUMN_CREATOR,
  COLUMN_HOLDER,
  COLUMN_PRIVILEGE,
  COLUMN_NAME
};
const char *database_text(const struct database *database, int line, enum database_column column);
enum database_verb database_verb(const struct database *database, int line);

/*
 * A group of lines that differ in their privilege only, from *line on, which moves behind them.
 *   out  privileges: joined by ", ", cut where size is too small
 *   gives  the first line; -1 after the last
 */
int database_next(const struct database *database, int *line, char *privileges, size_t size);

/* "table public.orders", or "future tables of app in schema public". */
void database_place(const struct database *database, int line, char *text, size_t size);

#endif
