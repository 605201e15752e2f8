/*
 * Leavers whose grace time is over: what they own gets another owner, and the role goes.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LEAVER_H
#define SYNC_LEAVER_H

#include "database.h"

/* A leaver that is due. */
struct leaver {
  const char *name; /* borrowed from the model */
  const char *why;  /* it stays: what is missing; NULL: it can go */
  char place[64];   /* the database in which that is, or "" */
  bool is_dropped;
};

/* In a database, of one leaver. */
struct holding {
  size_t leaver;
  const struct database *database; /* NULL: no section names it */
  bool owns;
};

struct leaver_list {
  struct leaver *items;
  size_t count;
  size_t due; /* that can go */
  struct holding *holdings;
  size_t holding_count;
  bool is_refused; /* by a valve */
};

/*
 * Asks the home who is due. Nobody is where grace is NULL (seconds as text).
 *   gives  false: pg has failed, or there is no memory
 */
bool leavers_read(const struct database_run *run, const struct model *model,
                  const struct database_list *databases, const char *grace, struct pg *pg,
                  struct leaver_list *list_out);
void leavers_clear(struct leaver_list *list);

/* Why it stays, with the database; only where there is a why. */
void leaver_put_why(const struct leaver *leaver, char *text, size_t size);

/*
 * Begins the transaction at the home in which they are dropped, and in which none of them can log
 * in. Who has done so meanwhile stays.
 *   gives  false: pg has failed, or there is no memory
 */
bool leavers_hold(struct pg *pg, struct leaver_list *list);

/*
 * Hands over what they own, database by database, each in a transaction of its own. A leaver
 * in whose way something is stays, with a complaint.
 *   gives  false when something could not be done
 */
bool leavers_release(const struct database_run *run, struct leaver_list *list);

/* Those that are due and are still there. */
size_t leavers_left(const struct leaver_list *list);

/* True when one that can go has something in this database. */
bool leavers_are_in(const struct leaver_list *list, const struct database *database);

/* Queue the statements: for one database with the transaction around them, for the home without. */
bool leavers_send_release(const struct leaver_list *list, const struct database *database,
                          struct pg *pg, size_t *sent);
bool leavers_send_drop(const struct leaver_list *list, struct pg *pg, size_t *sent);

/* Drops those that can go, in the transaction that leavers_hold began, and leaves that open. */
bool leavers_drop(struct pg *pg, struct leaver_list *list);

#endif
