/*
 * A Bloom filter of all that can be looked up in a large store. It lies at the head of an image:
 * most of what a request names is in no policy, and finding that out must not cost a read each.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "store.h"

/* Below this many symbols an image is read in a few pieces anyway. */
#define MANY_SYMBOLS 1024U

/* About one in ten things that are not there passes. */
#define BITS_EACH 5U
#define PROBES 3

/* Three bits of a filter, spread by the high bits of products: no power of two is needed. */
static uint32_t bit_of(uint32_t bits, enum cedar_filter_kind kind, uint32_t hash, unsigned probe) {
  static const uint32_t factors[PROBES] = {0x9e3779b1U, 0x85ebca6bU, 0xc2b2ae35U};
  uint32_t mixed = (hash ^ (uint32_t)kind * 0x27d4eb2fU) * factors[probe];

  mixed = (mixed ^ mixed >> 15) * 0x2c1b3c6dU;
  return (uint32_t)((uint64_t)mixed * bits >> 32);
}

static void filter_put(struct cedar_store *store, enum cedar_filter_kind kind, uint32_t hash) {
  unsigned int probe;

  for (probe = 0; probe < PROBES; probe++) {
    uint32_t bit = bit_of(store->filter.n * 64, kind, hash, probe);

    store->filter.at[bit / 64] |= UINT64_C(1) << bit % 64;
  }
}

enum cedar_status cedar_filter_make(struct cedar_store *store) {
  uint64_t keys = (uint64_t)store->syms.n + store->uids.n + store->buckets.n;
  uint64_t words = keys * BITS_EACH / 64 + 1;
  enum cedar_status status;
  uint32_t i;

  if (store->syms.n < MANY_SYMBOLS || words > CEDAR_MAX_FILTER)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, filter, words, CEDAR_MAX_FILTER);
  if (status != CEDAR_OK)
    return status;
  store->filter.n = (uint32_t)words;
  memset(store->filter.at, 0, words * sizeof(*store->filter.at));
  for (i = 0; i < store->syms.n; i++)
    filter_put(store, CEDAR_FILTER_SYM, store->syms.at[i].hash);
  for (i = 0; i < store->uids.n; i++)
    filter_put(store, CEDAR_FILTER_UID,
               cedar_uid_hash(store->uids.at[i].type, store->uids.at[i].id));
  for (i = 0; i + 1 < store->buckets.n; i++)
    if (store->buckets.at[i].key != CEDAR_NONE)
      filter_put(store, CEDAR_FILTER_BUCKET,
                 cedar_bucket_hash(store->buckets.at[i].key, store->buckets.at[i].id));
  return CEDAR_OK;
}

bool cedar_filter_may_have(const struct cedar_store *store, enum cedar_filter_kind kind,
                           uint32_t hash) {
  unsigned int probe;

  if (store->pager == NULL || store->filter.at == NULL)
    return true;
  for (probe = 0; probe < PROBES; probe++) {
    uint32_t bit = bit_of(store->filter.n * 64, kind, hash, probe);

    if ((store->filter.at[bit / 64] >> bit % 64 & 1) == 0)
      return false;
  }
  return true;
}
