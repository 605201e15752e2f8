/*
 * Fuzzes both readers of Cedar schemas.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct cedar_source source = {"fuzz", (const char *)data, size};
  struct cedar_schema *schema;

  if (cedar_schema_parse(&source, NULL, &schema, NULL) == CEDAR_OK)
    cedar_schema_free(&schema);
  if (cedar_schema_parse_json(&source, NULL, &schema, NULL) == CEDAR_OK)
    cedar_schema_free(&schema);
  return 0;
}
