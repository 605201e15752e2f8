/*
 * Words: types, actions and keys of attributes, which nearly every request names. In a large image
 * a table of them lies at the head, beside the filter, so that finding them costs no read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"

/* With fewer texts everything is found in a few pieces anyway. */
#define MANY_SYMBOLS 1024U

/* A page or so; what is left out is found in the tables of everything. */
#define WORDS_MAX 160U
#define WORD_LEN_MAX 40U
#define NAMES_MAX 32U

struct gatherer {
  struct cedar_store *store;
  unsigned char *seen; /* a bit for each symbol */
  uint32_t words[WORDS_MAX];
  uint32_t word_n;
  uint32_t names[NAMES_MAX]; /* uids */
  uint32_t name_n;
};

static void put_word(struct gatherer *g, uint32_t sym) {
  unsigned char *byte = &g->seen[sym / 8], bit = (unsigned char)(1U << sym % 8);

  if (g->word_n == WORDS_MAX || (*byte & bit) != 0 || g->store->syms.at[sym].len > WORD_LEN_MAX)
    return;
  *byte |= bit;
  g->words[g->word_n++] = sym;
}

static void put_name(struct gatherer *g, uint32_t uid) {
  uint32_t i;

  for (i = 0; i < g->name_n; i++)
    if (g->names[i] == uid)
      return;
  if (g->name_n == NAMES_MAX)
    return;
  g->names[g->name_n++] = uid;
  put_word(g, g->store->uids.at[uid].id);
}

static bool is_action_type(const struct gatherer *g, uint32_t type) {
  uint32_t i;

  for (i = 0; i < g->name_n; i++)
    if (g->store->uids.at[g->names[i]].type == type)
      return true;
  return false;
}

/* What policies name as action, and what else is of such a type. */
static void put_actions(struct gatherer *g) {
  const struct cedar_store *s = g->store;
  uint32_t i, j;

  for (i = 0; i < s->policies.n; i++) {
    const struct cedar_scope *scope = &s->policies.at[i].scope[CEDAR_ACTION];

    if (scope->op == CEDAR_SCOPE_LIST)
      for (j = 0; j < scope->count; j++)
        put_name(g, s->kids.at[scope->uid + j]);
    else if (scope->op != CEDAR_SCOPE_ANY && scope->uid != CEDAR_NONE)
      put_name(g, scope->uid);
  }
  for (i = 0; i < s->entities.n; i++)
    if (is_action_type(g, s->uids.at[s->entities.at[i].uid].type))
      put_name(g, s->entities.at[i].uid);
}

static void put_keys(struct gatherer *g) {
  const struct cedar_store *s = g->store;
  uint32_t i, j;

  for (i = 0; i < s->nodes.n; i++) {
    const struct cedar_node *node = &s->nodes.at[i];

    if (node->op == CEDAR_OP_GET)
      put_word(g, node->b);
    for (j = 0; node->op == CEDAR_OP_HAS && j < node->c; j++)
      put_word(g, s->kids.at[node->b + j]);
  }
  for (i = 0; i < s->fields.n; i++)
    put_word(g, s->fields.at[i].key);
}

/* What the host expects comes first. */
static void gather(struct gatherer *g) {
  uint32_t i;

  for (i = 0; i < g->store->words.n; i++)
    put_word(g, g->store->words.at[i].number - 1);
  put_actions(g);
  for (i = 0; i < g->store->uids.n; i++)
    put_word(g, g->store->uids.at[i].type);
  put_keys(g);
}

/* A table's size: a power of two, at most three quarters taken. */
static uint32_t slots_for(uint32_t count) {
  uint32_t n = 16;

  while (n / 4 * 3 < count)
    n *= 2;
  return n;
}

static enum cedar_status words_fill(const struct gatherer *g) {
  struct cedar_store *s = g->store;
  uint32_t n = slots_for(g->word_n), i;
  enum cedar_status status;

  s->words.n = 0;
  status = CEDAR_ROOM(s, words, n, CEDAR_MAX_WORDS);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(s, word_bytes, (uint64_t)g->word_n * WORD_LEN_MAX + 1, CEDAR_MAX_WORDS);
  if (status != CEDAR_OK)
    return status;
  s->words.n = n;
  memset(s->words.at, 0, n * sizeof(*s->words.at));
  for (i = 0; i < g->word_n; i++) {
    const struct cedar_sym *sym = &s->syms.at[g->words[i]];
    uint32_t at = sym->hash & (n - 1);

    while (s->words.at[at].number != 0)
      at = (at + 1) & (n - 1);
    s->words.at[at] =
        (struct cedar_sym_slot){g->words[i] + 1, sym->hash, s->word_bytes.n, sym->len};
    if (sym->len > 0)
      memcpy(s->word_bytes.at + s->word_bytes.n, s->bytes.at + sym->offset, sym->len);
    s->word_bytes.n += sym->len;
  }
  return CEDAR_OK;
}

static enum cedar_status names_fill(const struct gatherer *g) {
  struct cedar_store *s = g->store;
  uint32_t i;
  enum cedar_status status = CEDAR_ROOM(s, names, g->name_n, CEDAR_MAX_WORDS);

  if (status != CEDAR_OK)
    return status;
  for (i = 0; i < g->name_n; i++) {
    const struct cedar_uid *uid = &s->uids.at[g->names[i]];

    s->names.at[s->names.n++] = (struct cedar_uid_slot){g->names[i] + 1, uid->type, uid->id};
  }
  return CEDAR_OK;
}

enum cedar_status cedar_store_expect(struct cedar_store *store, struct cedar_text word) {
  enum cedar_status status = CEDAR_MISUSE;
  uint32_t sym;

  if (!cedar_store_is_open(store, NULL))
    return status;
  status = cedar_sym_put(store, word.ptr, word.len, &sym);
  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, words, 1, CEDAR_MAX_WORDS);
  if (status == CEDAR_OK)
    store->words.at[store->words.n++].number = sym + 1;
  return status;
}

enum cedar_status cedar_words_make(struct cedar_store *store) {
  struct gatherer g = {.store = store};
  enum cedar_status status = CEDAR_NOMEM;
  struct cedar_arena scratch;

  if (store->syms.n < MANY_SYMBOLS) {
    store->words.n = 0;
    return CEDAR_OK;
  }
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  g.seen = cedar_arena_get_array(&scratch, store->syms.n / 8 + 1, 1);
  if (g.seen != NULL) {
    gather(&g);
    status = words_fill(&g);
  }
  if (status == CEDAR_OK && g.name_n > 0)
    status = names_fill(&g);
  cedar_arena_clear(&scratch);
  return status;
}

uint32_t cedar_word_find(const struct cedar_store *store, const char *bytes, size_t len,
                         uint32_t hash) {
  uint32_t n = store->words.n, probes;

  if (store->pager == NULL || store->words.at == NULL || store->word_bytes.at == NULL)
    return CEDAR_NONE;
  for (probes = 0; probes < n; probes++) {
    const struct cedar_sym_slot *slot = &store->words.at[(hash + probes) & (n - 1)];

    if (slot->number == 0 || slot->number > store->syms.n)
      break;
    if (slot->hash == hash && slot->len == len && len <= store->word_bytes.n &&
        slot->offset <= store->word_bytes.n - len &&
        (len == 0 || memcmp(store->word_bytes.at + slot->offset, bytes, len) == 0))
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

uint32_t cedar_name_find(const struct cedar_store *store, uint32_t type, uint32_t id) {
  uint32_t i;

  if (store->pager == NULL || store->names.at == NULL)
    return CEDAR_NONE;
  for (i = 0; i < store->names.n && i < NAMES_MAX; i++) {
    const struct cedar_uid_slot *slot = &store->names.at[i];

    if (slot->type == type && slot->id == id)
      return slot->number == 0 || slot->number > store->uids.n ? CEDAR_NONE : slot->number - 1;
  }
  return CEDAR_NONE;
}
