/*
 * Applying a plan: one transaction, all or nothing, in pipeline mode.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_APPLY_H
#define SYNC_APPLY_H

#include "common/pg.h"
#include "plan.h"

/*
 * Makes the changes and leaves the transaction open: each call makes sure that what it says is
 * so then. The caller records, and commits or hangs up.
 */
bool apply_changes(struct pg *pg, const struct model *model, const struct plan *plan);

/* Queues the changes without a transaction around them, for apply_changes and for scripts. */
bool apply_send(struct pg *pg, const struct model *model, const struct plan *plan, size_t *sent);

/* Queues the end of sessions; nothing where none is to end. */
bool apply_send_end(struct pg *pg, const struct model *model, const struct plan *plan);

/* A session that was ended. */
struct ended {
  uint32_t role; /* NAMES_NONE: the cluster named one that the model does not know */
  int64_t pid;
  int64_t started; /* microseconds since 1970 */
};

struct ended_list {
  struct ended *items;
  size_t count;
};

/*
 * Ends the sessions, says that the cluster is as the policy of this digest wants it (NULL: it
 * is not yet), commits. The model says so afterwards. The sessions are added to the list, to be
 * released with free(ended->items).
 */
bool apply_commit(struct pg *pg, struct model *model, const struct plan *plan, const char *digest,
                  struct ended_list *ended);

/* Ends those that came in before the commit, and adds them. */
bool apply_end_again(struct pg *pg, const struct model *model, const struct plan *plan,
                     struct ended_list *ended);

/* Says that nothing was to do. */
bool apply_nothing(struct pg *pg, const char *digest);

#endif
