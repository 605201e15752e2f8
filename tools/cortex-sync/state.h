/*
 * What is there: roles, memberships and notes of a cluster, read in one snapshot.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_STATE_H
#define SYNC_STATE_H

#include "common/pg.h"
#include "model.h"

/* Queues the questions; take_lock: this run keeps others out until it disconnects. */
bool state_ask(struct pg *pg, bool take_lock);

/* Takes the answers into the model. false: pg has failed, or there is no memory. */
bool state_take(struct pg *pg, struct model *model);

#endif
