/*
 * Roles that cannot be given a group because it is, directly or not, a member of theirs.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_CIRCLE_H
#define SYNC_CIRCLE_H

#include "sync.h"

/* Notes in the model which roles these are, and what ends it, of those that the plan grants
 * something. */
bool circle_find(struct sync *sync);

#endif
