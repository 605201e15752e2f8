/*
 * A directory: where people and their groups come from, one interface for every kind.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_SOURCE_H
#define SYNC_SOURCE_H

#include <cortexauth/cortexauth.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A person as a directory knows them. Everything lives during the call only. */
struct source_person {
  const char *name;          /* the username, as the directory has it */
  const char *id;            /* stays when the name changes; "" where there is none */
  const uint32_t *groups;    /* all of them by number, groups in groups followed */
  size_t group_count;
};

/* Who takes the people; false stops the reading (no memory). */
struct source_taker {
  /* A group, before any person, in the order of their numbers. */
  bool (*group)(void *context, uint32_t number, const char *name);
  bool (*person)(void *context, const struct source_person *person);
  void *context;
};

/*
 * A kind of directory. read hands over every person exactly once.
 *
 *   in   place: where it is: a path, a URL
 *   gives  CORTEX_OK only when the directory was read whole: anything less is a
 *          failure, and then what was handed over must not be used
 */
struct source_kind {
  const char *name;
  enum cortex_reason (*read)(const char *place, const struct source_taker *taker,
                             struct cortex_error *error);
};

/* Users and groups of a Cedar entities file. */
extern const struct source_kind source_file;

/* The kind of a name; NULL: there is none. */
const struct source_kind *source_find(const char *name);

#endif
