/*
 * Texts that each get one number, in the order they come.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_NAMES_H
#define SYNC_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_NONE UINT32_MAX

/* Start from all zero. */
struct names {
  char *text;
  size_t used;
  size_t room;
  uint32_t *offsets; /* by number, into text */
  uint32_t count;
  uint32_t capacity;
  uint32_t *slots; /* number + 1; 0: free */
  uint32_t slot_count;
};

void names_clear(struct names *names);

/* The number of a text, a new one when it was not there; NAMES_NONE without memory. */
uint32_t names_put(struct names *names, const char *text, size_t len);

/* The number of a text; NAMES_NONE when it is not there. */
uint32_t names_find(const struct names *names, const char *text, size_t len);

/* The text of a number, NUL-terminated; borrowed until the next names_put. */
const char *names_text(const struct names *names, uint32_t number);

#endif
