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

  if (bytes == NULL || bytes[s->len] != '\0') {
    if (store->pager != NULL && sym != CEDAR_NONE)
      cedar_pager_fail(store->pager);
    return text;
  }
  text.ptr = bytes;
  text.len = s->len;
  return text;
}

static bool text_is(const struct cedar_store *store, const struct cedar_sym_slot *slot,
                    const char *bytes, size_t len) {
  const char *at;

  if (slot->len != len || len == 0)
    return slot->len == len;
  at = cedar_bytes_get(store, slot->offset, slot->len);
  return at != NULL && memcmp(at, bytes, len) == 0;
}

/* Both tables: linear probing in a power of two of slots, at most three quarters of them taken. */
uint32_t cedar_sym_find_hashed(const struct cedar_store *store, const char *bytes, size_t len,
                               uint32_t hash) {
  uint32_t n = store->sym_slots.n, word = cedar_word_find(store, bytes, len, hash), probes;

  if (word != CEDAR_NONE)
    return word;
  for (probes = 0; probes < n; probes++) {
    const struct cedar_sym_slot *slot = cedar_sym_slots_get(store, (hash + probes) & (n - 1), 1);

    if (slot == NULL || slot->number == 0 || slot->number > store->syms.n)
      break;
    if (slot->hash == hash && text_is(store, slot, bytes, len))
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

uint32_t cedar_sym_find(const struct cedar_store *store, const char *bytes, size_t len) {
  return cedar_sym_find_hashed(store, bytes, len, cedar_text_hash(bytes, len));
}

/* How many slots a table must have next. */
static uint32_t slots_more(uint32_t n) {
  return n == 0 ? FIRST_SLOTS : n * 2;
}

static void sym_enter(struct cedar_store *store, uint32_t sym) {
  const struct cedar_sym *s = &store->syms.at[sym];
  uint32_t mask = store->sym_slots.n - 1, i = s->hash & mask;

  while (store->sym_slots.at[i].number != 0)
    i = (i + 1) & mask;
  store->sym_slots.at[i] = (struct cedar_sym_slot){sym + 1, s->hash, s->offset, s->len};
}

/* An empty table of n slots, which it has room for, and everything entered again. */
static void sym_slots_fill(struct cedar_store *store, uint32_t n) {
  uint32_t i;

  store->sym_slots.n = n;
  memset(store->sym_slots.at, 0, n * sizeof(*store->sym_slots.at));
  for (i = 0; i < store->syms.n; i++)
    sym_enter(store, i);
}

static enum cedar_status sym_slots_room(struct cedar_store *store) {
  uint32_t n = slots_more(store->sym_slots.n);
  enum cedar_status status;

  if (store->syms.n < store->sym_slots.n / 2)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, sym_slots, n - store->sym_slots.n, CEDAR_MAX_ITEMS);
  if (status == CEDAR_OK)
    sym_slots_fill(store, n);
  return status;
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
  *sym_out = store->syms.n++;
  sym_enter(store, *sym_out);
  return CEDAR_OK;
}

uint32_t cedar_uid_find(const struct cedar_store *store, uint32_t type, uint32_t id) {
  uint32_t n = store->uid_slots.n, hash = cedar_uid_hash(type, id), name, probes;

  /* Texts that the store does not have name nothing in it. */
  if (type >= store->syms.n || id >= store->syms.n)
    return CEDAR_NONE;
  name = cedar_name_find(store, type, id);
  if (name != CEDAR_NONE)
    return name;
  for (probes = 0; probes < n; probes++) {
    const struct cedar_uid_slot *slot = cedar_uid_slots_get(store, (hash + probes) & (n - 1), 1);

    if (slot == NULL || slot->number == 0 || slot->number > store->uids.n)
      break;
    if (slot->type == type && slot->id == id)
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

static void uid_enter(struct cedar_store *store, uint32_t uid) {
  const struct cedar_uid *u = &store->uids.at[uid];
  uint32_t mask = store->uid_slots.n - 1, i = cedar_uid_hash(u->type, u->id) & mask;

  while (store->uid_slots.at[i].number != 0)
    i = (i + 1) & mask;
  store->uid_slots.at[i] = (struct cedar_uid_slot){uid + 1, u->type, u->id};
}

static void uid_slots_fill(struct cedar_store *store, uint32_t n) {
  uint32_t i;

  store->uid_slots.n = n;
  memset(store->uid_slots.at, 0, n * sizeof(*store->uid_slots.at));
  for (i = 0; i < store->uids.n; i++)
    uid_enter(store, i);
}

static enum cedar_status uid_slots_room(struct cedar_store *store) {
  uint32_t n = slots_more(store->uid_slots.n);
  enum cedar_status status;

  if (store->uids.n < store->uid_slots.n / 2)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, uid_slots, n - store->uid_slots.n, CEDAR_MAX_ITEMS);
  if (status == CEDAR_OK)
    uid_slots_fill(store, n);
  return status;
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
  *uid_out = store->uids.n++;
  uid_enter(store, *uid_out);
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
  uint32_t syms = slots_tight(store->syms.n), uids = slots_tight(store->uids.n);

  if (syms < store->sym_slots.n)
    sym_slots_fill(store, syms);
  if (uids < store->uid_slots.n)
    uid_slots_fill(store, uids);
}
