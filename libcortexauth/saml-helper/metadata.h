/*
 * Metadata of identity providers (SAML metadata 2.3, 2.4): whose keys sign.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_METADATA_H
#define SAML_METADATA_H

#include "key.h"
#include "question.h"

/*
 * The signing keys of the provider's identity provider, when it has the entity
 * ID that a response names.
 *
 *   out  keys: release with saml_keys_clear, on failure too
 *   gives  CORTEX_OK, CORTEX_UNKNOWN_ISSUER (another one), CORTEX_KEYS_UNAVAILABLE,
 *          CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason saml_metadata_keys(const struct saml_provider *provider,
                                                       const char *entity_id, int64_t now,
                                                       struct saml_keys *keys,
                                                       struct cortex_error *error);

#endif
