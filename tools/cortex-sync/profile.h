/*
 * Profiles: which privileges a group role gets on what kind of object.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_PROFILE_H
#define SYNC_PROFILE_H

#include "database.h"

/*
 * Puts the rules of a database: roles, kinds and privileges into three arrays. A role that is
 * no group role of ours is rejected, once.
 *   gives  false without memory
 */
bool profile_put_rules(const struct database_run *run, const struct database *database,
                       struct model *model, struct pg_array *arrays);

#endif
