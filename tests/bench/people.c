/*
 * The other floor of the sync benchmark: reading the directory's file, and nothing else.
 * SPDX-License-Identifier: PostgreSQL
 *
 * usage: people FILE
 */
#include <cortexauth/cortexauth.h>
#include <cortexauth/cedar.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cedar_error why = {0};
  struct cedar_source source = {argc > 1 ? argv[1] : "", NULL, 0};
  struct cedar_store *store = NULL;
  char *bytes;

  if (cortex_file_load(source.name, 1u << 30, &bytes, &source.len, &error) != CORTEX_OK)
    return 1;
  source.bytes = bytes;
  if (cedar_store_new(NULL, &store) != CEDAR_OK ||
      cedar_store_add_entities(store, &source, NULL, &why) != CEDAR_OK ||
      cedar_store_seal(store, &why) != CEDAR_OK)
    return 1;
  cedar_store_free(&store);
  free(bytes);
  return 0;
}
