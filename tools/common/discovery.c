/*
 * The document by which an OpenID provider says where its keys are.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/fetch.h"

#define WELL_KNOWN "/.well-known/openid-configuration"

/* Discovery 4: a slash at the issuer's end is dropped. */
char *discovery_url(const char *issuer) {
  size_t len = strlen(issuer), size = len + sizeof WELL_KNOWN;
  char *url = malloc(size);

  if (len > 0 && issuer[len - 1] == '/')
    len--;
  if (url != NULL)
    snprintf(url, size, "%.*s" WELL_KNOWN, (int)len, issuer);
  return url;
}

/* A text that holds NUL would be another one to whoever reads it as a C string. */
const char *discovery_text(const json_t *object, const char *name) {
  const json_t *member = json_object_get(object, name);
  const char *text = json_string_value(member);

  return text != NULL && strlen(text) == json_string_length(member) ? text : NULL;
}

/* The letters of an address, and nothing that a terminal obeys. */
static bool is_plain(const char *text) {
  for (; *text != '\0'; text++)
    if (*text <= ' ' || *text > '~')
      return false;
  return true;
}

const char *discovery_address(const json_t *object, const char *name, const char *than) {
  const char *url = discovery_text(object, name);

  return url != NULL && is_plain(url) && fetch_trust_of(url) >= fetch_trust_of(than) ? url : NULL;
}

/* Most often it is a slash at the end that differs: so it is shown. */
static void refuse_issuer(const char *url, const char *named, char *why, size_t why_size) {
  bool is_shown = named != NULL && *named != '\0' && is_plain(named);

  snprintf(why, why_size, "%.120s: the document is of another issuer%s%.90s", url,
           is_shown ? ", " : "", is_shown ? named : "");
}

json_t *discovery_document(const char *issuer, const char *url, const char *bytes, size_t len,
                           char *why, size_t why_size) {
  json_error_t cause;
  json_t *document = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
  /* Discovery 4.3: compared as it is, for the issuer's name is what tokens are judged by. */
  const char *named = discovery_text(document, "issuer");

  if (document == NULL)
    snprintf(why, why_size, "%.120s: line %d: %.60s", url, cause.line, cause.text);
  else if (named == NULL || strcmp(named, issuer) != 0)
    refuse_issuer(url, named, why, why_size);
  else
    return document;
  cli_flatten(why); /* the parser quotes what it stumbled over */
  json_decref(document);
  return NULL;
}

bool discovery_read(const char *issuer, const char *url, const char *bytes, size_t len,
                    char **jwks_uri_out, char *why, size_t why_size) {
  json_t *document = discovery_document(issuer, url, bytes, len, why, why_size);
  const char *uri;

  *jwks_uri_out = NULL;
  if (document == NULL)
    return false;
  uri = discovery_address(document, "jwks_uri", url);
  if (uri == NULL)
    snprintf(why, why_size, "%.120s: no jwks_uri that may be fetched", url);
  else if ((*jwks_uri_out = strdup(uri)) == NULL)
    snprintf(why, why_size, "out of memory");
  json_decref(document);
  return *jwks_uri_out != NULL;
}
