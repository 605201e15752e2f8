/*
 * From bytes to identity: kinds, keyring, and what happens when memory runs out.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/credential.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing.h"
#include "identity/identity.h"
#include "jwt.h"

#define NOW 1700000000
#define SWEEP_MAX 100000

static const char config[] = "[oidc \"main\"]\n"
                             "issuer = https://op.example\n"
                             "audience = cortex\n"
                             "username_claim = email\n"
                             "username_map = /(.*)@example.com/\\1/\n"
                             "username_case = lower\n"
                             "required_claims = level=3, scope~=db\n"
                             "algorithms = RS256, PS256, ES256, EdDSA\n";

struct fixture {
  struct cortex_settings *settings;
  struct cortex_keyring *keyring;
  struct jwt_key *key, *other;
  char *set;
};

static char *make_token(const struct jwt_key *key, const char *alg) {
  json_t *header = json_pack("{ss ss ss}", "alg", alg, "kid", "k1", "typ", "JWT");
  json_t *payload = json_pack("{ss ss ss ss si ss sI sI s[ss] s[s] ss sI}", "iss",
                              "https://op.example", "sub", "1", "aud", "cortex", "email",
                              "Alice@example.com", "level", 3, "scope", "openid db", "iat",
                              (json_int_t)NOW, "exp", (json_int_t)NOW + 60, "groups", "a", "b",
                              "amr", "mfa", "acr", "2", "auth_time", (json_int_t)NOW - 5);
  char *token = jwt_sign_json(key, alg, header, payload);

  json_decref(header);
  json_decref(payload);
  return token;
}

static enum cortex_reason verify(const struct fixture *fixture, const void *bytes, size_t len,
                                 struct cortex_identity **identity_out) {
  struct cortex_credential credential = {.bytes = bytes,
                                         .len = len,
                                         .keyring = fixture->keyring,
                                         .now = NOW,
                                         .real_now = NOW};

  return cortex_verify(fixture->settings, &credential, identity_out, NULL);
}

static int make_fixture(struct fixture *fixture, const char *kind) {
  fixture->key = jwt_key_new(kind);
  fixture->other = jwt_key_new(kind);
  fixture->set = jwt_key_set(fixture->key, "k1");
  fixture->keyring = cortex_keyring_new();
  return fixture->keyring != NULL &&
                 cortex_keyring_put(fixture->keyring, "main", fixture->set,
                                    strlen(fixture->set)) == CORTEX_OK &&
                 cortex_settings_parse("test", config, strlen(config), &fixture->settings, NULL) ==
                     CORTEX_OK
             ? 0
             : -1;
}

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);

  *state = fixture;
  return make_fixture(fixture, "P-256");
}

static int teardown(void **state) {
  struct fixture *fixture = *state;

  cortex_settings_free(&fixture->settings);
  cortex_keyring_free(&fixture->keyring);
  jwt_key_free(fixture->key);
  jwt_key_free(fixture->other);
  free(fixture->set);
  free(fixture);
  return 0;
}

static void a_good_token_becomes_an_identity(void **state) {
  struct cortex_identity *identity;
  char *token = make_token(((struct fixture *)*state)->key, "ES256");

  assert_int_equal(verify(*state, token, strlen(token), &identity), CORTEX_OK);
  assert_string_equal(cortex_identity_kind(identity), "oidc");
  assert_string_equal(cortex_identity_username(identity), "alice");
  assert_string_equal(cortex_identity_group(identity, 1), "b");
  assert_null(cortex_identity_group(identity, 2));
  cortex_identity_free(&identity);
  assert_null(identity);
  free(token);
}

static void sizes_are_bounded_before_anything_is_read(void **state) {
  struct cortex_identity *identity;
  char *bytes = malloc(CORTEX_CREDENTIAL_MAX + 1);

  memset(bytes, '.', CORTEX_CREDENTIAL_MAX + 1);
  assert_int_equal(verify(*state, "", 0, &identity), CORTEX_MALFORMED);
  assert_int_equal(verify(*state, bytes, CORTEX_CREDENTIAL_MAX + 1, &identity), CORTEX_TOO_LARGE);
  assert_int_equal(verify(*state, bytes, CORTEX_CREDENTIAL_MAX, &identity), CORTEX_MALFORMED);
  assert_null(identity);
  free(bytes);
}

static void a_keyring_takes_the_last_keys_of_a_label(void **state) {
  struct fixture *fixture = *state;
  struct cortex_identity *identity;
  char *token = make_token(fixture->key, "ES256");
  char *other = jwt_key_set(fixture->other, "k1");

  assert_int_equal(cortex_keyring_put(fixture->keyring, "main", other, strlen(other)), CORTEX_OK);
  assert_int_equal(verify(fixture, token, strlen(token), &identity), CORTEX_SIGNATURE_INVALID);
  assert_int_equal(cortex_keyring_put(fixture->keyring, "main", "{", 1), CORTEX_OK);
  assert_int_equal(verify(fixture, token, strlen(token), &identity), CORTEX_KEYS_UNAVAILABLE);
  assert_int_equal(
      cortex_keyring_put(fixture->keyring, "main", fixture->set, strlen(fixture->set)), CORTEX_OK);
  assert_int_equal(verify(fixture, token, strlen(token), &identity), CORTEX_OK);
  cortex_identity_free(&identity);
  free(token);
  free(other);
}

static void a_keyring_refuses_more_than_a_mebibyte(void **state) {
  struct fixture *fixture = *state;
  char *bytes = calloc(1, 1024 * 1024 + 1);

  assert_int_equal(cortex_keyring_put(fixture->keyring, "x", bytes, 1024 * 1024 + 1),
                   CORTEX_TOO_LARGE);
  assert_int_equal(cortex_keyring_put(fixture->keyring, "x", bytes, 1024 * 1024), CORTEX_OK);
  free(bytes);
}

static void one_token_has_one_id_whatever_its_signature(void **state) {
  struct fixture *fixture = *state;
  struct cortex_identity *first, *second;
  char *one = make_token(fixture->key, "ES256"), *two = make_token(fixture->key, "ES256");

  assert_string_not_equal(one, two); /* ECDSA signs differently each time */
  assert_int_equal(verify(fixture, one, strlen(one), &first), CORTEX_OK);
  assert_int_equal(verify(fixture, two, strlen(two), &second), CORTEX_OK);
  assert_string_equal(first->token_id, second->token_id);
  cortex_identity_free(&first);
  cortex_identity_free(&second);
  free(one);
  free(two);
}

static char *make_numbered(const struct jwt_key *key, const char *issuer, const char *jti,
                           json_int_t issued) {
  json_t *header = json_pack("{ss}", "alg", "ES256");
  json_t *payload =
      json_pack("{ss ss ss ss si ss sI sI ss}", "iss", issuer, "sub", "1", "aud",
                "cortex", "email", "a@example.com", "level", 3, "scope", "db", "iat", issued,
                "exp", (json_int_t)NOW + 60, "jti", jti);
  char *token = jwt_sign_json(key, "ES256", header, payload);

  json_decref(header);
  json_decref(payload);
  return token;
}

/* A second issuer, with the same key, which proves nothing of whose a token is. */
static void use_issuers(struct fixture *fixture) {
  char text[3 * sizeof config];

  snprintf(text, sizeof text, "%s[oidc \"second\"]\nissuer = https://second.example\n%s", config,
           strstr(config, "audience"));
  cortex_settings_free(&fixture->settings);
  assert_int_equal(cortex_settings_parse("test", text, strlen(text), &fixture->settings, NULL),
                   CORTEX_OK);
  assert_int_equal(
      cortex_keyring_put(fixture->keyring, "second", fixture->set, strlen(fixture->set)), CORTEX_OK);
}

static void a_jti_names_the_token_where_there_is_one(void **state) {
  struct fixture *fixture = *state;
  static const struct {
    const char *issuer, *jti;
    json_int_t issued;
    bool is_first; /* the same token as the first */
  } cases[] = {{"https://op.example", "j1", NOW, true},
               {"https://op.example", "j1", NOW - 1, true},
               {"https://op.example", "j2", NOW, false},
               {"https://second.example", "j1", NOW, false}}; /* another issuer's, however alike */
  struct cortex_identity *identity;
  char first[sizeof identity->token_id] = "";
  size_t i;

  use_issuers(fixture);
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *token = make_numbered(fixture->key, cases[i].issuer, cases[i].jti, cases[i].issued);

    assert_int_equal(verify(fixture, token, strlen(token), &identity), CORTEX_OK);
    if (i == 0)
      strcpy(first, identity->token_id);
    assert_int_equal(strcmp(identity->token_id, first) == 0, cases[i].is_first);
    cortex_identity_free(&identity);
    free(token);
  }
}

/* Fails each allocation in turn until none was left to fail. */
static void sweep(const struct fixture *fixture, const char *token, enum cortex_reason expected,
                  bool all_after) {
  struct cortex_identity *identity;
  enum cortex_reason reason;
  bool has_failed = true;
  size_t nth;

  assert_int_equal(verify(fixture, token, strlen(token), &identity), expected); /* warm OpenSSL */
  cortex_identity_free(&identity);
  for (nth = 1; has_failed && nth < SWEEP_MAX; nth++) {
    failing_start(nth, all_after);
    reason = verify(fixture, token, strlen(token), &identity);
    has_failed = failing_stop();
    assert_true((reason == CORTEX_OK) == (identity != NULL));
    if (expected != CORTEX_OK)
      assert_int_not_equal(reason, CORTEX_OK);
    if (identity != NULL) {
      assert_string_equal(cortex_identity_username(identity), "alice");
      assert_int_equal(cortex_identity_group_count(identity), 2);
      assert_true(identity->mfa);
    }
    cortex_identity_free(&identity);
  }
  assert_in_range(nth, 12, SWEEP_MAX - 1);
}

static void lack_of_memory_never_opens_and_never_leaks(void **state) {
  static const char *const kinds[][2] = {
      {"RSA", "RS256"}, {"RSA", "PS256"}, {"P-256", "ES256"}, {"Ed25519", "EdDSA"}};
  struct fixture fixture;
  size_t i;
  int mode;

  (void)state;
  for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    memset(&fixture, 0, sizeof fixture);
    assert_int_equal(make_fixture(&fixture, kinds[i][0]), 0);
    for (mode = 0; mode < 2; mode++) {
      char *good = make_token(fixture.key, kinds[i][1]);
      char *forged = make_token(fixture.other, kinds[i][1]);

      sweep(&fixture, good, CORTEX_OK, mode == 1);
      sweep(&fixture, forged, CORTEX_SIGNATURE_INVALID, mode == 1);
      free(good);
      free(forged);
    }
    cortex_settings_free(&fixture.settings);
    cortex_keyring_free(&fixture.keyring);
    jwt_key_free(fixture.key);
    jwt_key_free(fixture.other);
    free(fixture.set);
  }
}

static void lack_of_memory_while_keys_are_put_in_is_told(void **state) {
  struct fixture *fixture = *state;
  struct cortex_keyring *keyring = cortex_keyring_new();
  enum cortex_reason reason;
  bool has_failed = true;
  size_t nth;

  for (nth = 1; has_failed && nth < SWEEP_MAX; nth++) {
    failing_start(nth, false);
    reason = cortex_keyring_put(keyring, "main", fixture->set, strlen(fixture->set));
    has_failed = failing_stop();
    assert_true(reason == CORTEX_OK || reason == CORTEX_INTERNAL);
  }
  assert_in_range(nth, 5, SWEEP_MAX - 1);
  cortex_keyring_free(&keyring);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_good_token_becomes_an_identity, setup, teardown),
      cmocka_unit_test_setup_teardown(sizes_are_bounded_before_anything_is_read, setup, teardown),
      cmocka_unit_test_setup_teardown(a_keyring_takes_the_last_keys_of_a_label, setup, teardown),
      cmocka_unit_test_setup_teardown(a_keyring_refuses_more_than_a_mebibyte, setup, teardown),
      cmocka_unit_test_setup_teardown(one_token_has_one_id_whatever_its_signature, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(a_jti_names_the_token_where_there_is_one, setup, teardown),
      cmocka_unit_test(lack_of_memory_never_opens_and_never_leaks),
      cmocka_unit_test_setup_teardown(lack_of_memory_while_keys_are_put_in_is_told, setup,
                                      teardown),
  };

  failing_install();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
