/*
 * Users and groups of a plain shape, read straight from the text: most of a directory's file.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_ENTITY_SCAN_H
#define SYNC_ENTITY_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct scan_text {
  const char *ptr;
  size_t len;
};

/* Texts point into the file; start from all zero, release with free(entity.groups). */
struct scan_entity {
  bool is_user; /* else a group */
  struct scan_text id;
  struct scan_text subject; /* the attribute; len 0: none */
  struct scan_text *groups; /* that it is in */
  size_t count;
  size_t room;
};

/*
 * Reads an entity that begins at *at, blanks before it skipped, and moves *at behind it.
 *   gives  false where it is not of the plain shape, or no entity at all: only the reader of
 *          Cedar can tell then. Plain: ASCII without escapes, uid and parents as type and id,
 *          attributes that are strings.
 */
bool entity_scan(const char **at, const char *end, struct scan_entity *entity);

/* Behind the blanks at a place. */
const char *scan_blanks(const char *at, const char *end);

#endif
