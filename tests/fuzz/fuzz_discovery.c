/*
 * Fuzzes the reader of discovery documents.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/discovery.h"

#define ISSUER "https://id.example.com"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is read, only https may come out of a document that came by https. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *url = discovery_url(ISSUER), *uri, why[256];

  if (url != NULL &&
      discovery_read(ISSUER, url, (const char *)data, size, &uri, why, sizeof why)) {
    if (strncasecmp(uri, "https:", 6) != 0)
      abort();
    free(uri);
  }
  free(url);
  return 0;
}
