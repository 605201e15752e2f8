/*
 * Fuzzes the claim rules and the identity made of claims that a signature covered.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oidc/claims.h"
#include "oidc/profile.h"
#include "util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] = "[oidc \"f\"]\nissuer = https://op.example\naudience = cortex\n"
                             "username_claim = a.b\nusername_map = /(.*)x/\\1/\n"
                             "groups_claim = g.h\nrequired_claims = r~=s\nauth_max_age = 1h\n";

/* Read once: it is not what is fuzzed here. */
static const struct cortex_issuer *get_issuer(void) {
  static struct cortex_settings *settings;

  if (settings == NULL &&
      cortex_settings_parse("f", config, strlen(config), &settings, NULL) != CORTEX_OK)
    abort();
  return &settings->issuers[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cx_token token = {.input = (const char *)data, .input_len = size};
  const struct cortex_issuer *issuer = get_issuer();
  struct cortex_identity *identity = cx_identity_new();

  if (identity != NULL &&
      cx_json_parse("payload", (const char *)data, size, &token.claims, NULL) == CORTEX_OK &&
      cx_claims_check(&token, &issuer->oidc, 1700000000, NULL) == CORTEX_OK)
    (void)!cx_profile_read(&token, issuer, identity, NULL);
  cx_json_release(token.claims);
  cortex_identity_free(&identity);
  return 0;
}
