/*
 * Fuzzes the claim rules and the identity made of claims that a signature covered.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdint.h>
#include <string.h>

#include "oidc/claims.h"
#include "oidc/profile.h"
#include "util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] = "[oidc \"f\"]\nissuer = https://op.example\naudience = cortex\n"
                             "username_claim = a.b\nusername_map = /(.*)x/\\1/\n"
                             "groups_claim = g.h\nrequired_claims = r~=s\nauth_max_age = 1h\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cx_token token = {.input = (const char *)data, .input_len = size};
  struct cortex_identity *identity = cx_identity_new();
  struct cortex_settings *settings = NULL;

  if (identity == NULL ||
      cortex_settings_parse("f", config, strlen(config), &settings, NULL) != CORTEX_OK ||
      cx_json_parse("payload", (const char *)data, size, &token.claims, NULL) != CORTEX_OK)
    goto out;
  if (cx_claims_check(&token, &settings->issuers[0].oidc, 1700000000, NULL) == CORTEX_OK)
    (void)!cx_profile_read(&token, &settings->issuers[0], identity, NULL);
out:
  json_decref(token.claims);
  cortex_identity_free(&identity);
  cortex_settings_free(&settings);
  return 0;
}
