/*
 * What is fetched for an issuer and how it is judged: one interface for each kind of section.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_REFRESH_KIND_H
#define CORTEXCTL_REFRESH_KIND_H

#include <cortexauth/credential.h>
#include <cortexauth/metadata.h>
#include <cortexauth/settings.h>

#include "common/fetch.h"

#define REFRESH_FILES_MAX 2

/* One file that an answer becomes; suffix is static, bytes are the product's. */
struct refresh_file {
  const char *suffix;
  void *bytes;
  size_t len;
};

/* Files in the order they are written, the one that logins read last. */
struct refresh_product {
  struct refresh_file files[REFRESH_FILES_MAX];
  size_t count;
  int64_t max_age; /* seconds that the document itself says it is fresh; FETCH_AGE_UNKNOWN */
  char summary[128];
};

/* What a login would find of an issuer. Times in seconds since 1970; 0: not said. */
struct refresh_found {
  struct cortex_key_count count;
  int64_t valid_until;       /* metadata's own end: then logins are refused */
  int64_t certificate_until; /* when the first of its certificates ends */
  int64_t max_age;           /* as of a product: what the document itself says */
  char name[CORTEX_ENTITY_ID_MAX + 1]; /* of the issuer, where the configuration does not say it */
};

void refresh_product_clear(struct refresh_product *product);

struct refresh_kind {
  const char *name;             /* of the section: "oidc" */
  const char *ca_key;           /* its key that names the authorities */
  const char *const *suffixes;  /* of the files that an answer becomes; ends with NULL */
  /* Where to begin; a pointer names the document's place. Release with free(); NULL: no memory. */
  char *(*begin)(const struct cortex_issuer *issuer, bool *is_pointer_out);
  /* Out of a pointer that was fetched: where the document is; NULL with why. Of a kind without pointers NULL. */
  char *(*follow)(const struct cortex_issuer *issuer, const char *url,
                  const struct fetch_result *result, char *why, size_t why_size);
  /* Judges a document: only one that serves logins becomes a product. False with why. */
  bool (*judge)(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                const struct fetch_result *result, int64_t now, struct refresh_product *product,
                char *why, size_t why_size);
  /* What a login would find now, in the cache or in the operator's file. */
  enum cortex_reason (*look)(const struct cortex_settings *settings,
                             const struct cortex_issuer *issuer, int64_t now,
                             struct refresh_found *found_out, struct cortex_error *error);
};

/* The kind of an issuer's section; NULL: one that is not known here. */
const struct refresh_kind *refresh_kind_of(const struct cortex_issuer *issuer);

#endif
