/*
 * A plan as an SQL script: the statements that --apply would send.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_SCRIPT_H
#define SYNC_SCRIPT_H

#include "objects.h"
#include "plan.h"

/*
 * Prints a script for psql.
 *   in   home: name of the database; digest: of the policy
 *   gives  false: no memory, or standard output failed
 */
bool script_print(const struct model *model, const struct plan *plan, const struct objects *objects,
                  const char *home, const char *digest);

#endif
