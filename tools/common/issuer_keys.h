/*
 * Fetching the key set or the metadata of a configured issuer.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_ISSUER_KEYS_H
#define TOOLS_COMMON_ISSUER_KEYS_H

#include <cortexauth/settings.h>

#include "common/fetch.h"

/* True when the issuer's keys come from the network: it names no key file. */
bool issuer_keys_are_remote(const struct cortex_issuer *issuer);

/*
 * Fetches the issuer's key set from its jwks_uri, or from where its discovery
 * document says (OpenID Connect Discovery 4); or metadata from its metadata_url. Only what the configuration names
 * is asked, never anything that a credential points to.
 *
 *   in   deadline: nanoseconds of cortex_clock_system()->monotonic, for all of it
 *   out  result: the document; release with fetch_result_clear
 */
bool issuer_keys_fetch(const struct cortex_issuer *issuer, int64_t deadline,
                       struct fetch_result *result);

#endif
