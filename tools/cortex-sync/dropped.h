/*
 * Roles of sessions that are gone: which of them somebody dropped.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_DROPPED_H
#define SYNC_DROPPED_H

#include <cortexauth/cortexauth.h>

#include "common/pg.h"

/* A login that relied on a note of a role that is no more left its stamp and never was a session.
 */
struct dropped {
  struct pg_array names;
  size_t count;
};

/* Start from all zero. A role of one level is left out: nothing is noted of it. */
void dropped_put(struct dropped *dropped, const char *role);
void dropped_clear(struct dropped *dropped);

/*
 * Asks which of them are not there, and lets no login rely on their notes.
 *   gives  false where the server did not answer; what else failed is in error
 */
bool dropped_distrust(struct dropped *dropped, const struct cortex_settings *settings,
                      struct pg *pg, struct cortex_error *error);

#endif
