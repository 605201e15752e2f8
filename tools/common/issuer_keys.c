/*
 * Fetching the key set or the metadata of a configured issuer.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/issuer_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/discovery.h"

bool issuer_keys_are_remote(const struct cortex_issuer *issuer) {
  return cortex_issuer_is_fetched(issuer);
}

static char *discover(const struct cortex_issuer *issuer, struct fetch_target *target,
                      struct fetch_result *result) {
  const char *name = cortex_issuer_value(issuer, "issuer");
  char *url = discovery_url(name), *uri = NULL;

  if (url == NULL) {
    snprintf(result->why, sizeof result->why, "out of memory");
    return NULL;
  }
  target->url = url;
  if (fetch_get(target, result))
    discovery_read(name, url, result->bytes, result->len, &uri, result->why, sizeof result->why);
  fetch_result_clear(result);
  free(url);
  return uri;
}

bool issuer_keys_fetch(const struct cortex_issuer *issuer, int64_t deadline,
                       struct fetch_result *result) {
  struct fetch_target target = {.ca_file = cortex_issuer_value(issuer, "ca_file"),
                                .proxy = cortex_issuer_value(issuer, "proxy"),
                                .deadline = deadline};
  char *discovered = NULL;
  bool done = false;

  memset(result, 0, sizeof *result);
  if (strcmp(cortex_issuer_kind(issuer), "saml") == 0)
    target.url = cortex_issuer_value(issuer, "metadata_url");
  else
    target.url = cortex_issuer_value(issuer, "jwks_uri");
  if (target.url == NULL)
    target.url = discovered = discover(issuer, &target, result);
  if (target.url != NULL)
    done = fetch_get(&target, result);
  free(discovered);
  return done;
}
