/*
 * Interning: a text or an entity name becomes a number, equal ones the same number.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store.h"

#include <string.h>

#define FIRST_SLOTS 128U

static uint64_t mix(uint64_t x) {
  x *= 0x9e3779b97f4a7c15U;
  return x ^ (x >> 29);
}

uint32_t cedar_text_hash(const char *bytes, size_t len) {
  uint64_t hash = mix(len + 1), word;

  for (; len >= 8; bytes += 8, len -= 8) {
    memcpy(&word, bytes, 8);
    hash = mix(hash ^ word);
  }
  if (len > 0) {
    word = 0;
    memcpy(&word, bytes, len);
    hash = mix(hash ^ word);
  }
  hash = mix(hash);
  return (uint32_t)(hash >> 32);
}

uint32_t cedar_uid_hash(uint32_t type, uint32_t id) {
  return (uint32_t)(mix(((uint64_t)type << 32) | id) >> 32);
}

struct cedar_text cedar_sym_text(const struct cedar_store *store, uint32_t sym) {
  struct cedar_text text = {NULL, 0};
  const struct cedar_sym *s = cedar_syms_get(store, sym, 1);
  const char *bytes =
      s == NULL || s->len == UINT32_MAX ? NULL : cedar_bytes_get(store, s->offset, s->len + 1);

  if (bytes == NULL || bytes[s->len] != '\0')
    return text;
  text.ptr = bytes;
  text.len = s->len;
  return text;
}

/*
 * The place in a table where a hash is next, or ends: linear probing in a power of two of slots,
 * at most three quarters of them taken. NULL: the table is damaged, or has nothing.
 */
static const struct cedar_slot *slot_next(const struct cedar_store *store, bool of_uids,
                                          uint32_t hash, uint32_t *probes) {
  uint32_t mask = (of_uids ? store->uid_slots.n : store->sym_slots.n) - 1;

  while (*probes <= mask && mask != UINT32_MAX) {
    uint32_t at = (hash + (*probes)++) & mask;
    const struct cedar_slot *slot =
        of_uids ? cedar_uid_slots_get(store, at, 1) : cedar_sym_slots_get(store, at, 1);

    if (slot == NULL || slot->number == 0)
      return NULL;
    if (slot->hash == hash)
      return slot;
  }
  return NULL;
}

uint32_t cedar_sym_find_hashed(const struct cedar_store *store, const char *bytes, size_t len,
                               uint32_t hash) {
  const struct cedar_slot *slot;
  uint32_t probes = 0;

  if (!cedar_filter_may_have(store, CEDAR_FILTER_SYM, hash))
    return CEDAR_NONE;
  while ((slot = slot_next(store, false, hash, &probes)) != NULL) {
    struct cedar_text text = cedar_sym_text(store, slot->number - 1);

    if (text.ptr != NULL && text.len == len && (len == 0 || memcmp(text.ptr, bytes, len) == 0))
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

uint32_t cedar_sym_find(const struct cedar_store *store, const char *bytes, size_t len) {
  return cedar_sym_find_hashed(store, bytes, len, cedar_text_hash(bytes, len));
}

/* Doubles a slot table; the caller enters everything again. */
static enum cedar_status slots_grow(const struct cedar_allocator *alloc, struct cedar_slot **at,
                                    uint32_t *n, uint32_t *cap) {
  uint32_t want = *n == 0 ? FIRST_SLOTS : *n * 2;
  enum cedar_status status = CEDAR_OK;

  if (want > CEDAR_MAX_ITEMS)
    return CEDAR_LIMIT;
  if (want > *cap)
    status = cedar_array_grow(alloc, (void **)(void *)at, cap, sizeof(**at), want, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  memset(*at, 0, want * sizeof(**at));
  *n = want;
  return CEDAR_OK;
}

static void slot_enter(struct cedar_slot *slots, uint32_t n, uint32_t hash, uint32_t number) {
  uint32_t mask = n - 1, i = hash & mask;

  while (slots[i].number != 0)
    i = (i + 1) & mask;
  slots[i].number = number + 1;
  slots[i].hash = hash;
}

static enum cedar_status sym_slots_room(struct cedar_store *store) {
  enum cedar_status status;
  uint32_t i;

  if (store->syms.n < store->sym_slots.n / 2)
    return CEDAR_OK;
  status =
      slots_grow(&store->alloc, &store->sym_slots.at, &store->sym_slots.n, &store->sym_slots.cap);
  if (status != CEDAR_OK)
    return status;
  for (i = 0; i < store->syms.n; i++)
    slot_enter(store->sym_slots.at, store->sym_slots.n, store->syms.at[i].hash, i);
  return CEDAR_OK;
}

enum cedar_status cedar_sym_put(struct cedar_store *store, const char *bytes, size_t len,
                                uint32_t *sym_out) {
  uint32_t hash = cedar_text_hash(bytes, len);
  struct cedar_sym *s;
  enum cedar_status status;

  *sym_out = cedar_sym_find_hashed(store, bytes, len, hash);
  if (*sym_out != CEDAR_NONE)
    return CEDAR_OK;
  status = sym_slots_room(store);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, syms, 1, CEDAR_MAX_ITEMS);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, bytes, (uint64_t)len + 1, CEDAR_MAX_TEXT);
  if (status != CEDAR_OK)
    return status;
  s = &store->syms.at[store->syms.n];
  s->offset = store->bytes.n;
  s->len = (uint32_t)len;
  s->hash = hash;
  if (len > 0)
    memcpy(store->bytes.at + store->bytes.n, bytes, len);
  store->bytes.at[store->bytes.n + len] = '\0'; /* a C string as well, if it holds no NUL */
  store->bytes.n += (uint32_t)len + 1;
  slot_enter(store->sym_slots.at, store->sym_slots.n, hash, store->syms.n);
  *sym_out = store->syms.n++;
  return CEDAR_OK;
}

uint32_t cedar_uid_find(const struct cedar_store *store, uint32_t type, uint32_t id) {
  uint32_t hash = cedar_uid_hash(type, id), probes = 0;
  const struct cedar_slot *slot;

  if (!cedar_filter_may_have(store, CEDAR_FILTER_UID, hash))
    return CEDAR_NONE;
  while ((slot = slot_next(store, true, hash, &probes)) != NULL) {
    const struct cedar_uid *u = cedar_uids_get(store, slot->number - 1, 1);

    if (u != NULL && u->type == type && u->id == id)
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

static uint32_t uid_hash(const struct cedar_uid *uid) {
  return cedar_uid_hash(uid->type, uid->id);
}

static enum cedar_status uid_slots_room(struct cedar_store *store) {
  enum cedar_status status;
  uint32_t i;

  if (store->uids.n < store->uid_slots.n / 2)
    return CEDAR_OK;
  status =
      slots_grow(&store->alloc, &store->uid_slots.at, &store->uid_slots.n, &store->uid_slots.cap);
  if (status != CEDAR_OK)
    return status;
  for (i = 0; i < store->uids.n; i++)
    slot_enter(store->uid_slots.at, store->uid_slots.n, uid_hash(&store->uids.at[i]), i);
  return CEDAR_OK;
}

enum cedar_status cedar_uid_put(struct cedar_store *store, uint32_t type, uint32_t id,
                                uint32_t *uid_out) {
  enum cedar_status status;
  struct cedar_uid *u;

  *uid_out = cedar_uid_find(store, type, id);
  if (*uid_out != CEDAR_NONE)
    return CEDAR_OK;
  status = uid_slots_room(store);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, uids, 1, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  u = &store->uids.at[store->uids.n];
  u->type = type;
  u->id = id;
  u->entity = CEDAR_NONE;
  slot_enter(store->uid_slots.at, store->uid_slots.n, cedar_uid_hash(type, id), store->uids.n);
  *uid_out = store->uids.n++;
  return CEDAR_OK;
}

/* The smallest table that leaves a quarter free. */
static uint32_t slots_tight(uint32_t count) {
  uint32_t n = FIRST_SLOTS;

  while (n / 4 * 3 < count)
    n *= 2;
  return n;
}

void cedar_symbols_shrink(struct cedar_store *store) {
  uint32_t syms = slots_tight(store->syms.n), uids = slots_tight(store->uids.n), i;

  if (syms < store->sym_slots.n) {
    store->sym_slots.n = syms;
    memset(store->sym_slots.at, 0, syms * sizeof(*store->sym_slots.at));
    for (i = 0; i < store->syms.n; i++)
      slot_enter(store->sym_slots.at, syms, store->syms.at[i].hash, i);
  }
  if (uids < store->uid_slots.n) {
    store->uid_slots.n = uids;
    memset(store->uid_slots.at, 0, uids * sizeof(*store->uid_slots.at));
    for (i = 0; i < store->uids.n; i++)
      slot_enter(store->uid_slots.at, uids, uid_hash(&store->uids.at[i]), i);
  }
}
