/*
 * Values: 16 bytes each, sets and records kept sorted so that equal values look equal.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include <cortexauth/cedar.h>

/*
 * What the members of struct cedar_value mean:
 *   BOOL      u.i 0 or 1
 *   LONG      u.i
 *   STRING    u.id = symbol
 *   ENTITY    u.id = uid
 *   SET       n elements, sorted by cedar_value_compare(), no duplicates
 *   RECORD    n fields, sorted by key symbol
 *   DECIMAL   u.i = value * 10000
 *   DATETIME  u.i = ms since 1970
 *   DURATION  u.i = ms
 *   IPADDR    aux 4 or 6, n = prefix length; v4: u.i; v6: 16 raw bytes in one cell at u.set
 * With CEDAR_STORED, u.id is an index into the store's cells (fields for a record) in place of
 * the pointer.
 */
#define CEDAR_STORED 1U

#define CEDAR_NONE UINT32_MAX /* no symbol, uid, node, policy, entity */

/* A record's field. */
struct cedar_field {
  uint32_t key; /* symbol */
  uint32_t pad; /* zero */
  struct cedar_value value;
};

struct cedar_ext_value;

static inline struct cedar_value cedar_value_make(enum cedar_kind kind, int64_t i) {
  struct cedar_value value = {(uint8_t)kind, 0, 0, 0, {i}};

  return value;
}

static inline struct cedar_value cedar_value_symbol(enum cedar_kind kind, uint32_t id) {
  struct cedar_value value = {(uint8_t)kind, 0, 0, 0, {0}};

  value.u.id = id;
  return value;
}

/* Where a set's elements or a record's fields are; NULL when n is 0 or the image is damaged. */
const struct cedar_value *cedar_value_elements(const struct cedar_store *store,
                                               struct cedar_value value);
const struct cedar_field *cedar_value_fields(const struct cedar_store *store,
                                             struct cedar_value value);

/*
 * An element or field out of its container. What is inside a stored value is stored too: a
 * damaged image must not be able to smuggle in a pointer.
 */
static inline struct cedar_value cedar_value_child(struct cedar_value parent,
                                                   struct cedar_value child) {
  child.flags |= parent.flags & CEDAR_STORED;
  return child;
}

/* A value out of one of the store's arrays. */
static inline struct cedar_value cedar_value_stored(struct cedar_value value) {
  value.flags |= CEDAR_STORED;
  return value;
}

/*
 * A total order in which equal values, and only they, give 0. Nesting past twice CEDAR_MAX_DEPTH,
 * which only a damaged image has, compares as unequal.
 */
int cedar_value_compare(const struct cedar_store *store, struct cedar_value a,
                        struct cedar_value b);

/* Sorts in place and drops duplicates; gives what is left. */
uint32_t cedar_set_normalize(const struct cedar_store *store, struct cedar_value *values,
                             uint32_t count);

/* Whether a sorted set has an element. */
bool cedar_set_has(const struct cedar_store *store, struct cedar_value set,
                   struct cedar_value element);

/* Sorts fields by key; false when a key is there twice. */
bool cedar_fields_sort(struct cedar_field *fields, uint32_t count);

/* The value of a key among sorted fields, NULL when absent. */
const struct cedar_value *cedar_fields_find(const struct cedar_field *fields, uint32_t count,
                                            uint32_t key);

/* Takes an extension value (or BOOL, LONG) out of its stored form; false: damaged image. */
bool cedar_ext_load(const struct cedar_store *store, struct cedar_value value,
                    struct cedar_ext_value *out);

/*
 * The reverse. A version 6 address needs 16 bytes that live as long as the value: cell, which
 * the caller provides for every IPADDR.
 */
struct cedar_value cedar_ext_save(const struct cedar_ext_value *value, struct cedar_value *cell);

#endif
