/*
 * Fuzzes evaluation: policies against a fixed world, decided, explained, with unknown context.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>

#include "cedar_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cedar_source source = {"fuzz", (const char *)data, size};
  struct cedar_store *store = NULL;

  if (cedar_store_new(NULL, &store) == CEDAR_OK &&
      cedar_store_add_policies(store, &source, CEDAR_ID_POSITION, NULL) == CEDAR_OK &&
      cedar_world_add(store))
    cedar_world_ask(store);
  cedar_store_free(&store);
  return 0;
}
