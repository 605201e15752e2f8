/*
 * From the bytes of a password to a verified identity: the kinds and the choice.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "credential/credential.h"

#include "oidc/oidc.h"
#include "saml/saml.h"
#include "util/error.h"

static const struct cx_credential_kind *const kinds[] = {&cx_saml_kind, &cx_oidc_kind};

static const struct cx_credential_kind *find_kind(const char *bytes, size_t len) {
  size_t i;

  for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (kinds[i]->recognises(bytes, len))
      return kinds[i];
  return NULL;
}

enum cortex_reason cortex_verify(const struct cortex_settings *settings,
                                 const struct cortex_credential *credential,
                                 struct cortex_identity **identity_out,
                                 struct cortex_error *error) {
  const struct cx_trust trust = {settings->issuers, settings->issuer_count, settings->cache.path,
                                 settings->cache.stale};
  const struct cx_credential_kind *kind;

  *identity_out = NULL;
  if (credential->len == 0)
    return cx_error_set(error, CORTEX_MALFORMED, "the credential is empty");
  if (credential->len > CORTEX_CREDENTIAL_MAX)
    return cx_error_set(error, CORTEX_TOO_LARGE, "the credential has %zu bytes, at most %d are read",
                        credential->len, CORTEX_CREDENTIAL_MAX);
  kind = find_kind(credential->bytes, credential->len);
  if (kind == NULL)
    return cx_error_set(error, CORTEX_UNKNOWN_KIND, "%s",
                        cortex_reason_sentence(CORTEX_UNKNOWN_KIND));
  return kind->verify(&trust, credential, identity_out, error);
}
