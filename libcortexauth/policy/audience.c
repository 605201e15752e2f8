/*
 * A service's own audience: a credential for one service must not open another one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "identity/identity.h"
#include "policy/image.h"

/* RFC 7519 4.1.3: a string, or an array of strings. */
static bool names(const cx_json *audience, const char *wanted) {
  const cx_json *element = cx_json_items(audience);
  size_t len = strlen(wanted);

  while (element != NULL && !cx_json_is_text(element, wanted, len))
    element = element->next;
  return element != NULL || cx_json_is_text(audience, wanted, len);
}

/* A SAML response is for the entity that its section says we are (saml-core 2.5.1.4). */
static bool is_for(const struct cortex_settings *settings, const struct cortex_identity *identity,
                   const char *wanted) {
  const struct cortex_issuer *issuer = cx_settings_find_issuer(settings, identity->label);

  if (issuer != NULL && cx_issuer_is(issuer, CX_KIND_SAML))
    return strcmp(issuer->saml.sp_entity_id, wanted) == 0;
  return names(cx_json_get(identity->claims, "aud"), wanted);
}

enum cortex_reason cortex_service_check_audience(const struct cortex_policy *policy,
                                                 const struct cortex_settings *settings,
                                                 const struct cortex_identity *identity,
                                                 const char *service, struct cortex_error *error) {
  struct cortex_service found;
  bool is_found = cortex_policy_find_service(policy, service, &found);

  if (!cx_image_is_good(policy))
    return cx_error_set(error, CORTEX_POLICY_UNAVAILABLE,
                        "the policy image was written to while it was read");
  if (!is_found)
    return cx_error_set(error, CORTEX_SERVICE_UNKNOWN, "the entities file has no Service::\"%s\"",
                        service);
  if (found.audience == NULL || identity->issuer == NULL ||
      is_for(settings, identity, found.audience))
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_AUDIENCE_MISMATCH,
                      "the credential is not for the audience \"%s\" of the service \"%s\"",
                      found.audience, service);
}
