/*
 * A directory as it is read: people, groups, who is in which; handed over when it is whole.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_DIRECTORY_H
#define SYNC_DIRECTORY_H

#include "model.h"
#include "source.h"

struct person {
  uint32_t id;       /* number in ids */
  bool is_contested; /* met with another id: several people are called so */
  bool is_nameless;
};

/* Start from all zero. Numbers are those of the names. */
struct directory {
  struct names people;
  struct names groups;
  struct names ids;
  struct edges clashes;     /* role: a contested person, member: one more id of the name */
  struct person *person_of; /* by person */
  size_t person_room;
  struct edges members; /* role: a person, member: one of their groups */
  struct edges nesting; /* role: a group, member: one that it is in */
  size_t unknown;       /* members of groups that no entry is */
};

void directory_clear(struct directory *directory);

/* The number of a person or a group, new when needed; NAMES_NONE without memory. */
uint32_t directory_person(struct directory *directory, const char *name, size_t len, const char *id,
                          size_t id_len);
uint32_t directory_group(struct directory *directory, const char *name, size_t len);

/* Somebody whose name cannot be read; told apart by what the directory calls the entry. */
uint32_t directory_nameless(struct directory *directory, const char *entry, const char *id);

struct directory_text {
  const char *ptr;
  size_t len;
};

#define DIRECTORY_NAME_ROOM 256

/*
 * A name with a NUL byte would be another one as a C string. With another control character in
 * its place it stays a bad name, and one that can be shown.
 *   in   room: DIRECTORY_NAME_ROOM bytes, used where the name has to be changed
 */
struct directory_text directory_safe(const char *text, size_t len, char *room);

/* The same, in lower case (ASCII) where that is asked; left as it is beyond any role's name. */
struct directory_text directory_spell(const char *text, size_t len, bool lower, char *room);

/*
 * Hands over every person with all their groups, groups in groups followed.
 *   out  cycle_out: a group that is in itself, and then nothing is handed over; NAMES_NONE: none.
 *        NULL: loops are followed like everything else
 *   gives  false without memory, with a cycle, or where the taker stopped
 */
bool directory_hand_over(struct directory *directory, const struct source_taker *taker,
                         uint32_t *cycle_out);

#endif
