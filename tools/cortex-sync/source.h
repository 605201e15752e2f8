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
  const char *name;       /* the username, as the directory has it */
  const char *id;         /* stays when the name changes; "" where there is none */
  bool is_contested;      /* several people are called so */
  bool is_nameless;       /* the name cannot be read; it is that of the entry */
  const uint32_t *groups; /* all of them by number, groups in groups followed */
  size_t group_count;
};

/* Who takes the people; false stops the reading (no memory). */
struct source_taker {
  /* A group, before any person, in the order of their numbers. */
  bool (*group)(void *context, uint32_t number, const char *name);
  bool (*person)(void *context, const struct source_person *person);
  void *context;
};

/* How a reading ended. Anything but complete: what was handed over must not be used. */
enum source_state {
  SOURCE_COMPLETE,
  SOURCE_INCOMPLETE, /* a server is away, slow, or keeps something back */
  SOURCE_BAD,        /* a file that does not hold what it should */
  SOURCE_FAILED      /* no memory, or the taker stopped */
};

struct source_request {
  const char *label;
  const struct cortex_section *section; /* of the configuration; NULL: a path alone */
  const char *path;
  int64_t deadline; /* nanoseconds of the monotonic clock */
};

struct source_report {
  size_t unknown_members;    /* of groups: no entry that was read */
  size_t unidentified;       /* people whose id cannot be read, where there should be one */
  struct cortex_error error; /* why it is not complete */
};

/*
 * A kind of directory. read hands over every person exactly once (a contested name once for each
 * id), all of them or nothing.
 */
struct source_kind {
  const char *name;
  enum source_state (*read)(const struct source_request *request, const struct source_taker *taker,
                            struct source_report *report);
};

extern const struct source_kind source_file; /* users and groups of a Cedar entities file */
extern const struct source_kind source_ldap;
extern const struct source_kind source_scim; /* SCIM 2.0 over HTTP */

/* The kind of a name; NULL: there is none. */
const struct source_kind *source_find(const char *name);

#endif
