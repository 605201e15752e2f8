/*
 * What the server shows a reaper: the sessions that must end, and where it looks for their stamps.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_SIGHT_H
#define SYNC_SIGHT_H

#include <stdbool.h>

#include "common/pg.h"

struct sight {
  struct pg_server server;
  bool has_extension;
  bool sees_others; /* other roles' sessions, by itself or by the extension */
};

/* false: the server did not answer. */
bool sight_ask(struct pg *pg, struct sight *sight_out);

/*
 * Whether the server finds the sessions whose stamps are in this folder, and their processes can be
 * seen from here. Where it would not, none ends, nothing says so, and what they hold is taken back;
 * where they cannot, live sessions would count as gone and lose the stamps by which they end.
 *   gives  false where it does not, which is complained of, or did not answer
 */
bool sight_reaches(struct pg *pg, const struct sight *sight, const char *folder);

#endif
