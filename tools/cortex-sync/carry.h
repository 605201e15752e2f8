/*
 * Carrying out a plan: in one transaction, or in as few as the server has room for.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_CARRY_H
#define SYNC_CARRY_H

#include "sync.h"

/*
 * Makes the changes, proves, records and commits them. Where what gives fails, what takes away
 * is done alone.
 *   gives  CLI_DONE, or the exit code after a complaint
 */
enum cli_exit carry_out(struct sync *sync);

#endif
