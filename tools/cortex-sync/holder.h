/*
 * Roles that cannot be changed, because somebody has changed them and not said how that ends.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_HOLDER_H
#define SYNC_HOLDER_H

#include "sync.h"

/* True when the plan changes roles themselves, which a transaction may hold. */
bool holder_matters(const struct plan *plan);

/* The names of these roles, under which they are there now. */
void holder_put_names(const struct model *model, const struct plan *plan, struct pg_array *names);

/*
 * A row of a name and of what keeps that role as it is, or out of a group.
 *   out  role_out: NULL where the model has no such role; number_out: of the text in model.holders
 *   gives  false without memory
 */
bool holder_read_row(struct model *model, const PGresult *rows, int row, struct role **role_out,
                     uint32_t *number_out);

/*
 * Notes in the model who holds roles that the plan changes; who is on the way out gets a moment.
 * Transactions of ended sessions are over by then; one that was prepared belongs to none.
 *   out  found_out: whether there are any
 */
bool holder_find(struct sync *sync, bool *found_out);

#endif
