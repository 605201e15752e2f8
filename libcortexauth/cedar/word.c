/*
 * Words: types, actions and keys of attributes, which nearly every request names. In a large image
 * a table of them lies at the head, beside the filter, so that finding them costs no read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"

/* With fewer texts everything is found in a few pieces anyway. */
#define MANY_SYMBOLS 256U

/* A page or so; what is left out is found in the tables of everything. */
#define WORDS_MAX 160U
#define WORD_LEN_MAX 40U
#define NAMES_MAX 32U
#define TYPES_MAX 64U

struct gatherer {
  struct cedar_store *store;
  unsigned char *seen; /* a bit for each unit of the texts */
  uint32_t words[WORDS_MAX];
  uint32_t word_n;
  uint32_t names[NAMES_MAX]; /* uids */
  uint32_t name_n;
  uint32_t types[TYPES_MAX]; /* of all names; full: there may be more */
  uint32_t type_n;
};

static void put_word(struct gatherer *g, uint32_t sym) {
  unsigned char *byte = &g->seen[sym / 8], bit = (unsigned char)(1U << sym % 8);

  if (g->word_n == WORDS_MAX || (*byte & bit) != 0 ||
      cedar_sym_text(g->store, sym).len > WORD_LEN_MAX)
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

static void put_type(struct gatherer *g, uint32_t type) {
  uint32_t i;

  for (i = 0; i < g->type_n; i++)
    if (g->types[i] == type)
      return;
  if (g->type_n < TYPES_MAX)
    g->types[g->type_n++] = type;
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
        put_name(g, s->code.at[scope->uid + j]);
    else if (scope->op != CEDAR_SCOPE_ANY && scope->uid != CEDAR_NONE)
      put_name(g, scope->uid);
  }
  for (i = 0; i < s->entities.n; i++)
    if (is_action_type(g, s->uids.at[s->entities.at[i].uid].type))
      put_name(g, s->entities.at[i].uid);
}

/* The keys that an expression names; its height bounds the recursion. */
static void put_node(struct gatherer *g, uint32_t place) {
  const struct cedar_node *node = cedar_node_at(g->store, place);
  uint32_t i, kid;

  if (node->op == CEDAR_OP_GET)
    put_word(g, node->b);
  for (i = 0; node->op == CEDAR_OP_HAS && i < node->c; i++)
    put_word(g, g->store->code.at[node->b + i]);
  for (i = 0; cedar_node_kid(g->store, node, i, &kid); i++)
    put_node(g, kid);
}

static void put_keys(struct gatherer *g) {
  const struct cedar_store *s = g->store;
  uint32_t i, j;

  for (i = 0; i < s->policies.n && g->word_n < WORDS_MAX; i++)
    for (j = 0; j < s->policies.at[i].cond_count; j++)
      put_node(g, s->code.at[s->policies.at[i].conds + j]);
  for (i = 0; i < s->fields.n; i++)
    put_word(g, s->fields.at[i].key);
}

/* What the host expects comes first. */
static void gather(struct gatherer *g) {
  uint32_t i;

  for (i = 0; i < g->store->words.n; i++)
    put_word(g, g->store->words.at[i].number - 1);
  put_actions(g);
  for (i = 0; i < g->store->uids.n; i++) {
    put_word(g, g->store->uids.at[i].type);
    put_type(g, g->store->uids.at[i].type);
  }
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
    struct cedar_text text = cedar_sym_text(s, g->words[i]);
    uint32_t hash = cedar_text_hash(text.ptr, text.len), at = hash & (n - 1);

    while (s->words.at[at].number != 0)
      at = (at + 1) & (n - 1);
    s->words.at[at] =
        (struct cedar_word){g->words[i] + 1, hash, s->word_bytes.n, (uint32_t)text.len};
    if (text.len > 0)
      memcpy(s->word_bytes.at + s->word_bytes.n, text.ptr, text.len);
    s->word_bytes.n += (uint32_t)text.len;
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

    if (uid->len <= CEDAR_NEAR_TEXT)
      s->names.at[s->names.n++] = (struct cedar_name){g->names[i], *uid};
  }
  return CEDAR_OK;
}

/* A list that is full says nothing, so there is none. */
static enum cedar_status types_fill(const struct gatherer *g) {
  struct cedar_store *s = g->store;
  enum cedar_status status;

  if (g->type_n == 0 || g->type_n == TYPES_MAX)
    return CEDAR_OK;
  status = CEDAR_ROOM(s, types, g->type_n, CEDAR_MAX_WORDS);
  if (status != CEDAR_OK)
    return status;
  memcpy(s->types.at, g->types, g->type_n * sizeof(*g->types));
  s->types.n = g->type_n;
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

  if (store->sym_count < MANY_SYMBOLS) {
    store->words.n = 0;
    return CEDAR_OK;
  }
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  g.seen = cedar_arena_get_array(&scratch, store->texts.n / 8 + 1, 1);
  if (g.seen != NULL) {
    gather(&g);
    status = words_fill(&g);
  }
  if (status == CEDAR_OK && g.name_n > 0)
    status = names_fill(&g);
  if (status == CEDAR_OK)
    status = types_fill(&g);
  cedar_arena_clear(&scratch);
  return status;
}

uint32_t cedar_word_find(const struct cedar_store *store, const char *bytes, size_t len,
                         uint32_t hash) {
  uint32_t n = store->words.n, probes;

  if (store->pager == NULL || store->words.at == NULL || store->word_bytes.at == NULL)
    return CEDAR_NONE;
  for (probes = 0; probes < n; probes++) {
    const struct cedar_word *slot = &store->words.at[(hash + probes) & (n - 1)];

    if (slot->number == 0 || slot->number > store->texts.n)
      break;
    if (slot->hash == hash && slot->len == len && len <= store->word_bytes.n &&
        slot->offset <= store->word_bytes.n - len &&
        (len == 0 || memcmp(store->word_bytes.at + slot->offset, bytes, len) == 0))
      return slot->number - 1;
  }
  return CEDAR_NONE;
}

const struct cedar_name *cedar_name_find(const struct cedar_store *store, uint32_t type,
                                         struct cedar_text id) {
  uint32_t i;

  if (store->pager == NULL || store->names.at == NULL)
    return NULL;
  for (i = 0; i < store->names.n && i < NAMES_MAX; i++)
    if (store->names.at[i].uid.type == type && store->names.at[i].number < store->uids.n &&
        cedar_uid_has_id(store, &store->names.at[i].uid, id))
      return &store->names.at[i];
  return NULL;
}

const struct cedar_name *cedar_name_get(const struct cedar_store *store, uint32_t number) {
  uint32_t i;

  for (i = 0; store->names.at != NULL && i < store->names.n && i < NAMES_MAX; i++)
    if (store->names.at[i].number == number)
      return &store->names.at[i];
  return NULL;
}

bool cedar_type_may_have(const struct cedar_store *store, uint32_t type) {
  uint32_t i;

  if (store->pager == NULL || store->types.at == NULL)
    return true;
  for (i = 0; i < store->types.n; i++)
    if (store->types.at[i] == type)
      return true;
  return false;
}
