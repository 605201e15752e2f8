/*
 * A Bloom filter of the scope index of a large store. It lies at the head of an image: most of what
 * a request could be found by is in no policy's head, and finding that out must not cost a read.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "store.h"

/* With fewer buckets the index is read in a few pieces anyway. */
#define MANY_BUCKETS 32U

/* About one in twenty that are not there passes. */
#define BITS_EACH 6U
#define PROBES 4

/* A bit of a filter, spread by the high bits of products: no power of two is needed. */
static uint32_t bit_of(uint32_t bits, uint32_t hash, unsigned probe) {
  static const uint32_t factors[PROBES] = {0x9e3779b1U, 0x85ebca6bU, 0xc2b2ae35U, 0x27d4eb2fU};
  uint32_t mixed = hash * factors[probe];

  mixed = (mixed ^ mixed >> 15) * 0x2c1b3c6dU;
  return (uint32_t)((uint64_t)mixed * bits >> 32);
}

static void filter_put(struct cedar_store *store, uint32_t hash) {
  unsigned int probe;

  for (probe = 0; probe < PROBES; probe++) {
    uint32_t bit = bit_of(store->filter.n * 64, hash, probe);

    store->filter.at[bit / 64] |= UINT64_C(1) << bit % 64;
  }
}

static bool is_used(const struct cedar_bucket *bucket) {
  return bucket->key != CEDAR_NONE;
}

static uint32_t buckets_used(const struct cedar_store *store) {
  uint32_t used = 0, i;

  for (i = 0; i < store->buckets.n; i++)
    used += is_used(&store->buckets.at[i]);
  return used;
}

enum cedar_status cedar_filter_make(struct cedar_store *store) {
  uint32_t used = buckets_used(store), words = used / 64 * BITS_EACH + BITS_EACH, i;
  enum cedar_status status;

  if (used < MANY_BUCKETS || words > CEDAR_MAX_FILTER)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, filter, words, CEDAR_MAX_FILTER);
  if (status != CEDAR_OK)
    return status;
  store->filter.n = words;
  memset(store->filter.at, 0, words * sizeof(*store->filter.at));
  for (i = 0; i < store->buckets.n; i++)
    if (is_used(&store->buckets.at[i]))
      filter_put(store, cedar_bucket_hash(store->buckets.at[i].key, store->buckets.at[i].id));
  return CEDAR_OK;
}

bool cedar_filter_may_have(const struct cedar_store *store, uint32_t hash) {
  unsigned int probe;

  if (store->pager == NULL || store->filter.at == NULL)
    return true;
  for (probe = 0; probe < PROBES; probe++) {
    uint32_t bit = bit_of(store->filter.n * 64, hash, probe);

    if ((store->filter.at[bit / 64] >> bit % 64 & 1) == 0)
      return false;
  }
  return true;
}
