/*
 * Bump memory and growing arrays.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 8192U
#define ALIGN 16U

struct cedar_block {
  struct cedar_block *next;
  size_t size; /* of the whole block */
};

/* The first byte for pieces: behind the header, aligned. */
#define HEADER ((sizeof(struct cedar_block) + ALIGN - 1) / ALIGN * ALIGN)

static void *heap_alloc(void *ctx, size_t size) {
  (void)ctx;
  return malloc(size);
}

static void heap_free(void *ctx, void *ptr, size_t size) {
  (void)ctx;
  (void)size;
  free(ptr);
}

struct cedar_allocator cedar_allocator_get(const struct cedar_allocator *allocator) {
  struct cedar_allocator heap = {heap_alloc, heap_free, NULL};

  return allocator != NULL ? *allocator : heap;
}

void cedar_arena_init(struct cedar_arena *arena, const struct cedar_allocator *alloc, size_t max) {
  memset(arena, 0, sizeof(*arena));
  arena->alloc = *alloc;
  arena->max = max;
  arena->block = BLOCK_SIZE;
}

void cedar_arena_clear(struct cedar_arena *arena) {
  struct cedar_block *block = arena->first;
  size_t least = arena->block;

  while (block != NULL) {
    struct cedar_block *next = block->next;

    arena->alloc.free(arena->alloc.ctx, block, block->size);
    block = next;
  }
  cedar_arena_init(arena, &arena->alloc, arena->max);
  arena->block = least;
}

static void arena_use(struct cedar_arena *arena, struct cedar_block *block) {
  arena->current = block;
  arena->next = block == NULL ? NULL : (char *)block + HEADER;
  arena->end = block == NULL ? NULL : (char *)block + block->size;
}

void cedar_arena_reset(struct cedar_arena *arena) {
  arena_use(arena, arena->first);
}

struct cedar_mark cedar_arena_mark(const struct cedar_arena *arena) {
  struct cedar_mark mark = {arena->current, arena->next, arena->end};

  return mark;
}

void cedar_arena_rewind(struct cedar_arena *arena, struct cedar_mark mark) {
  if (mark.current == NULL) {
    cedar_arena_reset(arena);
    return;
  }
  arena->current = mark.current;
  arena->next = mark.next;
  arena->end = mark.end;
}

/* Moves to the next block that is large enough, a kept one or a new one. */
static bool arena_extend(struct cedar_arena *arena, size_t size) {
  struct cedar_block *kept = arena->current == NULL ? arena->first : arena->current->next;
  struct cedar_block *block;
  size_t want = arena->held / 4;

  if (kept != NULL && kept->size - HEADER >= size) {
    arena_use(arena, kept);
    return true;
  }
  if (want < arena->block)
    want = arena->block;
  if (size > arena->max || want < size + HEADER)
    want = size + HEADER;
  if (want > arena->max || arena->held > arena->max - want)
    return false;
  block = arena->alloc.alloc(arena->alloc.ctx, want);
  if (block == NULL)
    return false;
  block->size = want;
  block->next = kept;
  if (arena->current == NULL)
    arena->first = block;
  else
    arena->current->next = block;
  arena->held += want;
  arena_use(arena, block);
  return true;
}

void *cedar_arena_get(struct cedar_arena *arena, size_t size) {
  void *piece;

  if (size > arena->max)
    return NULL;
  size = (size + (size == 0) + ALIGN - 1) / ALIGN * ALIGN;
  if ((size_t)(arena->end - arena->next) < size && !arena_extend(arena, size))
    return NULL;
  piece = arena->next;
  arena->next += size;
  return piece;
}

void *cedar_arena_get_array(struct cedar_arena *arena, size_t count, size_t size) {
  void *piece;

  if (size != 0 && count > arena->max / size)
    return NULL;
  piece = cedar_arena_get(arena, count * size);
  if (piece != NULL)
    memset(piece, 0, count * size);
  return piece;
}

char *cedar_arena_dup(struct cedar_arena *arena, const char *bytes, size_t len) {
  char *copy = len < arena->max ? cedar_arena_get(arena, len + 1) : NULL;

  if (copy != NULL) {
    if (len > 0)
      memcpy(copy, bytes, len);
    copy[len] = '\0';
  }
  return copy;
}

enum cedar_status cedar_array_grow(const struct cedar_allocator *alloc, void **at, uint32_t *cap,
                                   size_t item, uint64_t need, uint32_t max) {
  uint64_t want = (uint64_t)*cap * 2;
  void *grown;

  if (need > max)
    return CEDAR_LIMIT;
  if (want < need)
    want = need;
  if (want * item < 512)
    want = (512 + item - 1) / item;
  if (want > max)
    want = max;
  grown = alloc->alloc(alloc->ctx, (size_t)want * item);
  if (grown == NULL)
    return CEDAR_NOMEM;
  if (*at != NULL) {
    memcpy(grown, *at, (size_t)*cap * item);
    alloc->free(alloc->ctx, *at, (size_t)*cap * item);
  }
  *at = grown;
  *cap = (uint32_t)want;
  return CEDAR_OK;
}
