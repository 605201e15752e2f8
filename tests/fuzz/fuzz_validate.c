/*
 * Fuzzes validation: a schema and policies, apart by a line "---".
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void validate(const struct cedar_source *schema_text, const struct cedar_source *policies) {
  struct cedar_validation *validation = NULL;
  struct cedar_schema *schema = NULL;
  struct cedar_store *store = NULL;

  if (cedar_store_new(NULL, &store) == CEDAR_OK &&
      cedar_store_add_policies(store, policies, CEDAR_ID_POSITION, NULL) == CEDAR_OK &&
      cedar_schema_parse(schema_text, NULL, &schema, NULL) == CEDAR_OK &&
      cedar_validate(store, schema, NULL, &validation, NULL) == CEDAR_OK)
    cedar_validation_free(&validation);
  cedar_schema_free(&schema);
  cedar_store_free(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  struct cedar_source schema = {"schema", text, 0}, policies = {"policies", text, size};

  while (schema.len + 5 < size && memcmp(text + schema.len, "\n---\n", 5) != 0)
    schema.len++;
  if (schema.len + 5 < size) {
    policies.bytes += schema.len + 5;
    policies.len -= schema.len + 5;
  }
  validate(&schema, &policies);
  return 0;
}
