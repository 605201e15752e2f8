/*
 * The end of building: ancestors and index.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "entity.h"

enum cedar_status cedar_store_seal(struct cedar_store *store, struct cedar_error *error) {
  enum cedar_status status;

  if (!cedar_store_is_open(store, error))
    return CEDAR_MISUSE;
  status = cedar_closure_compute(store, error);
  if (status == CEDAR_OK)
    status = cedar_index_build(store);
  if (status == CEDAR_OK)
    status = cedar_filter_make(store);
  if (status == CEDAR_OK)
    status = cedar_words_make(store);
  store->sealed = status == CEDAR_OK;
  store->broken = status != CEDAR_OK;
  if (store->sealed)
    cedar_symbols_shrink(store);
  if (status == CEDAR_NOMEM || status == CEDAR_LIMIT)
    cedar_error_plain(error, status,
                      status == CEDAR_NOMEM
                          ? "out of memory"
                          : "too large: a ceiling of the policy store is reached");
  return status;
}
