/*
 * Fuzzes the JSON reader by way of entities, policies and links.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cedar_source source = {"fuzz", (const char *)data, size};
  struct cedar_request_list *list = NULL;
  enum cedar_status status;
  struct cedar_store *store;
  int form;

  for (form = 0; form < 3; form++) {
    if (cedar_store_new(NULL, &store) != CEDAR_OK)
      return 0;
    if (form == 0)
      status = cedar_store_add_entities(store, &source, NULL, NULL);
    else if (form == 1)
      status = cedar_store_add_policies_json(store, &source, CEDAR_ID_HOST, NULL);
    else
      status = cedar_store_add_links(store, &source, NULL);
    if (status == CEDAR_OK)
      status = cedar_store_seal(store, NULL);
    cedar_store_free(&store);
  }
  if (cedar_request_list_parse(&source, NULL, &list, NULL) == CEDAR_OK)
    cedar_request_list_free(&list);
  return 0;
}
