/*
 * Whether the process of a session is there, and whether that can be told from here.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_SYNC_ALIVE_H
#define CORTEX_SYNC_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pg.h"

/*
 * A process of that pid is there. It may be a later one: then the server knows another start
 * and ends nothing, and the next login of that pid replaces the stamp. To compare starts
 * here would trust the wall clock, and a clock that was set would hide live sessions.
 */
bool is_alive(int64_t pid);

/* False where pids mean other processes than the server's: in another pid namespace, as in a
 * container beside the server's, or on another host. */
bool alive_can_tell(const struct pg *pg, const struct pg_server *server);

#endif
