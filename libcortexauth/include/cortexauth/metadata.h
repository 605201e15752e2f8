/*
 * Metadata of SAML identity providers: what a login through a [saml] section would find.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_METADATA_H
#define CORTEXAUTH_METADATA_H

#include <stdint.h>

#include <cortexauth/credential.h>

#define CORTEX_ENTITY_ID_MAX 1024 /* SAML metadata 2.2.1 */

/* Times in seconds since 1970; 0 where nothing is said. */
struct cortex_metadata {
  char entity_id[CORTEX_ENTITY_ID_MAX + 1]; /* of the identity provider that is meant */
  struct cortex_key_count keys;
  int64_t valid_until;   /* validUntil, the earliest around the provider: then logins are refused */
  int64_t cache_seconds; /* cacheDuration, the shortest around it; 0: not said */
  int64_t first_end;     /* when the first certificate of a usable key ends; its key stays trusted */
  int64_t last_end;      /* when the last one does */
};

/* Where the metadata is, and what reading it may take. */
struct cortex_metadata_source {
  const struct cortex_keyring *keyring; /* what was fetched just now; NULL: file and cache only */
  int64_t real_now;                     /* seconds since 1970 */
  const struct cortex_clock *clock;
  int64_t deadline;   /* on clock->monotonic: the helper is killed then */
  const char *helper; /* cortex-saml's path; NULL: where it was installed */
};

/*
 * Says what the metadata of a [saml] section holds, judged as a login judges it:
 * its signature, where metadata_ca_file is given, its identity provider, its end,
 * its keys. It is read by the helper, never here.
 *
 *   out  metadata_out: all zero on failure
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE, CORTEX_KEYS_STALE,
 *          CORTEX_HELPER_FAILED, CORTEX_HELPER_TIMEOUT, CORTEX_INTERNAL
 *   reads the metadata file or the cache; no network; starts one process
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_metadata_inspect(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                        const struct cortex_metadata_source *source,
                        struct cortex_metadata *metadata_out, struct cortex_error *error);

#endif
