/*
 * Error objects of the Cedar library: first cause wins.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_ERROR_H
#define CEDAR_ERROR_H

#include <cortexauth/cedar.h>

/* A place in a source. */
struct cedar_place {
  const char *source; /* NUL-terminated, may be NULL */
  uint32_t line;
  uint32_t column;
};

/*
 * Fills error (may be NULL) unless it holds one already; gives status. Cold: what leads here is
 * kept apart from what a good decision runs through.
 */
__attribute__((cold, format(printf, 4, 5))) enum cedar_status
cedar_error_set(struct cedar_error *error, enum cedar_status status, struct cedar_place place,
                const char *format, ...);

/* The same without a place. */
__attribute__((cold, format(printf, 3, 4))) enum cedar_status
cedar_error_plain(struct cedar_error *error, enum cedar_status status, const char *format, ...);

/* Line and column (from 1) of a byte offset in a source. */
struct cedar_place cedar_place_at(const struct cedar_source *source, size_t offset);

/* Remembers where it was, so that ascending offsets of one source cost one pass over it. */
struct cedar_places {
  const struct cedar_source *source;
  size_t offset;
  uint32_t line;
  uint32_t column;
};

void cedar_places_init(struct cedar_places *places, const struct cedar_source *source);
struct cedar_place cedar_places_at(struct cedar_places *places, size_t offset);

#endif
