/*
 * Encrypted tokens: opened with the issuer's own key, and then as strict as any other.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/jwe.h"

#include <cortexauth/credential.h>
#include <dirent.h>
#include <jansson.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing.h"
#include "jwt.h"
#include "mutate.h"

#define NOW 1700000000

/* cjose 0.6.2, which the tests encrypt with, loses one byte when it derives a key by ECDH-ES. */
const char *__lsan_default_suppressions(void) __attribute__((visibility("default")));
const char *__lsan_default_suppressions(void) {
  return "leak:libcjose";
}

struct fixture {
  char folder[32];
  char rsa_file[64], ec_file[64];
  struct jwt_key *rsa, *ec, *signer;
  struct cortex_keyring *keyring;
  struct cortex_settings *settings;
};

static const char config[] = "[oidc \"one\"]\nissuer = https://one.example\naudience = cortex\n"
                             "decryption_key_file = %s\n"
                             "[oidc \"two\"]\nissuer = https://two.example\naudience = cortex\n"
                             "decryption_key_file = %s\n"
                             "[oidc \"open\"]\nissuer = https://open.example\naudience = cortex\n";

static void make_path(char *path, size_t size, const struct fixture *fixture, const char *name) {
  assert_true(snprintf(path, size, "%s/%s", fixture->folder, name) < (int)size);
}

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  char text[1024], *set;

  *state = fixture;
  strcpy(fixture->folder, "/tmp/jwe.XXXXXX");
  assert_non_null(mkdtemp(fixture->folder));
  make_path(fixture->rsa_file, sizeof fixture->rsa_file, fixture, "rsa.pem");
  make_path(fixture->ec_file, sizeof fixture->ec_file, fixture, "ec.pem");
  fixture->rsa = jwt_key_new("RSA");
  fixture->ec = jwt_key_new("P-256");
  fixture->signer = jwt_key_new("P-256");
  jwt_key_write(fixture->rsa, fixture->rsa_file);
  jwt_key_write(fixture->ec, fixture->ec_file);
  snprintf(text, sizeof text, config, fixture->rsa_file, fixture->ec_file);
  assert_int_equal(cortex_settings_parse("test", text, strlen(text), &fixture->settings, NULL),
                   CORTEX_OK);
  fixture->keyring = cortex_keyring_new();
  set = jwt_key_set(fixture->signer, "k");
  assert_int_equal(cortex_keyring_put(fixture->keyring, "one", set, strlen(set)), CORTEX_OK);
  assert_int_equal(cortex_keyring_put(fixture->keyring, "two", set, strlen(set)), CORTEX_OK);
  assert_int_equal(cortex_keyring_put(fixture->keyring, "open", set, strlen(set)), CORTEX_OK);
  free(set);
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;

  unlink(fixture->rsa_file);
  unlink(fixture->ec_file);
  rmdir(fixture->folder);
  jwt_key_free(fixture->rsa);
  jwt_key_free(fixture->ec);
  jwt_key_free(fixture->signer);
  cortex_keyring_free(&fixture->keyring);
  cortex_settings_free(&fixture->settings);
  free(fixture);
  return 0;
}

static char *make_signed(const struct fixture *fixture, const char *issuer) {
  json_t *header = json_pack("{ss ss}", "alg", "ES256", "kid", "k");
  json_t *payload = json_pack("{ss ss ss sI sI}", "iss", issuer, "sub", "alice", "aud", "cortex",
                              "iat", (json_int_t)NOW, "exp", (json_int_t)NOW + 60);
  char *token = jwt_sign_json(fixture->signer, "ES256", header, payload);

  json_decref(header);
  json_decref(payload);
  return token;
}

static enum cortex_reason verify(const struct fixture *fixture, const char *token) {
  struct cortex_credential credential = {.bytes = token,
                                         .len = strlen(token),
                                         .keyring = fixture->keyring,
                                         .now = NOW,
                                         .real_now = NOW};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_identity *identity;
  enum cortex_reason reason = cortex_verify(fixture->settings, &credential, &identity, &error);

  assert_true((reason == CORTEX_OK) == (identity != NULL));
  assert_int_equal(error.reason, reason);
  assert_int_equal(ERR_peek_error(), 0);
  cortex_identity_free(&identity);
  return reason;
}

/* Encrypts a token of an issuer and expects an answer for it. */
static void expect(const struct fixture *fixture, const char *issuer, const struct jwt_key *key,
                   const char *alg, enum cortex_reason reason) {
  char *inner = make_signed(fixture, issuer);
  char *outer = jwt_encrypt(key, alg, "A256GCM", NULL, inner);

  assert_int_equal(verify(fixture, outer), reason);
  free(inner);
  free(outer);
}

static void every_offered_way_of_encryption_opens(void **state) {
  static const char *const contents[] = {"A128GCM",       "A192GCM",       "A256GCM",
                                         "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"};
  struct fixture *fixture = *state;
  size_t i;

  for (i = 0; i < sizeof contents / sizeof contents[0]; i++) {
    char *one = make_signed(fixture, "https://one.example");
    char *two = make_signed(fixture, "https://two.example");
    char *rsa = jwt_encrypt(fixture->rsa, "RSA-OAEP", contents[i], NULL, one);
    char *ec = jwt_encrypt(fixture->ec, "ECDH-ES", contents[i], NULL, two);

    assert_int_equal(verify(fixture, rsa), CORTEX_OK);
    assert_int_equal(verify(fixture, ec), CORTEX_OK);
    free(one);
    free(two);
    free(rsa);
    free(ec);
  }
}

static void signed_tokens_still_need_no_encryption(void **state) {
  char *token = make_signed(*state, "https://one.example");

  assert_int_equal(verify(*state, token), CORTEX_OK);
  free(token);
}

static void another_issuers_key_does_not_serve(void **state) {
  struct fixture *fixture = *state;

  expect(fixture, "https://two.example", fixture->rsa, "RSA-OAEP", CORTEX_KEY_MISMATCH);
  expect(fixture, "https://one.example", fixture->ec, "ECDH-ES", CORTEX_KEY_MISMATCH);
  expect(fixture, "https://open.example", fixture->rsa, "RSA-OAEP", CORTEX_KEY_MISMATCH);
  expect(fixture, "https://none.example", fixture->rsa, "RSA-OAEP", CORTEX_UNKNOWN_ISSUER);
}

static void a_strangers_key_does_not_serve(void **state) {
  struct fixture *fixture = *state;
  struct jwt_key *rsa = jwt_key_new("RSA"), *ec = jwt_key_new("P-256");

  expect(fixture, "https://one.example", rsa, "RSA-OAEP", CORTEX_KEY_MISMATCH);
  expect(fixture, "https://two.example", ec, "ECDH-ES", CORTEX_KEY_MISMATCH);
  jwt_key_free(rsa);
  jwt_key_free(ec);
}

static void encryption_does_not_replace_the_signature(void **state) {
  static const struct {
    const char *inner;
    enum cortex_reason reason;
  } cases[] = {
      {"{\"iss\":\"https://one.example\",\"sub\":\"alice\"}", CORTEX_MALFORMED},
      {"eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL29uZS5leGFtcGxlIn0.",
       CORTEX_ALGORITHM_NOT_ALLOWED},
      {"a.b.c.d.e", CORTEX_MALFORMED},
      {"hello", CORTEX_MALFORMED},
  };
  struct fixture *fixture = *state;
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *outer = jwt_encrypt(fixture->rsa, "RSA-OAEP", "A256GCM", NULL, cases[i].inner);

    assert_int_equal(verify(fixture, outer), cases[i].reason);
    free(outer);
  }
}

static void a_forged_token_stays_forged_when_encrypted(void **state) {
  struct fixture *fixture = *state;
  struct jwt_key *signer = fixture->signer;
  char *inner, *outer;

  fixture->signer = jwt_key_new("P-256");
  inner = make_signed(fixture, "https://one.example");
  outer = jwt_encrypt(fixture->rsa, "RSA-OAEP", "A128GCM", NULL, inner);
  assert_int_equal(verify(fixture, outer), CORTEX_SIGNATURE_INVALID);
  jwt_key_free(fixture->signer);
  fixture->signer = signer;
  free(inner);
  free(outer);
}

/* A header of one's own in front of a good token's other parts. */
static enum cortex_reason verify_with_header(const struct fixture *fixture, const char *header) {
  char *inner = make_signed(fixture, "https://one.example");
  char *encoded = jwt_encode(header, strlen(header));
  struct mutable_token token;
  enum cortex_reason reason;
  json_t *step;

  token.bytes = jwt_encrypt(fixture->rsa, "RSA-OAEP", "A256GCM", NULL, inner);
  token.len = strlen(token.bytes);
  step = json_pack("[s i s]", "part", 0, encoded);
  mutate(&token, step);
  reason = verify(fixture, token.bytes);
  json_decref(step);
  free(token.bytes);
  free(encoded);
  free(inner);
  return reason;
}

static void only_listed_algorithms_are_tried(void **state) {
  static const struct {
    const char *header;
    enum cortex_reason reason;
  } cases[] = {
      {"{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"A128KW\",\"enc\":\"A256GCM\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A256GCM\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"none\",\"enc\":\"A256GCM\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"enc\":\"A256GCM\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"RSA-OAEP\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"RSA-OAEP\",\"enc\":\"none\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"RSA-OAEP\",\"enc\":\"A128CBC-HS256\"}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"RSA-OAEP\",\"enc\":[\"A256GCM\"]}", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}", CORTEX_UNSUPPORTED_CRITICAL},
      {"{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\",\"crit\":[]}", CORTEX_UNSUPPORTED_CRITICAL},
      {"{\"alg\":\"RSA-OAEP\",\"alg\":\"dir\",\"enc\":\"A256GCM\"}", CORTEX_MALFORMED},
      {"[]", CORTEX_MALFORMED},
      {"x", CORTEX_MALFORMED},
      {"", CORTEX_MALFORMED},
      /* the header is authenticated: another one that means the same does not open it */
      {"{\"enc\":\"A256GCM\",\"alg\":\"RSA-OAEP\",\"x\":1}", CORTEX_KEY_MISMATCH},
      {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}", CORTEX_KEY_MISMATCH},
      {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
       "\"x\":\"AQ\",\"y\":\"AQ\"}}",
       CORTEX_KEY_MISMATCH},
  };
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(verify_with_header(*state, cases[i].header), cases[i].reason);
}

static void changed_parts_do_not_open(void **state) {
  static const struct {
    const char *step;
    enum cortex_reason reason;
  } cases[] = {
      {"[\"flip\", 1, 9]", CORTEX_KEY_MISMATCH},
      {"[\"flip\", 2, 0]", CORTEX_KEY_MISMATCH},
      {"[\"flip\", 3, 5]", CORTEX_KEY_MISMATCH},
      {"[\"flip\", 4, 15]", CORTEX_KEY_MISMATCH},
      {"[\"part\", 1, \"\"]", CORTEX_KEY_MISMATCH},
      {"[\"part\", 3, \"\"]", CORTEX_KEY_MISMATCH},
      {"[\"part\", 2, \"\"]", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"[\"part\", 4, \"\"]", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"[\"part\", 4, \"AAAA\"]", CORTEX_ALGORITHM_NOT_ALLOWED},
      {"[\"append\", \"=\"]", CORTEX_BAD_ENCODING},
      {"[\"append\", \"\\n\"]", CORTEX_BAD_ENCODING},
      {"[\"tail_bits\", 4]", CORTEX_BAD_ENCODING},
      {"[\"part\", 0, \"\"]", CORTEX_MALFORMED},
      {"[\"literal\", \"....\"]", CORTEX_MALFORMED},
      {"[\"literal\", \"a.a.a.a.a\"]", CORTEX_BAD_ENCODING},
  };
  struct fixture *fixture = *state;
  char *inner = make_signed(fixture, "https://one.example");
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    json_t *step = json_loads(cases[i].step, 0, NULL);
    struct mutable_token token;

    token.bytes = jwt_encrypt(fixture->rsa, "RSA-OAEP", "A256GCM", NULL, inner);
    token.len = strlen(token.bytes);
    mutate(&token, step);
    assert_int_equal(verify(fixture, token.bytes), cases[i].reason);
    json_decref(step);
    free(token.bytes);
  }
  free(inner);
}

static const char *member(const json_t *test, const char *name) {
  return json_string_value(json_object_get(test, name));
}

/* One file of cases/jwe: a private key, a token, the code it must get and what lies inside. */
static void run_case(const struct fixture *fixture, const char *name, const json_t *test) {
  const char *token = member(test, "token"), *plain = member(test, "plain");
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  struct cx_buf found;
  char path[64];
  FILE *file;

  make_path(path, sizeof path, fixture, "case.pem");
  file = fopen(path, "w");
  assert_non_null(file);
  fputs(member(test, "key"), file);
  fclose(file);
  reason = cx_jwe_open(path, token, strlen(token), &found, &error);
  unlink(path);
  if (strcmp(cortex_reason_name(reason), member(test, "expect")) != 0)
    fail_msg("%s: %s (%s)", name, cortex_reason_name(reason), error.message);
  if (reason == CORTEX_OK) {
    assert_int_equal(found.len, strlen(plain));
    assert_memory_equal(found.bytes, plain, found.len);
  }
  cx_buf_clear(&found);
}

static void each_case_of_the_folder_is_met(void **state) {
  char folder[1024], path[2048];
  const struct dirent *entry;
  size_t count = 0;
  DIR *dir;

  snprintf(folder, sizeof folder, "%s/jwe", getenv("cases"));
  dir = opendir(folder);
  assert_non_null(dir);
  while ((entry = readdir(dir)) != NULL) {
    json_t *test;

    if (strstr(entry->d_name, ".json") == NULL)
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    test = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(test);
    run_case(*state, entry->d_name, test);
    json_decref(test);
    count++;
  }
  closedir(dir);
  assert_true(count > 80);
}

static void an_unusable_key_file_is_an_error_of_its_line(void **state) {
  static const char *const texts[] = {"", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"};
  struct fixture *fixture = *state;
  struct cortex_settings *settings;
  struct cortex_error error;
  char text[1024], path[64];
  size_t i;

  make_path(path, sizeof path, fixture, "bad.pem");
  snprintf(text, sizeof text, config, fixture->rsa_file, path);
  for (i = 0; i <= sizeof texts / sizeof texts[0]; i++) {
    error = (struct cortex_error)CORTEX_ERROR_NONE;
    assert_int_equal(cortex_settings_parse("conf", text, strlen(text), &settings, &error),
                     CORTEX_CONFIG_INVALID); /* first without the file */
    assert_string_equal(error.source, "conf");
    assert_int_equal(error.line, 8);
    if (i < sizeof texts / sizeof texts[0]) {
      FILE *file = fopen(path, "w");

      assert_non_null(file);
      fputs(texts[i], file);
      fclose(file);
    }
  }
  unlink(path);
}

static void a_key_that_can_open_nothing_is_an_error_of_its_line(void **state) {
  static const struct {
    const char *kind;
    bool opens_tokens, opens_assertions;
  } keys[] = {{"RSA", true, true},        {"RSA-1024", false, false}, {"P-256", true, false},
              {"P-384", true, false},     {"P-521", true, false},     {"secp256k1", false, false},
              {"Ed25519", false, false}};
  static const char saml[] = "[saml \"idp\"]\nmetadata_file = idp.xml\nsp_entity_id = urn:sp\n"
                             "acs_url = https://sp.example/acs\nsp_key_file = %s\n";
  struct fixture *fixture = *state;
  struct cortex_settings *settings;
  struct cortex_error error;
  char text[1024], path[64];
  size_t i, j;

  make_path(path, sizeof path, fixture, "kind.pem");
  for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    const bool expected[] = {keys[i].opens_tokens, keys[i].opens_assertions};
    struct jwt_key *key = jwt_key_new(keys[i].kind);

    jwt_key_write(key, path);
    jwt_key_free(key);
    for (j = 0; j < 2; j++) {
      error = (struct cortex_error)CORTEX_ERROR_NONE;
      if (j == 0)
        snprintf(text, sizeof text, config, fixture->rsa_file, path);
      else
        snprintf(text, sizeof text, saml, path);
      assert_int_equal(cortex_settings_parse("conf", text, strlen(text), &settings, &error),
                       expected[j] ? CORTEX_OK : CORTEX_CONFIG_INVALID);
      assert_int_equal(error.line, expected[j] ? 0 : j == 0 ? 8 : 5);
      assert_true(expected[j] || strstr(error.message, "2048 bits") != NULL);
      cortex_settings_free(&settings);
    }
  }
  unlink(path);
}

static void a_key_file_that_went_away_closes(void **state) {
  struct fixture *fixture = *state;

  unlink(fixture->rsa_file);
  expect(fixture, "https://one.example", fixture->rsa, "RSA-OAEP", CORTEX_CONFIG_INVALID);
}

static enum cortex_reason verify_short_of_memory(const struct fixture *fixture, const char *token,
                                                 size_t nth, bool *has_failed_out) {
  struct cortex_credential credential = {.bytes = token,
                                         .len = strlen(token),
                                         .keyring = fixture->keyring,
                                         .now = NOW,
                                         .real_now = NOW};
  struct cortex_identity *identity;
  enum cortex_reason reason;

  failing_start(nth, true);
  reason = cortex_verify(fixture->settings, &credential, &identity, NULL);
  *has_failed_out = failing_stop();
  assert_true((reason == CORTEX_OK) == (identity != NULL));
  cortex_identity_free(&identity);
  return reason;
}

static void sweep(const struct fixture *fixture, const char *issuer, const struct jwt_key *key,
                  const char *const algorithms[2]) {
  char *inner = make_signed(fixture, issuer);
  char *outer = jwt_encrypt(key, algorithms[0], algorithms[1], NULL, inner);
  enum cortex_reason reason = verify(fixture, outer);
  bool has_failed = true;
  size_t nth;

  for (nth = 1; has_failed && nth < 100000; nth++)
    reason = verify_short_of_memory(fixture, outer, nth, &has_failed);
  assert_int_equal(reason, CORTEX_OK);
  assert_in_range(nth, 10, 99999);
  free(inner);
  free(outer);
}

static void lack_of_memory_never_opens(void **state) {
  static const char *const rsa[] = {"RSA-OAEP", "A256GCM"}, *const ec[] = {"ECDH-ES",
                                                                           "A128CBC-HS256"};
  struct fixture *fixture = *state;

  sweep(fixture, "https://one.example", fixture->rsa, rsa);
  sweep(fixture, "https://two.example", fixture->ec, ec);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_offered_way_of_encryption_opens),
      TEST(signed_tokens_still_need_no_encryption),
      TEST(another_issuers_key_does_not_serve),
      TEST(a_strangers_key_does_not_serve),
      TEST(encryption_does_not_replace_the_signature),
      TEST(a_forged_token_stays_forged_when_encrypted),
      TEST(only_listed_algorithms_are_tried),
      TEST(changed_parts_do_not_open),
      TEST(each_case_of_the_folder_is_met),
      TEST(an_unusable_key_file_is_an_error_of_its_line),
      TEST(a_key_that_can_open_nothing_is_an_error_of_its_line),
      TEST(a_key_file_that_went_away_closes),
      TEST(lack_of_memory_never_opens),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
