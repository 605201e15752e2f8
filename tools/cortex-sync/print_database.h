/*
 * Privileges and leavers for people and for programs.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_PRINT_DATABASE_H
#define SYNC_PRINT_DATABASE_H

#include <jansson.h>

#include "objects.h"

/* One line for each difference; with brief only what is not done, or wrong. */
void print_objects_text(const struct objects *objects, bool brief);

/* Puts "databases" and "drop" into a plan's object. */
void print_objects_json(const struct objects *objects, json_t *object);

#endif
