/*
 * What is wanted and what is there, in the same terms: roles by number, memberships, why.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_MODEL_H
#define SYNC_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"

/* What the cluster says a role is. */
enum role_kind {
  ROLE_ABSENT = 0,
  ROLE_FOREIGN,   /* somebody else's */
  ROLE_PROTECTED, /* never touched, whatever marks it */
  ROLE_LOGIN,     /* marked: a person's */
  ROLE_GROUP      /* marked: granted to people */
};

enum role_wish { WISH_NONE = 0, WISH_LOGIN, WISH_GROUP };

struct role {
  enum role_wish wish;
  uint32_t subject; /* in model.subjects */
  uint32_t label;   /* of the directory that names the person, in model.labels */
  enum role_kind kind;
  uint32_t known_subject; /* as the cluster has noted them */
  uint32_t known_label;
  uint32_t oid;
  uint32_t holder; /* in model.holders: whose transaction keeps it as it is; 0: nobody's */
  uint32_t circle; /* there too: what ends that a group is in it, so that it can be in none; 0 */
  bool can_login;
  bool is_adoptable; /* foreign, and can be taken over */
  bool is_cut;       /* by us */
  bool is_contested; /* several people are called so */
  bool is_claimed;   /* a person is called as this group role */
  bool is_frozen;    /* left as it is: nobody can tell whether the person is still there */
  bool is_held;      /* frozen because its person is still there, by a name that it cannot have */
  bool is_stranded;  /* protected, and its person has left */
  bool is_lent;      /* made by a login, and in no directory: left to logins and the reaper */
};

/* A membership, and why it is; source is a number in model.sources, or 0 where nobody asks why. */
struct edge {
  uint32_t role;
  uint32_t member;
  uint32_t source;
};

struct edges {
  struct edge *items;
  size_t count;
  size_t room;
  bool failed; /* without memory */
};

void edges_put(struct edges *edges, struct edge edge);
void edges_clear(struct edges *edges);

/* Puts them in order, each once; edges->failed without memory. */
void edges_sort(struct edges *edges);

/* Puts those of a role together, in the order of their numbers; edges->failed without memory. */
void edges_group(struct edges *edges);

/* Order of two edges, source last. Here, as a plan asks it a million times. */
static inline int edge_compare(const struct edge *left, const struct edge *right) {
  const uint64_t one = (uint64_t)left->role << 32 | left->member;
  const uint64_t other = (uint64_t)right->role << 32 | right->member;

  if (one != other)
    return one < other ? -1 : 1;
  return (left->source > right->source) - (left->source < right->source);
}

/* The next of sorted edges not before this one; *cursor moves there. True when it is this one. */
static inline bool edges_seek(const struct edges *edges, size_t *cursor, struct edge edge) {
  int order = 1;

  while (*cursor < edges->count && (order = edge_compare(&edges->items[*cursor], &edge)) < 0)
    (*cursor)++;
  return *cursor < edges->count && order == 0;
}

/* A name that got nothing, and why. */
struct rejection {
  char *name;
  char *why;
};

struct rejections {
  struct rejection *items;
  size_t count;
  bool failed;
};

void rejections_put(struct rejections *rejections, const char *name, const char *why);
void rejections_clear(struct rejections *rejections);

/* An attribute that a role should have, such as inherit or set.work_mem (the extension's keys). */
struct attribute {
  uint32_t role;
  uint32_t key; /* in model.words, as value and have */
  uint32_t value;
  uint32_t have; /* NAMES_NONE: the role is not there */
  bool differs;
};

struct attributes {
  struct attribute *items;
  size_t count;
  size_t room;
  bool failed;
};

void attributes_put(struct attributes *attributes, struct attribute attribute);

struct model {
  struct names names; /* of roles, wanted or there */
  struct role *roles; /* by the number of the name */
  size_t role_room;
  struct names subjects; /* stable ids in the directory; 0 is "" */
  struct names labels;   /* of directories; 0 is "" */
  struct names complete; /* labels of the directories that were read whole */
  struct names holders;  /* of roles, and what ends circles, as they are told of; 0 is "" */
  struct names held;     /* LABEL SOURCE_END ID of people whose name is none for a role */
  bool is_incomplete;    /* a directory was not read whole */
  bool is_empty;         /* one that was read whole names nobody */
  bool adopts;           /* roles of others, and ids that changed, are taken over */
  struct names words;    /* keys and values of attributes */
  struct names sources;  /* SERVICE LEVEL POLICY REASON, each ending in SOURCE_END */

  /* wanted */
  size_t people;           /* that the directory names */
  size_t conditional;      /* levels that only a login can decide */
  struct edges wanted;     /* with source 0 */
  struct edges wanted_why; /* once for each source */
  struct attributes attributes;
  struct rejections rejections;

  /* there */
  bool is_stale; /* notes do not fit the cluster */
  struct edges ours;
  struct edges altered; /* ours, with options we do not grant */
  struct edges others;  /* granted by somebody else */
  struct edges noted;
  struct edges lent;    /* ours, given by logins; those of them that are noted are both's */
  struct edges renamed; /* role: the new name, member: the old one, which is gone from above */
};

/* The label that the cluster has noted for roles that a login made: no directory may be called so.
 */
#define LABEL_LOGIN "login"

#define SOURCE_END '\x1f'

bool model_init(struct model *model);
void model_clear(struct model *model);

/* The name of a role; "" for NAMES_NONE. Borrowed until another role is made. */
const char *model_name(const struct model *model, uint32_t role);

/* The role of a name, made when it is new; NAMES_NONE without memory. */
uint32_t model_role(struct model *model, const char *name, size_t len);

/* Forgets what is there, so that the cluster can be read again. */
void model_forget(struct model *model);

/*
 * When both sides are read: marks what must be left alone, and finds people whom the directory
 * calls otherwise now, as if their roles had the new names already. false: no memory.
 */
bool model_match(struct model *model);

/* The parts of a source, each to be printed with %.*s. */
enum source_part { SOURCE_SERVICE, SOURCE_LEVEL, SOURCE_POLICY, SOURCE_REASON, SOURCE_PARTS };
const char *source_part(const struct model *model, uint32_t source, enum source_part part,
                        int *len_out);

/* The number of a source; NAMES_NONE without memory. */
uint32_t model_source(struct model *model, const char *const parts[SOURCE_PARTS]);

#endif
