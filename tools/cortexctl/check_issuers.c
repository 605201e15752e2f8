/*
 * The issuers' part of cortexctl check.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <sys/stat.h>

#include <cortexauth/clock.h>
#include <cortexauth/credential.h>

#include "common/issuer_keys.h"
#include "dev_key.h"

#define FETCH_NS INT64_C(4000000000)

/* Keys of cortex.conf that name a private key. */
static const char *const private_keys[] = {"decryption_key_file", "sp_key_file"};

static struct check_place issuer_place(const struct check *check,
                                       const struct cortex_issuer *issuer, const char *key) {
  return (struct check_place){check->config, cortex_issuer_key_line(issuer, key), 0};
}

/* ---- names ---- */

static bool is_same(const char *left, const char *right) {
  return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static bool shares_names(const struct cortex_issuer *issuer) {
  return strcmp(cortex_issuer_value(issuer, "shared_names"), "yes") == 0;
}

/* Two issuers that name people alike can give one person's role to another. */
static void check_names(struct check *check, size_t own) {
  const struct cortex_issuer *issuer = cortex_settings_issuer(check->settings, own);
  const char *namespace = cortex_issuer_value(issuer, "namespace");
  size_t i;

  for (i = 0; i < own; i++) {
    const struct cortex_issuer *other = cortex_settings_issuer(check->settings, i);

    if (!is_same(namespace, cortex_issuer_value(other, "namespace")) ||
        (shares_names(issuer) && shares_names(other)))
      continue;
    check_find(check, CHECK_NAMES_SHARED, issuer_place(check, issuer, "namespace"),
               "\"%s\" and \"%s\" (line %u) have %s: their logins are refused unless both say "
               "shared_names = yes",
               cortex_issuer_label(issuer), cortex_issuer_label(other), cortex_issuer_line(other),
               namespace == NULL ? "no namespace" : "the same namespace");
  }
}

/* ---- keys ---- */

static bool is_development(const json_t *set) {
  const json_t *key;
  size_t i;

  if (json_is_true(json_object_get(set, DEV_MEMBER)))
    return true;
  json_array_foreach(json_object_get(set, "keys"), i, key) {
    const char *kid = json_string_value(json_object_get(key, "kid"));

    if (kid != NULL && strncmp(kid, DEV_KID_PREFIX, strlen(DEV_KID_PREFIX)) == 0)
      return true;
  }
  return false;
}

static void warn_of_development(struct check *check, const struct cortex_issuer *issuer,
                                json_t *set) {
  if (is_development(set))
    check_find(check, CHECK_KEYS_DEVELOPMENT, issuer_place(check, issuer, "jwks_file"),
               "\"%s\" is a development issuer: whoever can read its keys can be anyone",
               cortex_issuer_label(issuer));
  json_decref(set);
}

/* What a login would make of the keys that were found. */
static void judge_keys(struct check *check, const struct cortex_issuer *issuer,
                       const struct cortex_key_count *count, const char *key) {
  if (count->weak > 0)
    check_find(check, CHECK_KEYS_WEAK, issuer_place(check, issuer, key),
               "%zu of the keys of \"%s\" are too weak and will not be used", count->weak,
               cortex_issuer_label(issuer));
  if (count->usable == 0)
    check_find(check, CHECK_KEYS_NONE, issuer_place(check, issuer, key),
               "no key of \"%s\" fits one of its algorithms (%zu do not)",
               cortex_issuer_label(issuer), count->other + count->weak);
}

static int64_t real_now(void) {
  const struct cortex_clock *clock = cortex_clock_system();

  return clock->now(clock) / 1000000;
}

static void check_key_file(struct check *check, const struct cortex_issuer *issuer) {
  const char *file = cortex_issuer_value(issuer, "jwks_file");
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_key_count count;

  if (cortex_issuer_value(issuer, "jwks_uri") != NULL)
    check_find(check, CHECK_JWKS_URI_IDLE, issuer_place(check, issuer, "jwks_uri"),
               "jwks_uri has no effect beside jwks_file");
  if (cortex_issuer_count_keys(check->settings, issuer, NULL, real_now(), &count, &error) !=
      CORTEX_OK) {
    check_find(check, CHECK_KEYS_UNAVAILABLE, issuer_place(check, issuer, "jwks_file"), "%s",
               error.message);
    return;
  }
  judge_keys(check, issuer, &count, "jwks_file");
  warn_of_development(check, issuer, json_load_file(file, 0, NULL));
}

static void check_fetched(struct check *check, const struct cortex_issuer *issuer,
                          const struct fetch_result *result) {
  struct cortex_keyring *keyring = cortex_keyring_new();
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_key_count count;

  if (keyring == NULL || cortex_keyring_put(keyring, cortex_issuer_label(issuer), result->bytes,
                                            result->len) != CORTEX_OK)
    check_find(check, CHECK_KEYS_UNFETCHED, issuer_place(check, issuer, "jwks_uri"),
               "out of memory");
  else if (cortex_issuer_count_keys(check->settings, issuer, keyring, real_now(), &count, &error) !=
           CORTEX_OK)
    check_find(check, CHECK_KEYS_UNAVAILABLE, issuer_place(check, issuer, "jwks_uri"), "%s",
               error.message);
  else
    judge_keys(check, issuer, &count, "jwks_uri");
  warn_of_development(check, issuer, json_loadb(result->bytes, result->len, 0, NULL));
  cortex_keyring_free(&keyring);
}

static void check_remote_keys(struct check *check, const struct cortex_issuer *issuer) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct fetch_result result;

  if (issuer_keys_fetch(issuer, clock->monotonic(clock) + FETCH_NS, &result))
    check_fetched(check, issuer, &result);
  else
    check_find(check, CHECK_KEYS_UNFETCHED, issuer_place(check, issuer, "jwks_uri"), "%s",
               result.why);
  fetch_result_clear(&result);
}

/* ---- files ---- */

static void check_authorities(struct check *check, const struct cortex_issuer *issuer) {
  const char *file = cortex_issuer_value(issuer, "ca_file");
  X509_STORE *store;

  if (file == NULL)
    return;
  store = X509_STORE_new();
  if (store == NULL || X509_STORE_load_file(store, file) != 1)
    check_find(check, CHECK_CA_UNREADABLE, issuer_place(check, issuer, "ca_file"),
               "%s: no certificates can be read from it", file);
  X509_STORE_free(store);
}

static void check_private_keys(struct check *check, const struct cortex_issuer *issuer) {
  struct stat status;
  size_t i;

  for (i = 0; i < sizeof private_keys / sizeof private_keys[0]; i++) {
    const char *file = cortex_issuer_value(issuer, private_keys[i]);

    if (file != NULL && stat(file, &status) == 0 && (status.st_mode & S_IROTH) != 0)
      check_find(check, CHECK_PRIVATE_KEY_PUBLIC, issuer_place(check, issuer, private_keys[i]),
                 "%s: everybody can read this private key", file);
  }
}

void check_issuers(struct check *check) {
  const struct cortex_issuer *issuer;
  size_t i;

  check->providers = json_object();
  for (i = 0; (issuer = cortex_settings_issuer(check->settings, i)) != NULL; i++) {
    check_names(check, i);
    check_authorities(check, issuer);
    check_private_keys(check, issuer);
    if (strcmp(cortex_issuer_kind(issuer), "saml") == 0)
      check_saml(check, issuer);
    else if (!issuer_keys_are_remote(issuer))
      check_key_file(check, issuer);
    else if (!check->offline)
      check_remote_keys(check, issuer);
  }
  json_decref(check->providers);
  check->providers = NULL;
}
