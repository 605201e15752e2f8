/*
 * Notice before a session's end: told on a channel of PostgreSQL, for whoever listens there.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_SYNC_NOTICE_H
#define CORTEX_SYNC_NOTICE_H

#include <cortexauth/session.h>

#include "common/pg.h"

enum notice_column { NOTICE_PIDS, NOTICE_STARTS, NOTICE_UNTILS, NOTICE_TEXTS, NOTICE_COLUMNS = 8 };

/* Zero: nobody is told anything. */
struct notice {
  int64_t lead; /* seconds before the end; 0: none is wanted */
  int64_t last; /* seconds since 1970, when the round before this one began; 0: there was none */
  int64_t now;
  size_t count;
  struct pg_array columns[NOTICE_COLUMNS];
};

/* Reads [session] notice, and when the last round was; false when that cannot be known. */
bool notice_init(struct notice *notice, const struct cortex_settings *settings, int64_t now,
                 struct cortex_error *error);

/* Takes the session down where its time came since the last round. */
void notice_put(struct notice *notice, const struct cortex_session *session);

/* Tells; false when the server did not take it. */
bool notice_send(struct notice *notice, struct pg *pg);

void notice_clear(struct notice *notice);

#endif
