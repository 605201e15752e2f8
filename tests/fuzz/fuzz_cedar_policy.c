/*
 * Fuzzes the policy text: what parses must print as a text that parses.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>

#include <stdlib.h>

#include "cedar_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A store of one text, NULL when it does not parse. */
static struct cedar_store *store_of(const char *bytes, size_t len) {
  struct cedar_source source = {"fuzz", bytes, len};
  struct cedar_store *store = NULL;

  if (cedar_store_new(NULL, &store) == CEDAR_OK &&
      cedar_store_add_policies(store, &source, CEDAR_ID_POSITION, NULL) != CEDAR_OK)
    cedar_store_free(&store);
  return store;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cedar_world_text text = {NULL, 0, 0};
  struct cedar_sink sink = {cedar_world_put, &text};
  struct cedar_store *again = NULL, *store = store_of((const char *)data, size);

  if (store != NULL && cedar_policy_print(store, 0, &sink) == CEDAR_OK &&
      (again = store_of(text.bytes, text.len)) == NULL)
    abort();
  cedar_store_free(&again);
  cedar_store_free(&store);
  free(text.bytes);
  return 0;
}
