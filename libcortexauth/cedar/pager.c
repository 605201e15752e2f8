/*
 * An image that is read piece by piece. Pieces lie close together in the memory of this process,
 * as touching fresh memory costs more than reading.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pager.h"

#include <string.h>

#include "arena.h"

/* What is read at least: some slots, an entity, the texts beside one. A power of two. */
#define UNIT 128U

#define FIRST_SLOTS 128U

/* Read with the last unit, for an item that begins in it. */
#define TAIL 64U

/* A piece of the file in memory, under each of its units. */
struct piece {
  uint32_t unit; /* its number + 1; 0: free */
  uint32_t len;  /* bytes from its beginning on that lie behind one another in memory */
  const char *at;
};

struct cedar_pager {
  struct cedar_image_source source;
  struct cedar_allocator alloc;
  struct cedar_arena memory;
  char *head; /* the first head_len bytes of the image */
  uint64_t head_len;
  struct piece *pieces; /* hash table by unit, at most three quarters full */
  uint32_t slot_n;      /* a power of two */
  uint32_t piece_n;
  bool failed;
};

/* An image asks for each unit once or twice; a damaged one may not ask for ever. */
static size_t memory_max(uint64_t size) {
  return size > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)size * 2 + ((size_t)1 << 20);
}

static void *zeroed(const struct cedar_allocator *alloc, size_t size) {
  void *made = alloc->alloc(alloc->ctx, size);

  if (made != NULL)
    memset(made, 0, size);
  return made;
}

struct cedar_pager *cedar_pager_new(const struct cedar_image_source *source,
                                    const struct cedar_allocator *alloc, char *head,
                                    size_t head_len) {
  struct cedar_pager *pager = zeroed(alloc, sizeof(*pager));

  if (pager == NULL)
    return NULL;
  pager->source = *source;
  pager->alloc = *alloc;
  cedar_arena_init(&pager->memory, alloc, memory_max(source->size));
  pager->slot_n = FIRST_SLOTS;
  pager->pieces = zeroed(alloc, FIRST_SLOTS * sizeof(*pager->pieces));
  if (pager->pieces == NULL) {
    cedar_pager_free(&pager);
    return NULL;
  }
  pager->head = head;
  pager->head_len = head_len;
  return pager;
}

void cedar_pager_free(struct cedar_pager **pager) {
  struct cedar_pager *p = *pager;
  struct cedar_allocator alloc;

  if (p == NULL)
    return;
  alloc = p->alloc;
  cedar_arena_clear(&p->memory);
  if (p->head != NULL)
    alloc.free(alloc.ctx, p->head, (size_t)p->head_len);
  if (p->pieces != NULL)
    alloc.free(alloc.ctx, p->pieces, p->slot_n * sizeof(*p->pieces));
  alloc.free(alloc.ctx, p, sizeof(*p));
  *pager = NULL;
}

void cedar_pager_fail(struct cedar_pager *pager) {
  pager->failed = true;
}

bool cedar_pager_failed(const struct cedar_pager *pager) {
  return pager->failed;
}

static uint32_t slot_of(uint64_t unit, uint32_t mask) {
  return ((uint32_t)unit * 0x9e3779b1U >> 7) & mask;
}

static struct piece *piece_find(struct piece *pieces, uint32_t slot_n, uint32_t unit) {
  uint32_t mask = slot_n - 1, i = slot_of(unit, mask);

  while (pieces[i].unit != 0 && pieces[i].unit != unit + 1)
    i = (i + 1) & mask;
  return &pieces[i];
}

static bool slots_room(struct cedar_pager *pager, uint32_t more) {
  uint32_t want = pager->slot_n, i;
  struct piece *grown;

  while (want / 4 * 3 < pager->piece_n + more)
    want *= 2;
  if (want == pager->slot_n)
    return true;
  grown = zeroed(&pager->alloc, want * sizeof(*grown));
  if (grown == NULL)
    return false;
  for (i = 0; i < pager->slot_n; i++)
    if (pager->pieces[i].unit != 0)
      *piece_find(grown, want, pager->pieces[i].unit - 1) = pager->pieces[i];
  pager->alloc.free(pager->alloc.ctx, pager->pieces, pager->slot_n * sizeof(*grown));
  pager->pieces = grown;
  pager->slot_n = want;
  return true;
}

/* Enters a piece under each of its units, unless a longer one is there. */
static void piece_enter(struct cedar_pager *pager, uint32_t first, uint32_t count, const char *at,
                        uint32_t len) {
  uint32_t i;

  for (i = 0; i < count; i++) {
    struct piece *piece = piece_find(pager->pieces, pager->slot_n, first + i);

    if (piece->unit != 0 && piece->len >= len - i * UNIT)
      continue;
    pager->piece_n += piece->unit == 0;
    piece->unit = first + i + 1;
    piece->len = len - i * UNIT;
    piece->at = at + (size_t)i * UNIT;
  }
}

static const char *piece_read(struct cedar_pager *pager, uint32_t first, uint32_t count) {
  uint64_t from = (uint64_t)first * UNIT, left = pager->source.size - from;
  uint64_t want = (uint64_t)count * UNIT + TAIL;
  size_t len = (size_t)(left < want ? left : want);
  char *at;

  if (len > UINT32_MAX || !slots_room(pager, count))
    return NULL;
  at = cedar_arena_get(&pager->memory, len);
  if (at == NULL || !pager->source.read(pager->source.ctx, from, at, len))
    return NULL;
  piece_enter(pager, first, count, at, (uint32_t)len);
  return at;
}

/* Whether a piece has len bytes from a place in its first unit on. */
static bool has(const struct piece *piece, uint64_t offset, size_t len) {
  return piece->unit == offset / UNIT + 1 && len <= piece->len && offset % UNIT <= piece->len - len;
}

/* What is not at its first place in the table, or not read yet: then `ahead` bytes are read. */
static const void *get_slowly(struct cedar_pager *pager, uint64_t offset, size_t len,
                              size_t ahead) {
  const struct piece *piece;
  const char *at = NULL;
  uint32_t first, count;

  if (!pager->failed && offset < pager->source.size && len > 0 && len <= ahead &&
      ahead <= pager->source.size - offset && pager->source.size / UNIT < UINT32_MAX) {
    first = (uint32_t)(offset / UNIT);
    count = (uint32_t)((offset + ahead - 1) / UNIT) - first + 1;
    piece = piece_find(pager->pieces, pager->slot_n, first);
    at = has(piece, offset, len) ? piece->at : piece_read(pager, first, count);
  }
  if (at == NULL) {
    pager->failed = true;
    return NULL;
  }
  return at + offset % UNIT;
}

const void *cedar_pager_get(struct cedar_pager *pager, uint64_t offset, size_t len) {
  const struct piece *piece;

  if (offset < pager->head_len && len <= pager->head_len - offset)
    return pager->head + offset;
  piece = &pager->pieces[slot_of(offset / UNIT, pager->slot_n - 1)];
  return has(piece, offset, len) ? piece->at + offset % UNIT : get_slowly(pager, offset, len, len);
}

const void *cedar_pager_get_ahead(struct cedar_pager *pager, uint64_t offset, size_t len,
                                  size_t ahead) {
  return get_slowly(pager, offset, len, ahead);
}
