/*
 * Fetching the key set of a configured issuer.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/issuer_keys.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WELL_KNOWN "/.well-known/openid-configuration"

bool issuer_keys_are_remote(const struct cortex_issuer *issuer) {
  return strcmp(cortex_issuer_kind(issuer), "oidc") == 0 &&
         cortex_issuer_value(issuer, "jwks_file") == NULL;
}

/* OpenID Connect Discovery 4: a slash at the issuer's end is dropped. */
static char *discovery_url(const char *issuer) {
  size_t len = strlen(issuer), size = len + sizeof WELL_KNOWN;
  char *url = malloc(size);

  if (len > 0 && issuer[len - 1] == '/')
    len--;
  if (url != NULL)
    snprintf(url, size, "%.*s" WELL_KNOWN, (int)len, issuer);
  return url;
}

/* A text that holds NUL would be another one to whoever reads it as a C string. */
static const char *text_member(const json_t *document, const char *name) {
  const json_t *member = json_object_get(document, name);
  const char *text = json_string_value(member);

  return text != NULL && strlen(text) == json_string_length(member) ? text : NULL;
}

/* Discovery 4.3: the document must speak of exactly the issuer that was asked for. */
static char *read_discovery(const char *issuer, const char *url, struct fetch_result *result) {
  json_error_t cause;
  json_t *document =
      json_loadb(result->bytes, result->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
  const char *named = text_member(document, "issuer"), *uri = text_member(document, "jwks_uri");
  char *copy = NULL;

  if (document == NULL)
    snprintf(result->why, sizeof result->why, "%.120s: line %d: %.60s", url, cause.line,
             cause.text);
  else if (named == NULL || strcmp(named, issuer) != 0)
    snprintf(result->why, sizeof result->why, "%.120s: the document is of another issuer", url);
  else if (uri == NULL || fetch_trust_of(uri) < fetch_trust_of(url))
    snprintf(result->why, sizeof result->why, "%.120s: no jwks_uri that may be fetched", url);
  else if ((copy = strdup(uri)) == NULL)
    snprintf(result->why, sizeof result->why, "out of memory");
  json_decref(document);
  return copy;
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
    uri = read_discovery(name, url, result);
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
  target.url = cortex_issuer_value(issuer, "jwks_uri");
  if (target.url == NULL)
    target.url = discovered = discover(issuer, &target, result);
  if (target.url != NULL)
    done = fetch_get(&target, result);
  free(discovered);
  return done;
}
