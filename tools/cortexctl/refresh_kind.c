/*
 * What is fetched for an issuer and how it is judged: one interface for each kind of section.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "refresh_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/clock.h>

#include "common/discovery.h"
#include "common/helper.h"

#define HELPER_NS INT64_C(3000000000)

/* ---- OpenID Connect: a discovery document names the key set ---- */

static char *begin_oidc(const struct cortex_issuer *issuer, bool *is_pointer_out) {
  const char *uri = cortex_issuer_value(issuer, "jwks_uri");

  *is_pointer_out = uri == NULL;
  return uri != NULL ? strdup(uri) : discovery_url(cortex_issuer_value(issuer, "issuer"));
}

static char *follow_oidc(const struct cortex_issuer *issuer, const char *url,
                         const struct fetch_result *result, char *why, size_t why_size) {
  char *uri;

  return discovery_read(cortex_issuer_value(issuer, "issuer"), url, result->bytes, result->len,
                        &uri, why, why_size)
             ? uri
             : NULL;
}

static bool count_fetched(const struct cortex_settings *settings,
                          const struct cortex_issuer *issuer, const struct fetch_result *result,
                          int64_t now, struct cortex_key_count *count, struct cortex_error *error) {
  struct cortex_keyring *keyring = cortex_keyring_new();
  bool done = keyring != NULL &&
              cortex_keyring_put(keyring, cortex_issuer_label(issuer), result->bytes,
                                 result->len) == CORTEX_OK &&
              cortex_issuer_count_keys(settings, issuer, keyring, now, count, error) == CORTEX_OK;

  cortex_keyring_free(&keyring);
  return done;
}

static bool add_file(struct refresh_product *product, const char *suffix, void *bytes, size_t len) {
  if (bytes == NULL)
    return false;
  product->files[product->count++] = (struct refresh_file){suffix, bytes, len};
  return true;
}

static const char *const oidc_suffixes[] = {"jwks.json", "keys", NULL};

static bool judge_oidc(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                       const struct fetch_result *result, int64_t now,
                       struct refresh_product *product, char *why, size_t why_size) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_key_count count;
  char *text = NULL;
  void *image = NULL;
  size_t len = 0;

  if (!count_fetched(settings, issuer, result, now, &count, &error)) {
    snprintf(why, why_size, "%s", *error.message != '\0' ? error.message : "out of memory");
    return false;
  }
  if (count.usable == 0) {
    snprintf(why, why_size, "no key fits one of the issuer's algorithms (%zu do not)",
             count.weak + count.other);
    return false;
  }
  text = malloc(result->len + 1);
  if (text == NULL ||
      cortex_keys_compile(result->bytes, result->len, &image, &len, &error) != CORTEX_OK) {
    free(text);
    snprintf(why, why_size, "out of memory");
    return false;
  }
  memcpy(text, result->bytes, result->len);
  snprintf(product->summary, sizeof product->summary, "%zu usable key%s, %zu weak, %zu other",
           count.usable, count.usable == 1 ? "" : "s", count.weak, count.other);
  return add_file(product, oidc_suffixes[0], text, result->len) &&
         add_file(product, oidc_suffixes[1], image, len);
}

static enum cortex_reason look_oidc(const struct cortex_settings *settings,
                                    const struct cortex_issuer *issuer, int64_t now,
                                    struct refresh_found *found_out, struct cortex_error *error) {
  *found_out = (struct refresh_found){.max_age = FETCH_AGE_UNKNOWN};
  return cortex_issuer_count_keys(settings, issuer, NULL, now, &found_out->count, error);
}

/* ---- SAML 2.0: the metadata at its address ---- */

static char *begin_saml(const struct cortex_issuer *issuer, bool *is_pointer_out) {
  *is_pointer_out = false;
  return strdup(cortex_issuer_value(issuer, "metadata_url"));
}

static enum cortex_reason inspect(const struct cortex_settings *settings,
                                  const struct cortex_issuer *issuer,
                                  const struct cortex_keyring *keyring, int64_t now,
                                  struct cortex_metadata *metadata, struct cortex_error *error) {
  const struct cortex_clock *clock = cortex_clock_system();
  const struct cortex_metadata_source source = {
      keyring, now, clock, clock->monotonic(clock) + HELPER_NS, helper_path()};

  return cortex_metadata_inspect(settings, issuer, &source, metadata, error);
}

static bool inspect_fetched(const struct cortex_settings *settings,
                            const struct cortex_issuer *issuer, const struct fetch_result *result,
                            int64_t now, struct cortex_metadata *metadata,
                            struct cortex_error *error) {
  struct cortex_keyring *keyring = cortex_keyring_new();
  bool done = keyring != NULL &&
              cortex_keyring_put(keyring, cortex_issuer_label(issuer), result->bytes,
                                 result->len) == CORTEX_OK &&
              inspect(settings, issuer, keyring, now, metadata, error) == CORTEX_OK;

  cortex_keyring_free(&keyring);
  return done;
}

/* Well before the end, so that one refresh that fails is not the last. */
static int64_t freshness(const struct cortex_metadata *metadata, int64_t now) {
  int64_t age = metadata->cache_seconds > 0 ? metadata->cache_seconds : FETCH_AGE_UNKNOWN;

  if (metadata->valid_until > 0 && (age == FETCH_AGE_UNKNOWN || age > (metadata->valid_until - now) / 2))
    age = (metadata->valid_until - now) / 2;
  return age;
}

static const char *const saml_suffixes[] = {"metadata.xml", NULL};

static bool judge_saml(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                       const struct fetch_result *result, int64_t now,
                       struct refresh_product *product, char *why, size_t why_size) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_metadata metadata;
  char *text;

  if (!inspect_fetched(settings, issuer, result, now, &metadata, &error)) {
    snprintf(why, why_size, "%s", *error.message != '\0' ? error.message : "out of memory");
    return false;
  }
  if (metadata.keys.usable == 0) {
    snprintf(why, why_size, "no key fits one of the issuer's algorithms (%zu do not)",
             metadata.keys.weak + metadata.keys.other);
    return false;
  }
  text = malloc(result->len + 1);
  if (text == NULL) {
    snprintf(why, why_size, "out of memory");
    return false;
  }
  memcpy(text, result->bytes, result->len);
  product->max_age = freshness(&metadata, now);
  snprintf(product->summary, sizeof product->summary, "%zu usable key%s, %zu weak, %zu other",
           metadata.keys.usable, metadata.keys.usable == 1 ? "" : "s", metadata.keys.weak,
           metadata.keys.other);
  return add_file(product, saml_suffixes[0], text, result->len);
}

static enum cortex_reason look_saml(const struct cortex_settings *settings,
                                    const struct cortex_issuer *issuer, int64_t now,
                                    struct refresh_found *found_out, struct cortex_error *error) {
  struct cortex_metadata metadata;
  enum cortex_reason reason = inspect(settings, issuer, NULL, now, &metadata, error);

  *found_out = (struct refresh_found){.count = metadata.keys,
                                      .valid_until = metadata.valid_until,
                                      .certificate_until = metadata.first_end,
                                      .max_age = freshness(&metadata, now)};
  memcpy(found_out->name, metadata.entity_id, sizeof found_out->name);
  return reason;
}

/* ---- all kinds ---- */

static const struct refresh_kind kinds[] = {
    {"oidc", "ca_file", oidc_suffixes, begin_oidc, follow_oidc, judge_oidc, look_oidc},
    {"saml", "ca_file", saml_suffixes, begin_saml, NULL, judge_saml, look_saml},
};

const struct refresh_kind *refresh_kind_of(const struct cortex_issuer *issuer) {
  size_t i;

  for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i].name, cortex_issuer_kind(issuer)) == 0)
      return &kinds[i];
  return NULL;
}

void refresh_product_clear(struct refresh_product *product) {
  size_t i;

  for (i = 0; i < product->count; i++)
    free(product->files[i].bytes);
  product->count = 0;
}
