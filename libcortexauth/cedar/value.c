/*
 * Values: order, equality, sets and records.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "value.h"

#include <string.h>

#include "ext.h"
#include "store.h"

const struct cedar_value *cedar_value_elements(const struct cedar_store *store,
                                               struct cedar_value value) {
  if (value.kind != CEDAR_KIND_SET || value.n == 0)
    return NULL;
  if ((value.flags & CEDAR_STORED) == 0)
    return value.u.set;
  return cedar_cells_get(store, value.u.id, value.n);
}

const struct cedar_field *cedar_value_fields(const struct cedar_store *store,
                                             struct cedar_value value) {
  if (value.kind != CEDAR_KIND_RECORD || value.n == 0)
    return NULL;
  if ((value.flags & CEDAR_STORED) == 0)
    return value.u.record;
  return cedar_fields_get(store, value.u.id, value.n);
}

static int order_u64(uint64_t a, uint64_t b) {
  return (a > b) - (a < b);
}

static int ip_compare(const struct cedar_store *store, struct cedar_value a, struct cedar_value b) {
  struct cedar_ext_value left, right;
  int order = order_u64(a.aux, b.aux);

  if (order == 0)
    order = order_u64(a.n, b.n);
  if (order != 0)
    return order;
  if (!cedar_ext_load(store, a, &left) || !cedar_ext_load(store, b, &right))
    return -1;
  return memcmp(left.bytes, right.bytes, sizeof(left.bytes));
}

static int value_compare(const struct cedar_store *store, struct cedar_value a,
                         struct cedar_value b, unsigned int depth);

static int set_compare(const struct cedar_store *store, struct cedar_value a, struct cedar_value b,
                       unsigned int depth) {
  const struct cedar_value *left = cedar_value_elements(store, a);
  const struct cedar_value *right = cedar_value_elements(store, b);
  int order = order_u64(a.n, b.n);
  uint32_t i;

  if (left == right || order != 0)
    return order;
  if (left == NULL || right == NULL)
    return -1;
  for (i = 0; order == 0 && i < a.n; i++)
    order = value_compare(store, cedar_value_child(a, left[i]), cedar_value_child(b, right[i]),
                          depth + 1);
  return order;
}

static int record_compare(const struct cedar_store *store, struct cedar_value a,
                          struct cedar_value b, unsigned int depth) {
  const struct cedar_field *left = cedar_value_fields(store, a);
  const struct cedar_field *right = cedar_value_fields(store, b);
  int order = order_u64(a.n, b.n);
  uint32_t i;

  if (left == right || order != 0)
    return order;
  if (left == NULL || right == NULL)
    return -1;
  for (i = 0; order == 0 && i < a.n; i++)
    order = order_u64(left[i].key, right[i].key);
  for (i = 0; order == 0 && i < a.n; i++)
    order = value_compare(store, cedar_value_child(a, left[i].value),
                          cedar_value_child(b, right[i].value), depth + 1);
  return order;
}

static int value_compare(const struct cedar_store *store, struct cedar_value a,
                         struct cedar_value b, unsigned int depth) {
  if (a.kind != b.kind)
    return a.kind < b.kind ? -1 : 1;
  if (depth > 2 * CEDAR_MAX_DEPTH)
    return -1;
  switch ((enum cedar_kind)a.kind) {
  case CEDAR_KIND_BOOL:
  case CEDAR_KIND_LONG:
  case CEDAR_KIND_DECIMAL:
  case CEDAR_KIND_DATETIME:
  case CEDAR_KIND_DURATION:
    return (a.u.i > b.u.i) - (a.u.i < b.u.i);
  case CEDAR_KIND_STRING:
  case CEDAR_KIND_ENTITY:
    return order_u64(a.u.id, b.u.id);
  case CEDAR_KIND_SET:
    return set_compare(store, a, b, depth);
  case CEDAR_KIND_RECORD:
    return record_compare(store, a, b, depth);
  case CEDAR_KIND_IPADDR:
    return ip_compare(store, a, b);
  case CEDAR_KIND_NONE:
  default:
    return -1;
  }
}

int cedar_value_compare(const struct cedar_store *store, struct cedar_value a,
                        struct cedar_value b) {
  return value_compare(store, a, b, 0);
}

/* Heap sort: no memory, no bad case an attacker could choose. */
static void value_sift(const struct cedar_store *store, struct cedar_value *v, uint32_t root,
                       uint32_t count) {
  struct cedar_value moved = v[root];

  for (;;) {
    uint64_t child = 2 * (uint64_t)root + 1;

    if (child >= count)
      break;
    if (child + 1 < count && cedar_value_compare(store, v[child], v[child + 1]) < 0)
      child++;
    if (cedar_value_compare(store, moved, v[child]) >= 0)
      break;
    v[root] = v[child];
    root = (uint32_t)child;
  }
  v[root] = moved;
}

static void value_sort(const struct cedar_store *store, struct cedar_value *v, uint32_t count) {
  struct cedar_value last;
  uint32_t i;

  for (i = count / 2; i > 0; i--)
    value_sift(store, v, i - 1, count);
  for (i = count; i > 1; i--) {
    last = v[i - 1];
    v[i - 1] = v[0];
    v[0] = last;
    value_sift(store, v, 0, i - 1);
  }
}

uint32_t cedar_set_normalize(const struct cedar_store *store, struct cedar_value *values,
                             uint32_t count) {
  uint32_t kept = 0, i;

  value_sort(store, values, count);
  for (i = 0; i < count; i++)
    if (kept == 0 || cedar_value_compare(store, values[kept - 1], values[i]) != 0)
      values[kept++] = values[i];
  return kept;
}

bool cedar_set_has(const struct cedar_store *store, struct cedar_value set,
                   struct cedar_value element) {
  const struct cedar_value *v = cedar_value_elements(store, set);
  uint32_t low = 0, high = v == NULL ? 0 : set.n;

  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = cedar_value_compare(store, cedar_value_child(set, v[middle]), element);

    if (order == 0)
      return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

static void field_sift(struct cedar_field *f, uint32_t root, uint32_t count) {
  struct cedar_field moved = f[root];

  for (;;) {
    uint64_t child = 2 * (uint64_t)root + 1;

    if (child >= count)
      break;
    if (child + 1 < count && f[child].key < f[child + 1].key)
      child++;
    if (moved.key >= f[child].key)
      break;
    f[root] = f[child];
    root = (uint32_t)child;
  }
  f[root] = moved;
}

static bool fields_ascend(const struct cedar_field *fields, uint32_t count) {
  uint32_t i;

  for (i = 1; i < count; i++)
    if (fields[i - 1].key >= fields[i].key)
      return false;
  return true;
}

bool cedar_fields_sort(struct cedar_field *fields, uint32_t count) {
  struct cedar_field last;
  uint32_t i;

  if (fields_ascend(fields, count))
    return true;
  for (i = count / 2; i > 0; i--)
    field_sift(fields, i - 1, count);
  for (i = count; i > 1; i--) {
    last = fields[i - 1];
    fields[i - 1] = fields[0];
    fields[0] = last;
    field_sift(fields, 0, i - 1);
  }
  return fields_ascend(fields, count);
}

const struct cedar_value *cedar_fields_find(const struct cedar_field *fields, uint32_t count,
                                            uint32_t key) {
  uint32_t low = 0, high = count;

  if (fields == NULL)
    return NULL;
  while (high - low > 8) {
    uint32_t middle = low + (high - low) / 2;

    if (fields[middle].key <= key)
      low = middle;
    else
      high = middle;
  }
  for (; low < high; low++)
    if (fields[low].key == key)
      return &fields[low].value;
  return NULL;
}

bool cedar_ext_load(const struct cedar_store *store, struct cedar_value value,
                    struct cedar_ext_value *out) {
  const struct cedar_value *cell = value.u.set;
  uint32_t v4;
  size_t i;

  memset(out, 0, sizeof(*out));
  out->kind = (enum cedar_kind)value.kind;
  if (value.kind != CEDAR_KIND_IPADDR) {
    out->i = value.u.i;
    return true;
  }
  out->version = (uint8_t)value.aux;
  out->prefix = (uint8_t)value.n;
  if (value.aux == 4) {
    v4 = (uint32_t)value.u.i;
    for (i = 0; i < 4; i++)
      out->bytes[i] = (uint8_t)(v4 >> (24 - 8 * i));
    return value.n <= 32;
  }
  if ((value.flags & CEDAR_STORED) != 0) {
    cell = cedar_cells_get(store, value.u.id, 1);
    if (cell == NULL)
      return false;
  }
  memcpy(out->bytes, cell, sizeof(out->bytes));
  return value.n <= 128;
}

struct cedar_value cedar_ext_save(const struct cedar_ext_value *value, struct cedar_value *cell) {
  struct cedar_value saved = cedar_value_make(value->kind, value->i);

  if (value->kind != CEDAR_KIND_IPADDR)
    return saved;
  saved.aux = value->version;
  saved.n = value->prefix;
  if (value->version == 4) {
    saved.u.i = (int64_t)((uint32_t)value->bytes[0] << 24 | (uint32_t)value->bytes[1] << 16 |
                          (uint32_t)value->bytes[2] << 8 | value->bytes[3]);
    return saved;
  }
  memcpy(cell, value->bytes, sizeof(value->bytes));
  saved.u.set = cell;
  return saved;
}
