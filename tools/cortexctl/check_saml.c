/*
 * The part of cortexctl check that looks at [saml] sections.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cortexauth/clock.h>
#include <cortexauth/metadata.h>

#include "common/helper.h"
#include "common/issuer_keys.h"
#include "saml_certificate.h"

#define FETCH_NS INT64_C(4000000000)
#define HELPER_NS INT64_C(3000000000)
#define DAY 86400
#define SOON (30 * DAY)        /* for what an operator changes by hand */
#define FETCHED_SOON (2 * DAY) /* for what a refresh fetches anew: some publish a day at a time */

struct subject {
  struct check *check;
  const struct cortex_issuer *issuer;
  const char *key; /* that the metadata comes from */
  int64_t now;
};

static struct check_place place_of(const struct subject *subject, const char *key) {
  return (struct check_place){subject->check->config, cortex_issuer_key_line(subject->issuer, key),
                              0};
}

/* The day, in UTC. */
static const char *show_day(int64_t seconds, char text[16]) {
  time_t time = (time_t)seconds;
  struct tm day;

  if (gmtime_r(&time, &day) == NULL || strftime(text, 16, "%Y-%m-%d", &day) == 0)
    snprintf(text, 16, "?");
  return text;
}

/* One that is over already is an error or not used: the metadata itself says which. */
static void warn_of_end(const struct subject *subject, enum check_fault fault, const char *key,
                        const char *what, int64_t end, int64_t soon) {
  char day[16];

  if (end == 0 || end > subject->now + soon)
    return;
  check_find(subject->check, fault, place_of(subject, key), "%s of \"%s\" %s on %s", what,
               cortex_issuer_label(subject->issuer), end <= subject->now ? "ended" : "ends",
               show_day(end, day));
}

/* Names of people belong to the issuer's, which only an idp_entity_id keeps apart then. */
static void check_against_oidc(const struct subject *subject, const char *entity_id) {
  const struct cortex_issuer *other;
  const char *issuer;
  size_t i;

  if (cortex_issuer_value(subject->issuer, "idp_entity_id") != NULL)
    return;
  for (i = 0; (other = cortex_settings_issuer(subject->check->settings, i)) != NULL; i++) {
    issuer = cortex_issuer_value(other, "issuer");
    if (issuer != NULL && strcmp(issuer, entity_id) == 0)
      check_find(subject->check, CHECK_PROVIDER_TWICE, place_of(subject, subject->key),
                 "\"%s\" has the name of the issuer of \"%s\"", cortex_issuer_label(subject->issuer),
                 cortex_issuer_label(other));
  }
}

/* A response names the provider, not the section. */
static void check_provider(const struct subject *subject, const char *entity_id) {
  const char *label = cortex_issuer_label(subject->issuer);
  const char *first = json_string_value(json_object_get(subject->check->providers, entity_id));

  if (first == NULL)
    json_object_set_new(subject->check->providers, entity_id, json_string(label));
  else
    check_find(subject->check, CHECK_PROVIDER_TWICE, place_of(subject, subject->key),
               "\"%s\" has the identity provider of \"%s\"", label, first);
}

static void judge(const struct subject *subject, const struct cortex_metadata *metadata) {
  const char *label = cortex_issuer_label(subject->issuer);
  bool is_file = strcmp(subject->key, "metadata_file") == 0;

  check_provider(subject, metadata->entity_id);
  check_against_oidc(subject, metadata->entity_id);
  if (metadata->keys.weak > 0)
    check_find(subject->check, CHECK_KEYS_WEAK, place_of(subject, subject->key),
               "%zu of the keys of \"%s\" are too weak and will not be used", metadata->keys.weak,
                 label);
  if (metadata->keys.usable == 0)
    check_find(subject->check, CHECK_KEYS_NONE, place_of(subject, subject->key),
               "no key of \"%s\" fits one of its algorithms (%zu do not)", label,
                 metadata->keys.other + metadata->keys.weak);
  warn_of_end(subject, CHECK_METADATA_ENDING, subject->key, "the metadata", metadata->valid_until,
              is_file ? SOON : FETCHED_SOON);
  warn_of_end(subject, CHECK_CERTIFICATE_ENDING, subject->key,
              metadata->first_end == metadata->last_end ? "the signing certificate"
                                                        : "a signing certificate",
              metadata->first_end, SOON);
}

static void inspect(const struct subject *subject, const struct cortex_keyring *keyring) {
  const struct cortex_clock *clock = cortex_clock_system();
  const struct cortex_metadata_source source = {
      keyring, subject->now, clock, clock->monotonic(clock) + HELPER_NS, helper_path()};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_metadata metadata;
  enum cortex_reason reason = cortex_metadata_inspect(subject->check->settings, subject->issuer,
                                                      &source, &metadata, &error);

  if (reason == CORTEX_OK)
    judge(subject, &metadata);
  else
    check_find(subject->check,
               cortex_reason_class(reason) == CORTEX_CLASS_KEYS ? CHECK_KEYS_UNAVAILABLE
                                                                : CHECK_KEYS_UNFETCHED,
               place_of(subject, subject->key), "%s", error.message);
}

static void inspect_remote(const struct subject *subject) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct cortex_keyring *keyring = cortex_keyring_new();
  struct fetch_result result;

  if (!issuer_keys_fetch(subject->issuer, clock->monotonic(clock) + FETCH_NS, &result))
    check_find(subject->check, CHECK_KEYS_UNFETCHED, place_of(subject, subject->key), "%s", result.why);
  else if (keyring == NULL ||
           cortex_keyring_put(keyring, cortex_issuer_label(subject->issuer), result.bytes,
                              result.len) != CORTEX_OK)
    check_find(subject->check, CHECK_KEYS_UNFETCHED, place_of(subject, subject->key), "out of memory");
  else
    inspect(subject, keyring);
  fetch_result_clear(&result);
  cortex_keyring_free(&keyring);
}

/* What providers encrypt for: a key that we do not have opens nothing. */
static void check_own_certificate(const struct subject *subject) {
  const char *file = cortex_issuer_value(subject->issuer, "sp_cert_file");
  const char *key = cortex_issuer_value(subject->issuer, "sp_key_file");
  X509 *certificate;

  if (file == NULL)
    return;
  certificate = saml_certificate_load(file);
  if (certificate == NULL)
    check_find(subject->check, CHECK_CERTIFICATE_UNFIT, place_of(subject, "sp_cert_file"),
                 "%s: no certificate can be read from it", file);
  else if (key == NULL)
    check_find(subject->check, CHECK_CERTIFICATE_UNFIT, place_of(subject, "sp_cert_file"),
                 "%s: the certificate is of no key here: there is no sp_key_file", file);
  else if (!saml_certificate_fits(certificate, key))
    check_find(subject->check, CHECK_CERTIFICATE_UNFIT, place_of(subject, "sp_cert_file"),
                 "%s: the certificate is not of the key in sp_key_file", file);
  else
    warn_of_end(subject, CHECK_CERTIFICATE_ENDING, "sp_cert_file", "our own certificate",
                saml_certificate_end(certificate), SOON);
  X509_free(certificate);
}

void check_saml(struct check *check, const struct cortex_issuer *issuer) {
  const struct cortex_clock *clock = cortex_clock_system();
  bool is_remote = cortex_issuer_is_fetched(issuer);
  const struct subject subject = {check, issuer, is_remote ? "metadata_url" : "metadata_file",
                                  clock->now(clock) / 1000000};

  check_own_certificate(&subject);
  if (!is_remote)
    inspect(&subject, NULL);
  else if (!check->offline)
    inspect_remote(&subject);
}
