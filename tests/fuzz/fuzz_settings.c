/*
 * Fuzzes the reader of cortex.conf.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/settings.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cortex_settings *settings;

  if (cortex_settings_parse("fuzz", (const char *)data, size, &settings, NULL) == CORTEX_OK)
    cortex_settings_free(&settings);
  return 0;
}
