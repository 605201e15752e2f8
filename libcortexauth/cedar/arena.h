/*
 * Bump memory: many small pieces, released together.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_ARENA_H
#define CEDAR_ARENA_H

#include <cortexauth/cedar.h>

struct cedar_block;

struct cedar_arena {
  struct cedar_allocator alloc;
  struct cedar_block *first;   /* all blocks, oldest first */
  struct cedar_block *current; /* the one pieces are cut from */
  char *next;
  char *end;
  size_t held;  /* bytes of all blocks */
  size_t max;   /* ceiling of held */
  size_t block; /* what a block has at least; may be set while there is none */
};

/* The allocator to use: a copy of the caller's, or malloc and free for NULL. */
struct cedar_allocator cedar_allocator_get(const struct cedar_allocator *allocator);

/* Prepares an empty arena; no memory is taken yet. */
void cedar_arena_init(struct cedar_arena *arena, const struct cedar_allocator *alloc, size_t max);

/* Gives all memory back. */
void cedar_arena_clear(struct cedar_arena *arena);

/* Forgets all pieces, keeps the blocks. */
void cedar_arena_reset(struct cedar_arena *arena);

/* A point to go back to: everything taken after it is forgotten. */
struct cedar_mark {
  struct cedar_block *current;
  char *next;
  char *end;
};

struct cedar_mark cedar_arena_mark(const struct cedar_arena *arena);
void cedar_arena_rewind(struct cedar_arena *arena, struct cedar_mark mark);

/* A piece of memory aligned to 16, not zeroed; NULL when there is none or the ceiling is reached.
 */
CEDAR_MUST_CHECK void *cedar_arena_get(struct cedar_arena *arena, size_t size);

/* The same for count pieces of size bytes, zeroed, the product checked. */
CEDAR_MUST_CHECK void *cedar_arena_get_array(struct cedar_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of bytes. */
CEDAR_MUST_CHECK char *cedar_arena_dup(struct cedar_arena *arena, const char *bytes, size_t len);

/*
 * Grows an array that came from the allocator so that it holds at least need items.
 * gives CEDAR_OK, CEDAR_LIMIT (need over max) or CEDAR_NOMEM; the array is unchanged on failure.
 */
CEDAR_MUST_CHECK enum cedar_status cedar_array_grow(const struct cedar_allocator *alloc, void **at,
                                                    uint32_t *cap, size_t item, uint64_t need,
                                                    uint32_t max);

#endif
