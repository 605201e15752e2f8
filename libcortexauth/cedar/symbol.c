/*
 * Interning: a text or an entity name becomes a number, equal ones the same number.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store.h"

#include <string.h>

#define FIRST_SLOTS 128U

/* Bytes of a unit of the texts. */
#define UNIT ((uint32_t)sizeof(uint64_t))

_Static_assert(sizeof(struct cedar_sym) == UNIT, "a text begins behind it");

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

/* How many units a text takes. */
static uint32_t text_units(uint32_t len) {
  return 2 + len / UNIT;
}

/* Of a store that is being built. */
static struct cedar_sym *sym_at(const struct cedar_store *store, uint32_t sym) {
  return (struct cedar_sym *)(void *)(store->texts.at + sym);
}

struct cedar_text cedar_sym_text(const struct cedar_store *store, uint32_t sym) {
  struct cedar_text text = {NULL, 0};
  const struct cedar_sym *s =
      (const struct cedar_sym *)(const void *)cedar_texts_get(store, sym, 1);
  uint32_t len = s == NULL ? 0 : s->len;
  const uint64_t *whole = s == NULL ? NULL : cedar_texts_get(store, sym, text_units(len));
  /* Its bytes may have been read later than its length, which is the one that was asked for. */
  const char *bytes = whole == NULL ? NULL : (const char *)(whole + 1);

  if (bytes == NULL || bytes[len] != '\0') {
    if (store->pager != NULL && sym != CEDAR_NONE)
      cedar_pager_fail(store->pager);
    return text;
  }
  text.ptr = bytes;
  text.len = len;
  return text;
}

static bool sym_is(const struct cedar_store *store, uint32_t sym, const char *bytes, size_t len) {
  struct cedar_text text = cedar_sym_text(store, sym);

  return text.ptr != NULL && text.len == len && (len == 0 || memcmp(text.ptr, bytes, len) == 0);
}

/* Both tables: linear probing in a power of two of slots, at most three quarters of them taken. */
uint32_t cedar_sym_find_hashed(const struct cedar_store *store, const char *bytes, size_t len,
                               uint32_t hash) {
  uint32_t n = store->sym_slots.n, word = cedar_word_find(store, bytes, len, hash), probes;

  if (word != CEDAR_NONE)
    return word;
  for (probes = 0; probes < n; probes++) {
    const struct cedar_slot *slot = cedar_sym_slots_get(store, (hash + probes) & (n - 1), 1);

    if (slot == NULL || slot->number == 0 || slot->number > store->texts.n)
      break;
    if (slot->hash == hash && sym_is(store, slot->number - 1, bytes, len))
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

static void slot_enter(struct cedar_slot *slots, uint32_t n, uint32_t number, uint32_t hash) {
  uint32_t i = hash & (n - 1);

  while (slots[i].number != 0)
    i = (i + 1) & (n - 1);
  slots[i] = (struct cedar_slot){number + 1, hash};
}

/* An empty table of n slots, which it has room for, and everything entered again. */
static void sym_slots_fill(struct cedar_store *store, uint32_t n) {
  uint32_t sym;

  store->sym_slots.n = n;
  memset(store->sym_slots.at, 0, n * sizeof(*store->sym_slots.at));
  for (sym = 0; sym < store->texts.n; sym += text_units(sym_at(store, sym)->len))
    slot_enter(store->sym_slots.at, n, sym, sym_at(store, sym)->hash);
}

static enum cedar_status sym_slots_room(struct cedar_store *store) {
  uint32_t n = slots_more(store->sym_slots.n);
  enum cedar_status status;

  if (store->sym_count < store->sym_slots.n / 2)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, sym_slots, n - store->sym_slots.n, CEDAR_MAX_ITEMS);
  if (status == CEDAR_OK)
    sym_slots_fill(store, n);
  return status;
}

enum cedar_status cedar_sym_put(struct cedar_store *store, const char *bytes, size_t len,
                                uint32_t *sym_out) {
  uint32_t hash = cedar_text_hash(bytes, len), units;
  struct cedar_sym *s;
  enum cedar_status status;

  *sym_out = cedar_sym_find_hashed(store, bytes, len, hash);
  if (*sym_out != CEDAR_NONE)
    return CEDAR_OK;
  if (len > CEDAR_MAX_TEXT)
    return CEDAR_LIMIT;
  units = text_units((uint32_t)len);
  status = sym_slots_room(store);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, texts, units, CEDAR_MAX_TEXT / UNIT);
  if (status != CEDAR_OK)
    return status;
  *sym_out = store->texts.n;
  store->texts.at[store->texts.n + units - 1] = 0; /* a C string as well, if it holds no NUL */
  s = sym_at(store, *sym_out);
  s->len = (uint32_t)len;
  s->hash = hash;
  if (len > 0)
    memcpy(s + 1, bytes, len);
  store->texts.n += units;
  store->sym_count++;
  slot_enter(store->sym_slots.at, store->sym_slots.n, *sym_out, hash);
  return CEDAR_OK;
}

/* The hash by which an entity's name is found. */
static uint32_t name_hash(uint32_t type, uint32_t id_hash) {
  return cedar_uid_hash(type, id_hash);
}

uint32_t cedar_uid_find_hashed(const struct cedar_store *store, uint32_t type, struct cedar_text id,
                               uint32_t hash) {
  const struct cedar_name *name = cedar_name_find(store, type, id);
  uint32_t n = store->uid_slots.n, probes;

  if (name != NULL)
    return name->number;
  /* A type that the store does not have names nothing in it. */
  if (type >= store->texts.n || !cedar_type_may_have(store, type))
    return CEDAR_NONE;
  hash = name_hash(type, hash);
  for (probes = 0; probes < n; probes++) {
    const struct cedar_slot *slot = cedar_uid_slots_get(store, (hash + probes) & (n - 1), 1);
    const struct cedar_uid *uid;

    if (slot == NULL || slot->number == 0)
      break;
    if (slot->hash != hash)
      continue;
    uid = cedar_uids_get(store, slot->number - 1, 1);
    if (uid == NULL)
      break;
    if (uid->type == type && cedar_uid_has_id(store, uid, id))
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

uint32_t cedar_uid_find(const struct cedar_store *store, struct cedar_uid_text uid) {
  return cedar_uid_find_hashed(store, cedar_sym_find(store, uid.type.ptr, uid.type.len), uid.id,
                               cedar_text_hash(uid.id.ptr, uid.id.len));
}

static void uid_enter(struct cedar_store *store, uint32_t uid) {
  const struct cedar_uid *u = &store->uids.at[uid];

  slot_enter(store->uid_slots.at, store->uid_slots.n, uid,
             name_hash(u->type, sym_at(store, u->id)->hash));
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
  struct cedar_text text = cedar_sym_text(store, id);
  enum cedar_status status;
  struct cedar_uid *u;

  *uid_out = cedar_uid_find_hashed(store, type, text, sym_at(store, id)->hash);
  if (*uid_out != CEDAR_NONE)
    return CEDAR_OK;
  status = uid_slots_room(store);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, uids, 1, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  u = &store->uids.at[store->uids.n];
  memset(u, 0, sizeof(*u));
  u->type = type;
  u->id = id;
  u->entity = CEDAR_NONE;
  u->len = (uint32_t)text.len;
  if (text.len > 0 && text.len <= CEDAR_NEAR_TEXT)
    memcpy(u->text, text.ptr, text.len);
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
  uint32_t syms = slots_tight(store->sym_count), uids = slots_tight(store->uids.n);

  if (syms < store->sym_slots.n)
    sym_slots_fill(store, syms);
  if (uids < store->uid_slots.n)
    uid_slots_fill(store, uids);
}
