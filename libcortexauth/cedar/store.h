/*
 * The store: every compiled thing in flat arrays that refer to each other by index.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_STORE_H
#define CEDAR_STORE_H

#include "arena.h"
#include "ast.h"
#include "error.h"
#include "limits.h"
#include "pager.h"

/*
 * An interned text: its bytes and a NUL follow. A symbol is its place among the texts, in units of
 * eight bytes. Equal texts have equal symbols, so texts are compared by number.
 */
struct cedar_sym {
  uint32_t len;
  uint32_t hash;
};

/* A place in a hash table. */
struct cedar_slot {
  uint32_t number; /* + 1; 0: free */
  uint32_t hash;
};

/* A word, which a request finds without reading: its bytes are in word_bytes. */
struct cedar_word {
  uint32_t number; /* symbol + 1; 0: free */
  uint32_t hash;
  uint32_t offset;
  uint32_t len;
};

/* So many ancestors, and so long an id, stand beside the name's number, which is read anyway. */
#define CEDAR_NEAR 4U
#define CEDAR_NEAR_TEXT 40U

/* An interned entity name, and what is known of the entity. */
struct cedar_uid {
  uint32_t type; /* symbols */
  uint32_t id;
  uint32_t entity; /* its number, or CEDAR_NONE when it is not in the store */
  uint32_t attrs;  /* first of fields, sorted by key */
  uint32_t attr_count;
  uint32_t tags;
  uint32_t tag_count;
  uint32_t parents; /* first of reach; uids, sorted */
  uint32_t parent_count;
  uint32_t ancestors; /* first of reach unless they are near; uids, sorted, without itself */
  uint32_t ancestor_count;
  uint32_t near[CEDAR_NEAR];
  uint32_t len; /* of the id's text */
  char text[CEDAR_NEAR_TEXT];
};

/* The name of an action: it stands in the head of a large image with all that is known of it. */
struct cedar_name {
  uint32_t number;
  struct cedar_uid uid;
};

/* Where an entity comes from; in the order of their numbers. */
struct cedar_entity {
  uint32_t uid;
  uint32_t source; /* symbol */
  uint32_t line;
  uint32_t column;
};

/*
 * A bucket of the scope index: the policies whose head asks for id that way. `others` is the one
 * for policies that ask for nothing an index could find.
 */
struct cedar_bucket {
  uint32_t key;   /* see index.c; CEDAR_NONE: free */
  uint32_t id;    /* uid or type symbol; of `others`: a bit for each kind of key there is */
  uint32_t first; /* of its posts in the code; the bodies follow */
  uint32_t count;
  uint32_t units; /* of posts and bodies together */
};

/* One policy in a bucket, with all that a decision needs of it. */
struct cedar_post {
  uint32_t policy;
  uint32_t conds; /* as in the policy; of a single condition the node itself */
  uint32_t cond_count;
  uint32_t effect;
  struct cedar_ask ask[3]; /* indexed by enum cedar_var */
};

/*
 * Code is what policies are made of: posts, nodes, and lists of numbers, in units of four bytes, so
 * that what is evaluated together lies together. A place in it is the number of its first unit.
 */
#define CEDAR_POST_UNITS ((uint32_t)(sizeof(struct cedar_post) / sizeof(uint32_t)))
#define CEDAR_NODE_UNITS ((uint32_t)(sizeof(struct cedar_node) / sizeof(uint32_t)))

/* Every flat array: name, item type, ceiling. The image is these arrays in this order. */
#define CEDAR_ARRAYS(X)                                                                            \
  X(filter, uint64_t, CEDAR_MAX_FILTER)                                                            \
  X(words, struct cedar_word, CEDAR_MAX_WORDS)                                                     \
  X(word_bytes, char, CEDAR_MAX_WORDS)                                                             \
  X(names, struct cedar_name, CEDAR_MAX_WORDS)                                                     \
  X(types, uint32_t, CEDAR_MAX_WORDS)                                                              \
  X(others, struct cedar_bucket, 1)                                                                \
  X(texts, uint64_t, CEDAR_MAX_TEXT / 8)                                                           \
  X(sym_slots, struct cedar_slot, CEDAR_MAX_ITEMS)                                                 \
  X(uids, struct cedar_uid, CEDAR_MAX_ITEMS)                                                       \
  X(uid_slots, struct cedar_slot, CEDAR_MAX_ITEMS)                                                 \
  X(cells, struct cedar_value, CEDAR_MAX_ITEMS)                                                    \
  X(fields, struct cedar_field, CEDAR_MAX_ITEMS)                                                   \
  X(code, uint32_t, CEDAR_MAX_CODE)                                                                \
  X(notes, struct cedar_note, CEDAR_MAX_ITEMS)                                                     \
  X(policies, struct cedar_policy, CEDAR_MAX_POLICIES)                                             \
  X(policy_slots, uint32_t, CEDAR_MAX_ITEMS)                                                       \
  X(entities, struct cedar_entity, CEDAR_MAX_ITEMS)                                                \
  X(reach, uint32_t, CEDAR_MAX_REACH)                                                              \
  X(buckets, struct cedar_bucket, CEDAR_MAX_ITEMS)

#define CEDAR_ARRAY_MEMBER(name, type, max)                                                        \
  struct {                                                                                         \
    type *at;                                                                                      \
    uint32_t n;                                                                                    \
    uint32_t cap;                                                                                  \
    uint64_t where; /* in the image */                                                             \
  } name;

struct cedar_store {
  CEDAR_ARRAYS(CEDAR_ARRAY_MEMBER)
  struct cedar_allocator alloc;
  struct cedar_pager *pager; /* NULL: the arrays are in memory */
  struct cedar_pager *whole; /* arrays that were read after all lie in its pieces */
  const char *image;         /* the whole image where it is in memory */
  uint64_t stamp_where;
  uint64_t stamp_len;
  uint32_t sym_count; /* while it is being built */
  bool sealed;
  bool mapped;             /* the arrays belong to an image */
  bool broken;             /* an add failed halfway */
  uint32_t position_count; /* policies numbered so far by CEDAR_ID_POSITION */
};

/*
 * Items of an array for reading: cedar_code_get(store, first, count) and so on. NULL when they
 * are not all there: the image is damaged, or cannot be read, which cedar_store_failed() keeps.
 */
#define CEDAR_ARRAY_GET(name, type, max)                                                           \
  static inline const type *cedar_##name##_get(const struct cedar_store *store, uint32_t first,    \
                                               uint32_t count) {                                   \
    if (first > store->name.n || count > store->name.n - first || count == 0)                      \
      return NULL;                                                                                 \
    if (store->pager == NULL)                                                                      \
      return store->name.at + first;                                                               \
    return cedar_pager_get(store->pager, store->name.where + (uint64_t)first * sizeof(type),       \
                           (size_t)count * sizeof(type));                                          \
  }

CEDAR_ARRAYS(CEDAR_ARRAY_GET)

/* A node at a place of the code; NULL as above. */
static inline const struct cedar_node *cedar_node_get(const struct cedar_store *store,
                                                      uint32_t place) {
  return (const struct cedar_node *)(const void *)cedar_code_get(store, place, CEDAR_NODE_UNITS);
}

/* The same where all is in memory, and the place is known to have one. */
static inline struct cedar_node *cedar_node_at(const struct cedar_store *store, uint32_t place) {
  return (struct cedar_node *)(void *)(store->code.at + place);
}

/* Reads so many units of an image's code at once, as far as there are so many. */
void cedar_code_ahead(const struct cedar_store *store, uint32_t first, uint32_t units);

/* Makes room for `more` further items of an array; a status. */
#define CEDAR_ROOM(store, name, more, max)                                                         \
  ((uint64_t)(store)->name.n + (more) <= (store)->name.cap                                         \
       ? CEDAR_OK                                                                                  \
       : cedar_array_grow(&(store)->alloc, (void **)(void *)&(store)->name.at, &(store)->name.cap, \
                          sizeof(*(store)->name.at), (uint64_t)(store)->name.n + (more), (max)))

/* ---- node.c ---- */

/* The position-th operand of a node that is a node itself; false past the last. In memory only. */
bool cedar_node_kid(const struct cedar_store *store, const struct cedar_node *node,
                    uint32_t position, uint32_t *kid_out);

/* ---- symbol.c: interning ---- */

uint32_t cedar_text_hash(const char *bytes, size_t len);
uint32_t cedar_uid_hash(uint32_t type, uint32_t id);

/* The symbol of bytes, new when needed. Building only. */
CEDAR_MUST_CHECK enum cedar_status cedar_sym_put(struct cedar_store *store, const char *bytes,
                                                 size_t len, uint32_t *sym_out);

/* The symbol of bytes, CEDAR_NONE when the store has none. */
uint32_t cedar_sym_find(const struct cedar_store *store, const char *bytes, size_t len);
uint32_t cedar_sym_find_hashed(const struct cedar_store *store, const char *bytes, size_t len,
                               uint32_t hash);

/* The bytes of a symbol; empty text with ptr NULL when the number is bad (a damaged image). */
struct cedar_text cedar_sym_text(const struct cedar_store *store, uint32_t sym);

CEDAR_MUST_CHECK enum cedar_status cedar_uid_put(struct cedar_store *store, uint32_t type,
                                                 uint32_t id, uint32_t *uid_out);

/*
 * The number of an entity's name, CEDAR_NONE when the store has none; the first where the symbol
 * of the type and the hash of the id are known.
 */
uint32_t cedar_uid_find_hashed(const struct cedar_store *store, uint32_t type, struct cedar_text id,
                               uint32_t hash);
uint32_t cedar_uid_find(const struct cedar_store *store, struct cedar_uid_text uid);

/* Makes the hash tables as small as what they hold; nothing may be added afterwards. */
void cedar_symbols_shrink(struct cedar_store *store);

/* ---- filter.c: what the scope index surely does not have ---- */

/* Makes the filter of a store with many policies; for others there is none. */
CEDAR_MUST_CHECK enum cedar_status cedar_filter_make(struct cedar_store *store);

/*
 * False when the scope index has no bucket of that hash, found out without reading. True, which
 * says nothing, where reading costs nothing.
 */
bool cedar_filter_may_have(const struct cedar_store *store, uint32_t hash);

/* ---- word.c: what nearly every request names, at the head of a large image ---- */

/* Makes the tables of a store with many texts; for others there are none. */
CEDAR_MUST_CHECK enum cedar_status cedar_words_make(struct cedar_store *store);

/*
 * A symbol among the words; CEDAR_NONE, which says nothing, when it is none of them, and where
 * looking into the large tables costs nothing.
 */
uint32_t cedar_word_find(const struct cedar_store *store, const char *bytes, size_t len,
                         uint32_t hash);

/* An entity's name among those of the head, by what it is and by its number; NULL says nothing. */
const struct cedar_name *cedar_name_find(const struct cedar_store *store, uint32_t type,
                                         struct cedar_text id);
const struct cedar_name *cedar_name_get(const struct cedar_store *store, uint32_t number);

/* False when the store surely has no name of an entity of that type, found out without reading. */
bool cedar_type_may_have(const struct cedar_store *store, uint32_t type);

/* The hash by which the scope index is looked up. */
uint32_t cedar_bucket_hash(uint32_t key, uint32_t id);

/* ---- store.c ---- */

/* An entity's name; NULL when the number is bad, or it cannot be read. */
const struct cedar_uid *cedar_uid_get(const struct cedar_store *store, uint32_t uid);

/* Whether that is the text of its id. */
bool cedar_uid_has_id(const struct cedar_store *store, const struct cedar_uid *uid,
                      struct cedar_text id);

/* A name whose entity is in the store; NULL when it is not, or cannot be read. */
const struct cedar_uid *cedar_uid_entity(const struct cedar_store *store, uint32_t uid);

/* Whether the store still takes input; says why when it does not. */
bool cedar_store_is_open(const struct cedar_store *store, struct cedar_error *error);

/* Text of an entity name; empty texts when the number is bad. */
struct cedar_uid_text cedar_uid_text_get(const struct cedar_store *store, uint32_t uid);

/* ---- policyset.c ---- */

/* Appends a policy, checks and indexes its id; the id symbol must be set. */
CEDAR_MUST_CHECK enum cedar_status cedar_policy_put(struct cedar_store *store,
                                                    const struct cedar_policy *policy,
                                                    struct cedar_error *error);

/* Settles a policy's id in an id mode; position is its number inside its source. */
CEDAR_MUST_CHECK enum cedar_status cedar_policy_name(struct cedar_store *store,
                                                     struct cedar_policy *policy,
                                                     enum cedar_id_mode mode, uint32_t position);

/* An annotation of a policy by key, NULL when absent. */
const struct cedar_note *cedar_policy_note(const struct cedar_store *store,
                                           const struct cedar_policy *policy, const char *key);

#endif
