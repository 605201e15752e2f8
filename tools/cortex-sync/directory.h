/*
 * A directory as it is read: people, groups, who is in which; handed over when it is whole.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_DIRECTORY_H
#define SYNC_DIRECTORY_H

#include "model.h"
#include "source.h"

/* Start from all zero. Numbers are those of the names. */
struct directory {
  struct names people;
  struct names groups;
  struct names ids;
  uint32_t *id_of; /* by person: number in ids */
  size_t id_room;
  struct edges members; /* role: a person, member: one of their groups */
  struct edges nesting; /* role: a group, member: one that it is in */
};

void directory_clear(struct directory *directory);

/* The number of a person or a group, new when needed; NAMES_NONE without memory. */
uint32_t directory_person(struct directory *directory, const char *name, size_t len, const char *id,
                          size_t id_len);
uint32_t directory_group(struct directory *directory, const char *name, size_t len);

/*
 * Hands over every person with all their groups, groups in groups followed.
 *   out  cycle_out: a group that is in itself, and then nothing is handed over; NAMES_NONE: none
 *   gives  false without memory, with a cycle, or where the taker stopped
 */
bool directory_hand_over(struct directory *directory, const struct source_taker *taker,
                         uint32_t *cycle_out);

#endif
