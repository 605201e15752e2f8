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
 *          CORTEX_KEYS_STALE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason saml_metadata_keys(const struct saml_provider *provider,
                                                       const char *entity_id, int64_t now,
                                                       struct saml_keys *keys,
                                                       struct cortex_error *error);

/*
 * Puts what the metadata of a provider says into facts: entity_id, usable, weak,
 * other, valid_until, cache_seconds, first_end, last_end.
 *   gives  as above, but for CORTEX_UNKNOWN_ISSUER
 */
CORTEX_MUSTCHECK enum cortex_reason saml_metadata_inspect(const struct saml_provider *provider,
                                                          int64_t now, struct cx_buf *facts,
                                                          struct cortex_error *error);

#endif
