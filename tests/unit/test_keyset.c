/*
 * Key sets: the choice is the same whether keys were made before or when asked for.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keyset.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jwt.h"
#include "oidc/token.h"

static const char *const kinds[][2] = {{"RSA", "RS256"},   {"RSA", "PS512"},   {"P-256", "ES256"},
                                       {"P-384", "ES384"}, {"P-521", "ES512"}, {"Ed25519", "EdDSA"}};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* Verifies a token of that kid with a set, made ready beforehand or not. */
static enum cortex_reason verify(const char *set, bool is_prepared, const char *token,
                                 const char *alg) {
  struct cx_keyset *keyset;
  struct cx_token parsed;
  struct cx_jws jws;
  enum cortex_reason reason;

  assert_int_equal(cx_token_parse(token, strlen(token), &parsed, NULL), CORTEX_OK);
  assert_int_equal(cx_keyset_parse(set, strlen(set), &keyset, NULL), CORTEX_OK);
  if (is_prepared)
    cx_keyset_prepare(keyset);
  jws = (struct cx_jws){cx_jws_algorithm_find(alg), parsed.kid,       parsed.kid_len,
                        parsed.input,               parsed.input_len, parsed.signature,
                        parsed.signature_len};
  reason = cx_keyset_verify(keyset, &jws, NULL);
  assert_int_equal(cx_keyset_verify(keyset, &jws, NULL), reason);
  assert_int_equal(ERR_peek_error(), 0); /* the host program's queue is left alone */
  cx_keyset_free(&keyset);
  assert_null(keyset);
  cx_token_clear(&parsed);
  return reason;
}

static void expect_both(const char *set, const char *token, const char *alg,
                        enum cortex_reason reason) {
  assert_int_equal(verify(set, false, token, alg), reason);
  assert_int_equal(verify(set, true, token, alg), reason);
}

static char *make_token(const struct jwt_key *key, const char *alg, const char *kid) {
  json_t *header = json_pack("{ss ss}", "alg", alg, "kid", kid), *payload = json_object();
  char *token = jwt_sign_json(key, alg, header, payload);

  json_decref(header);
  json_decref(payload);
  return token;
}

static void each_kind_verifies_with_its_key_alone(void **state) {
  size_t i, j;

  (void)state;
  for (i = 0; i < KINDS; i++) {
    struct jwt_key *key = jwt_key_new(kinds[i][0]), *other = jwt_key_new(kinds[i][0]);
    char *set = jwt_key_set(key, "k"), *wrong = jwt_key_set(other, "k");
    char *token = make_token(key, kinds[i][1], "k");

    expect_both(set, token, kinds[i][1], CORTEX_OK);
    expect_both(wrong, token, kinds[i][1], CORTEX_SIGNATURE_INVALID);
    for (j = 0; j < KINDS; j++)
      if (strcmp(kinds[j][0], kinds[i][0]) != 0)
        expect_both(set, token, kinds[j][1], CORTEX_KEY_MISMATCH);
    jwt_key_free(key);
    jwt_key_free(other);
    free(set);
    free(wrong);
    free(token);
  }
}

static void weak_and_unknown_keys_are_told_apart(void **state) {
  struct jwt_key *key = jwt_key_new("RSA-1024");
  char *set = jwt_key_set(key, "k"), *token = make_token(key, "RS256", "k");
  char *stranger = make_token(key, "RS256", "x");

  (void)state;
  expect_both(set, token, "RS256", CORTEX_WEAK_KEY);
  expect_both(set, stranger, "RS256", CORTEX_UNKNOWN_KID);
  expect_both("{\"keys\":[]}", token, "RS256", CORTEX_UNKNOWN_KID);
  expect_both("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"AQ\"}]}", token, "RS256",
              CORTEX_UNKNOWN_KID);
  jwt_key_free(key);
  free(set);
  free(token);
  free(stranger);
}

static void only_ten_algorithms_exist(void **state) {
  static const char *const none[] = {"none", "None", "", "HS256", "HS384", "HS512", "rs256",
                                     "RS1", "ES256K", "Ed448", "RSA-OAEP", "dir"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof none / sizeof none[0]; i++)
    assert_null(cx_jws_algorithm_find(none[i]));
  for (i = 0; i < KINDS; i++)
    assert_string_equal(cx_jws_algorithm_find(kinds[i][1])->name, kinds[i][1]);
}

/* What is put in front of another error must leave it where it was. */
static void errors_of_the_host_program_stay_in_its_queue(void **state) {
  struct jwt_key *key = jwt_key_new("P-256"), *other = jwt_key_new("P-256");
  char *set = jwt_key_set(key, "k"), *token = make_token(other, "ES256", "k");
  struct cx_keyset *keyset;
  struct cx_token parsed;
  struct cx_jws jws;

  (void)state;
  assert_int_equal(cx_token_parse(token, strlen(token), &parsed, NULL), CORTEX_OK);
  assert_int_equal(cx_keyset_parse(set, strlen(set), &keyset, NULL), CORTEX_OK);
  jws = (struct cx_jws){cx_jws_algorithm_find("ES256"), "k", 1, parsed.input, parsed.input_len,
                        parsed.signature, 63};
  ERR_raise(ERR_LIB_USER, 77);
  assert_int_equal(cx_keyset_verify(keyset, &jws, NULL), CORTEX_SIGNATURE_INVALID);
  jws.signature_len = 64;
  assert_int_equal(cx_keyset_verify(keyset, &jws, NULL), CORTEX_SIGNATURE_INVALID);
  assert_int_equal(ERR_GET_REASON(ERR_get_error()), 77);
  assert_int_equal(ERR_get_error(), 0);
  cx_keyset_free(&keyset);
  cx_token_clear(&parsed);
  jwt_key_free(key);
  jwt_key_free(other);
  free(set);
  free(token);
}

static void a_key_of_another_type_verifies_nothing(void **state) {
  static const uint8_t signature[256] = {0};
  struct jwt_key *key = jwt_key_new("P-256");
  json_t *jwk = jwt_key_jwk(key, NULL);
  struct cx_key ready;
  size_t i;

  (void)state;
  assert_int_equal(cx_key_import(&cx_key_p256, jwk, &ready), CORTEX_OK);
  for (i = 0; i < KINDS; i++) {
    const struct cx_jws jws = {cx_jws_algorithm_find(kinds[i][1]), NULL, 0, "x", 1, signature,
                               sizeof signature};

    assert_false(cx_jws_verify(&jws, &ready));
  }
  cx_key_clear(&ready);
  json_decref(jwk);
  jwt_key_free(key);
}

/* RFC 7518 6.2.1.2: full size, although the missing byte here is zero and easy to guess. */
static void a_coordinate_without_its_last_zero_is_refused(void **state) {
  static const char *const names[] = {"x", "y"};
  struct cx_key ready;
  size_t i;

  (void)state;
  for (i = 0; i < 2; i++) {
    struct jwt_key *key = NULL;
    json_t *jwk = NULL;
    const char *text;

    do { /* 43 letters: the last carries four bits, the one before six of the last two bytes */
      json_decref(jwk);
      jwt_key_free(key);
      key = jwt_key_new("P-256");
      jwk = jwt_key_jwk(key, NULL);
      text = json_string_value(json_object_get(jwk, names[i]));
    } while (text[42] != 'A' || strchr("AQgw", text[41]) == NULL);
    json_object_set_new(jwk, names[i], json_stringn(text, 42));
    assert_int_equal(cx_key_import(&cx_key_p256, jwk, &ready), CORTEX_KEY_MISMATCH);
    json_decref(jwk);
    jwt_key_free(key);
  }
}

static void documents_that_are_no_set_are_refused(void **state) {
  static const char *const texts[] = {"", "null", "[]", "{}", "{\"keys\":null}", "{\"keys\":{}}",
                                      "{\"keys\":[]", "{\"keys\":[],\"keys\":[]}", "\xef\xbb\xbf{}"};
  struct cortex_error error;
  struct cx_keyset *keyset;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    error = (struct cortex_error)CORTEX_ERROR_NONE;
    assert_int_equal(cx_keyset_parse(texts[i], strlen(texts[i]), &keyset, &error),
                     CORTEX_KEYS_UNAVAILABLE);
    assert_null(keyset);
    assert_true(strlen(error.message) > 0);
  }
}

static void one_key_is_found_among_a_thousand(void **state) {
  struct jwt_key *key = jwt_key_new("P-256"), *other = jwt_key_new("P-256");
  json_t *set = json_pack("{s[]}", "keys");
  char *token = make_token(key, "ES256", "k777"), kid[8], *text;
  int i;

  (void)state;
  for (i = 0; i < 1000; i++) {
    snprintf(kid, sizeof kid, "k%d", i);
    json_array_append_new(json_object_get(set, "keys"), jwt_key_jwk(i == 777 ? key : other, kid));
  }
  text = json_dumps(set, 0);
  expect_both(text, token, "ES256", CORTEX_OK);
  json_decref(set);
  jwt_key_free(key);
  jwt_key_free(other);
  free(token);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_verifies_with_its_key_alone),
      cmocka_unit_test(weak_and_unknown_keys_are_told_apart),
      cmocka_unit_test(only_ten_algorithms_exist),
      cmocka_unit_test(errors_of_the_host_program_stay_in_its_queue),
      cmocka_unit_test(a_key_of_another_type_verifies_nothing),
      cmocka_unit_test(a_coordinate_without_its_last_zero_is_refused),
      cmocka_unit_test(documents_that_are_no_set_are_refused),
      cmocka_unit_test(one_key_is_found_among_a_thousand),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
