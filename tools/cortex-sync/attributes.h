/*
 * Attributes of roles: asked of the cluster, compared there, and set.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_ATTRIBUTES_H
#define SYNC_ATTRIBUTES_H

#include "common/pg.h"
#include "plan.h"

/* Queues the question which attributes differ; nothing where none are wanted. */
bool attributes_ask(struct pg *pg, const struct model *model);

/* Takes the answer into the model. */
bool attributes_take(struct pg *pg, struct model *model);

/* Both, in a pipeline of their own. */
bool attributes_read(struct pg *pg, struct model *model);

/* Queues the call that sets those of the list. */
bool attributes_send(struct pg *pg, const struct model *model, const struct role_list *list);

#endif
