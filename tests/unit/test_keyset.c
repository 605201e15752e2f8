/*
 * Key sets: the choice is the same whether keys were made before, when asked for, or compiled.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "oidc/keyset.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "parsed.h"

#include "jwt.h"
#include "oidc/keycache.h"
#include "oidc/token.h"
#include "util/file.h"

static const char *const kinds[][2] = {{"RSA", "RS256"},   {"RSA", "PS512"},   {"P-256", "ES256"},
                                       {"P-384", "ES384"}, {"P-521", "ES512"}, {"Ed25519", "EdDSA"}};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* The ways to a key: made when asked for, made beforehand, or out of a cache file. */
enum way { AS_ASKED, PREPARED, COMPILED, WAYS };

static void choose_compiled(const struct cx_keyset *keyset, const struct cx_jws *jws,
                            struct cx_choice *choice) {
  int fd = memfd_create("keys", MFD_CLOEXEC);
  struct cx_buf image;

  assert_int_equal(cx_keycache_write(keyset, &image, NULL), CORTEX_OK);
  assert_true(fd >= 0 && cx_file_write(fd, image.bytes, image.len));
  assert_int_equal(cx_keycache_choose(fd, image.len, jws, choice, NULL), CORTEX_OK);
  close(fd);
  cx_buf_clear(&image);
}

static enum cortex_reason verify_jws(const struct cx_keyset *keyset, enum way way,
                                     const struct cx_jws *jws) {
  struct cx_choice choice = {.count = 0};
  enum cortex_reason reason;

  if (way == COMPILED)
    choose_compiled(keyset, jws, &choice);
  else
    cx_keyset_choose(keyset, jws, &choice);
  reason = cx_choice_verify(&choice, jws, NULL);
  cx_choice_clear(&choice);
  return reason;
}

/* Verifies a token of that kid with a set. */
static enum cortex_reason verify(const char *set, enum way way, const char *token,
                                 const char *alg) {
  struct cx_keyset *keyset;
  struct cx_token parsed;
  struct cx_jws jws;
  enum cortex_reason reason;

  assert_int_equal(cx_token_parse(token, strlen(token), &parsed, NULL), CORTEX_OK);
  assert_int_equal(cx_keyset_parse(set, strlen(set), &keyset, NULL), CORTEX_OK);
  if (way == PREPARED)
    cx_keyset_prepare(keyset);
  jws = (struct cx_jws){cx_jws_algorithm_find(alg), parsed.kid,       parsed.kid_len,
                        parsed.input,               parsed.input_len, parsed.signature,
                        parsed.signature_len};
  reason = verify_jws(keyset, way, &jws);
  assert_int_equal(verify_jws(keyset, way, &jws), reason);
  assert_int_equal(ERR_peek_error(), 0); /* the host program's queue is left alone */
  cx_keyset_free(&keyset);
  assert_null(keyset);
  cx_token_clear(&parsed);
  return reason;
}

static void expect_all(const char *set, const char *token, const char *alg,
                       enum cortex_reason reason) {
  enum way way;

  for (way = AS_ASKED; way < WAYS; way++)
    assert_int_equal(verify(set, way, token, alg), reason);
}

static char *make_token(const struct jwt_key *key, const char *alg, const char *kid) {
  json_t *header = json_pack("{ss ss*}", "alg", alg, "kid", kid), *payload = json_object();
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

    expect_all(set, token, kinds[i][1], CORTEX_OK);
    expect_all(wrong, token, kinds[i][1], CORTEX_SIGNATURE_INVALID);
    for (j = 0; j < KINDS; j++)
      if (strcmp(kinds[j][0], kinds[i][0]) != 0)
        expect_all(set, token, kinds[j][1], CORTEX_KEY_MISMATCH);
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
  expect_all(set, token, "RS256", CORTEX_WEAK_KEY);
  expect_all(set, stranger, "RS256", CORTEX_UNKNOWN_KID);
  expect_all("{\"keys\":[]}", token, "RS256", CORTEX_UNKNOWN_KID);
  expect_all("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"AQ\"}]}", token, "RS256",
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
  assert_int_equal(verify_jws(keyset, AS_ASKED, &jws), CORTEX_SIGNATURE_INVALID);
  jws.signature_len = 64;
  assert_int_equal(verify_jws(keyset, AS_ASKED, &jws), CORTEX_SIGNATURE_INVALID);
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
  const cx_json *read = parsed_of(jwk);
  struct cx_key ready;
  size_t i;

  (void)state;
  assert_int_equal(cx_key_import(&cx_key_p256, read, &ready), CORTEX_OK);
  for (i = 0; i < KINDS; i++) {
    const struct cx_jws jws = {cx_jws_algorithm_find(kinds[i][1]), NULL, 0, "x", 1, signature,
                               sizeof signature};

    assert_false(cx_jws_verify(&jws, &ready));
  }
  cx_key_clear(&ready);
  cx_json_release(read);
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
    const cx_json *read;
    const char *text;

    do { /* 43 letters: the last carries four bits, the one before six of the last two bytes */
      json_decref(jwk);
      jwt_key_free(key);
      key = jwt_key_new("P-256");
      jwk = jwt_key_jwk(key, NULL);
      text = json_string_value(json_object_get(jwk, names[i]));
    } while (text[42] != 'A' || strchr("AQgw", text[41]) == NULL);
    json_object_set_new(jwk, names[i], json_stringn(text, 42));
    read = parsed_of(jwk);
    assert_int_equal(cx_key_import(&cx_key_p256, read, &ready), CORTEX_KEY_MISMATCH);
    cx_json_release(read);
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
  expect_all(text, token, "ES256", CORTEX_OK);
  json_decref(set);
  jwt_key_free(key);
  jwt_key_free(other);
  free(token);
  free(text);
}

/* One JWK of a key with another kid (NULL: none), use and alg. */
static json_t *make_jwk(const struct jwt_key *key, const char *kid, const char *use,
                        const char *alg) {
  json_t *jwk = jwt_key_jwk(key, kid);

  if (use != NULL)
    json_object_set_new(jwk, "use", json_string(use));
  if (alg != NULL)
    json_object_set_new(jwk, "alg", json_string(alg));
  return jwk;
}

static void expect_of_set(json_t *keys, const char *token, const char *alg,
                          enum cortex_reason reason) {
  json_t *set = json_pack("{so}", "keys", keys);
  char *text = json_dumps(set, 0);

  expect_all(text, token, alg, reason);
  free(text);
  json_decref(set);
}

static void several_keys_of_one_kid_are_tried(void **state) {
  struct jwt_key *key = jwt_key_new("P-256"), *other = jwt_key_new("P-256");
  struct jwt_key *rsa = jwt_key_new("RSA"), *weak = jwt_key_new("RSA-1024");
  char *token = make_token(key, "ES256", "k");
  json_t *keys = json_array();
  int i;

  (void)state;
  expect_of_set(json_pack("[oooo]", make_jwk(rsa, "k", NULL, NULL), make_jwk(weak, "k", NULL, NULL),
                          make_jwk(other, "k", NULL, NULL), make_jwk(key, "k", NULL, NULL)),
                token, "ES256", CORTEX_OK);
  for (i = 0; i < 4; i++)
    json_array_append_new(keys, make_jwk(other, "k", NULL, NULL));
  json_array_append_new(keys, make_jwk(key, "k", NULL, NULL));
  expect_of_set(keys, token, "ES256", CORTEX_SIGNATURE_INVALID); /* the fifth is not tried */
  jwt_key_free(key);
  jwt_key_free(other);
  jwt_key_free(rsa);
  jwt_key_free(weak);
  free(token);
}

static void use_and_alg_bind_a_key(void **state) {
  struct jwt_key *key = jwt_key_new("RSA");
  char *token = make_token(key, "PS256", "k");

  (void)state;
  expect_of_set(json_pack("[o]", make_jwk(key, "k", "sig", "PS256")), token, "PS256", CORTEX_OK);
  expect_of_set(json_pack("[o]", make_jwk(key, "k", "sig", "RS256")), token, "PS256",
                CORTEX_KEY_MISMATCH);
  expect_of_set(json_pack("[o]", make_jwk(key, "k", "enc", NULL)), token, "PS256",
                CORTEX_KEY_MISMATCH);
  jwt_key_free(key);
  free(token);
}

static void without_kid_exactly_one_key_must_fit(void **state) {
  struct jwt_key *key = jwt_key_new("P-256"), *other = jwt_key_new("P-256");
  struct jwt_key *rsa = jwt_key_new("RSA"), *weak = jwt_key_new("RSA-1024");
  char *token = make_token(key, "ES256", NULL), *weakly = make_token(weak, "RS256", NULL);

  (void)state;
  expect_of_set(json_pack("[oo]", make_jwk(rsa, "a", NULL, NULL), make_jwk(key, "b", NULL, NULL)),
                token, "ES256", CORTEX_OK);
  expect_of_set(json_pack("[oo]", make_jwk(rsa, "a", NULL, NULL), make_jwk(key, NULL, NULL, NULL)),
                token, "ES256", CORTEX_OK);
  expect_of_set(json_pack("[oo]", make_jwk(other, "a", "enc", NULL), make_jwk(key, "b", NULL, NULL)),
                token, "ES256", CORTEX_OK);
  expect_of_set(json_pack("[oo]", make_jwk(other, "a", NULL, NULL), make_jwk(key, "b", NULL, NULL)),
                token, "ES256", CORTEX_UNKNOWN_KID);
  expect_of_set(json_pack("[o]", make_jwk(rsa, "a", NULL, NULL)), token, "ES256",
                CORTEX_KEY_MISMATCH);
  expect_of_set(json_pack("[o]", make_jwk(weak, "a", NULL, NULL)), weakly, "RS256",
                CORTEX_WEAK_KEY);
  expect_of_set(json_array(), token, "ES256", CORTEX_UNKNOWN_KID);
  jwt_key_free(key);
  jwt_key_free(other);
  jwt_key_free(rsa);
  jwt_key_free(weak);
  free(token);
  free(weakly);
}

/* With a kid that a key does not have, or has in part, or with NUL behind. */
static void a_kid_is_compared_whole(void **state) {
  static const char *const kids[] = {"", "k", "kid-1", "KID", "kid "};
  struct jwt_key *key = jwt_key_new("P-256");
  size_t i;

  (void)state;
  for (i = 0; i < sizeof kids / sizeof kids[0]; i++) {
    char *token = make_token(key, "ES256", kids[i]);

    expect_of_set(json_pack("[oo]", make_jwk(key, "kid", NULL, NULL), make_jwk(key, NULL, NULL, NULL)),
                  token, "ES256", CORTEX_UNKNOWN_KID);
    expect_of_set(json_pack("[o]", make_jwk(key, kids[i], NULL, NULL)), token, "ES256", CORTEX_OK);
    free(token);
  }
  jwt_key_free(key);
}

static void a_set_of_too_many_keys_is_refused(void **state) {
  json_t *set = json_pack("{s[]}", "keys");
  struct cx_keyset *keyset;
  char *text;
  int i;

  (void)state;
  for (i = 0; i < CX_KEYSET_KEYS_MAX + 1; i++)
    json_array_append_new(json_object_get(set, "keys"), json_object());
  text = json_dumps(set, 0);
  assert_int_equal(cx_keyset_parse(text, strlen(text), &keyset, NULL), CORTEX_KEYS_UNAVAILABLE);
  json_decref(set);
  free(text);
}

/* A coordinate that no point of P-256 has, for each number. */
static char *set_of_broken_keys(unsigned count, const char *good) {
  struct cx_buf set;
  unsigned i;

  cx_buf_init(&set, CX_KEYSET_SIZE_MAX);
  cx_buf_put_text(&set, "{\"keys\":[");
  for (i = 0; i < count; i++)
    cx_buf_printf(&set,
                  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"%04u%s\",\"y\":\"%s\"},",
                  i, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE");
  cx_buf_put_text(&set, strchr(good, '[') + 1);
  return cx_buf_take(&set);
}

/* Some broken keys of the kid are passed over; thousands are not tried one by one. */
static void broken_keys_are_tried_to_a_limit(void **state) {
  static const struct {
    unsigned broken;
    enum cortex_reason reason;
  } steps[] = {{CX_CHOICE_TRIES_MAX - 1, CORTEX_OK},
               {CX_CHOICE_TRIES_MAX, CORTEX_UNKNOWN_KID},
               {7000, CORTEX_UNKNOWN_KID}};
  struct jwt_key *key = jwt_key_new("P-256");
  char *good = jwt_key_set(key, "k"), *token = make_token(key, "ES256", "k");
  size_t i;

  (void)state;
  for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    char *set = set_of_broken_keys(steps[i].broken, good);

    assert_int_equal(verify(set, AS_ASKED, token, "ES256"), steps[i].reason);
    free(set);
  }
  free(token);
  free(good);
  jwt_key_free(key);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_verifies_with_its_key_alone),
      cmocka_unit_test(broken_keys_are_tried_to_a_limit),
      cmocka_unit_test(weak_and_unknown_keys_are_told_apart),
      cmocka_unit_test(only_ten_algorithms_exist),
      cmocka_unit_test(errors_of_the_host_program_stay_in_its_queue),
      cmocka_unit_test(a_key_of_another_type_verifies_nothing),
      cmocka_unit_test(a_coordinate_without_its_last_zero_is_refused),
      cmocka_unit_test(documents_that_are_no_set_are_refused),
      cmocka_unit_test(one_key_is_found_among_a_thousand),
      cmocka_unit_test(several_keys_of_one_kid_are_tried),
      cmocka_unit_test(use_and_alg_bind_a_key),
      cmocka_unit_test(without_kid_exactly_one_key_must_fit),
      cmocka_unit_test(a_kid_is_compared_whole),
      cmocka_unit_test(a_set_of_too_many_keys_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
