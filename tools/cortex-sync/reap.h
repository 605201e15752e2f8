/*
 * Reaping: sessions whose time is over, or that would not be permitted any more, end.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_REAP_H
#define SYNC_REAP_H

#include "common/cli.h"

/*
 * Runs once, or with --watch until the program is ended. With --check it only says
 * what it would end.
 *   gives  CLI_DONE; CLI_NO with --check where something would end; CLI_USAGE for a bad
 *          file; CLI_OUTSIDE when something could not be done
 */
enum cli_exit reap_run(const struct cli *cli);

#endif
