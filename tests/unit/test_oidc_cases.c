/*
 * Tokens as data: each file of cases/oidc describes one and the answer it must get.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A file has these members; all but "rule" and "expect" have defaults.
 *
 *   rule       the rule shown, one sentence
 *   now        the clock, seconds since 1970 (1700000000)
 *   issuer, audience, settings   of the section [oidc "main"]; settings are its further lines
 *   sections   further lines of the configuration
 *   config     the sample of packaging/providers to use in place of all these
 *   keys       {LABEL: [{"key": NAME, "kid": KID, "set": {…}} or {"jwk": {…}}] or TEXT}:
 *              the key sets; "set" is merged into the JWK (RFC 7396: null removes);
 *              default: the signing key as "k1" of "main"
 *   header, payload              merged into the default ones
 *   claims     the whole payload, in place of the default one
 *   header_text, payload_text    used as they are instead; payload_hex: bytes
 *   sign       {"key": NAME, "alg": ALG}; default: what the header's alg needs
 *   mutate     steps of support/mutate.h
 *   expect     "ok" or the reason code
 *   identity   what must come out: issuer, label, subject, username, groups,
 *              groups_known, groups_overage, mfa, amr, scopes, acr, authenticated_at, expires
 *   detail     a part of the message
 *   source     error.source
 *
 * Keys by name: rsa, rsa2, rsa3072, rsa1024, rsae3, p256, p256b, p384, p521, k256, ed, ed2.
 */
#include <cortexauth/credential.h>
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "identity/identity.h"
#include "jwt.h"
#include "mutate.h"

#define NOW 1700000000
#define SECONDS_MAX 0.05 /* that a verification may take */

static struct named_key {
  const char *name;
  const char *kind;
  struct jwt_key *key;
} named_keys[] = {{"rsa", "RSA", NULL},           {"rsa2", "RSA", NULL},
                  {"rsa3072", "RSA-3072", NULL},  {"rsa1024", "RSA-1024", NULL},
                  {"rsae3", "RSA-e3", NULL},      {"p256", "P-256", NULL},
                  {"p256b", "P-256", NULL},       {"p384", "P-384", NULL},
                  {"p521", "P-521", NULL},        {"k256", "secp256k1", NULL},
                  {"ed", "Ed25519", NULL},        {"ed2", "Ed25519", NULL}};

#define KEYS (sizeof named_keys / sizeof named_keys[0])

static const struct jwt_key *get_key(const char *name) {
  size_t i;

  for (i = 0; i < KEYS; i++) {
    if (strcmp(named_keys[i].name, name) != 0)
      continue;
    if (named_keys[i].key == NULL)
      named_keys[i].key = jwt_key_new(named_keys[i].kind);
    return named_keys[i].key;
  }
  fail_msg("no key is called \"%s\"", name);
  return NULL;
}

static const char *text_or(const json_t *object, const char *name, const char *otherwise) {
  const char *text = json_string_value(json_object_get(object, name));

  return text != NULL ? text : otherwise;
}

static json_int_t now_of(const json_t *test) {
  const json_t *now = json_object_get(test, "now");

  return now != NULL ? json_integer_value(now) : NOW;
}

/* RFC 7396 on one level: null takes a member out. */
static json_t *merge(json_t *into, const json_t *changes) {
  const char *name;
  json_t *value;

  json_object_foreach((json_t *)changes, name, value) {
    if (json_is_null(value))
      json_object_del(into, name);
    else
      json_object_set(into, name, value);
  }
  return into;
}

static const char *algorithm_of(const json_t *test) {
  const json_t *sign = json_object_get(test, "sign");

  return text_or(sign, "alg", text_or(json_object_get(test, "header"), "alg", "RS256"));
}

static const char *key_name_of(const json_t *test) {
  static const char *const keys[][2] = {
      {"ES256", "p256"}, {"ES384", "p384"}, {"ES512", "p521"}, {"EdDSA", "ed"}};
  const char *alg = algorithm_of(test), *name = "rsa";
  size_t i;

  for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (strcmp(alg, keys[i][0]) == 0)
      name = keys[i][1];
  return text_or(json_object_get(test, "sign"), "key", name);
}

static char *read_sample(const char *name, char *config, size_t size) {
  char path[4096];
  size_t len;
  FILE *file;

  snprintf(path, sizeof path, "%s/packaging/providers/%s.conf", getenv("top_srcdir"), name);
  file = fopen(path, "r");
  if (file == NULL)
    fail_msg("there is no %s", path);
  len = fread(config, 1, size - 1, file);
  fclose(file);
  config[len] = '\0';
  return config;
}

static char *make_config(const json_t *test) {
  size_t size = 65536, used, i;
  char *config = malloc(size);
  const json_t *line;

  assert_non_null(config);
  if (json_object_get(test, "config") != NULL)
    return read_sample(text_or(test, "config", ""), config, size);
  used = (size_t)snprintf(config, size, "[oidc \"main\"]\nissuer = \"%s\"\naudience = %s\n",
                          text_or(test, "issuer", "https://op.example"),
                          text_or(test, "audience", "cortex"));
  json_array_foreach(json_object_get(test, "settings"), i, line)
    used += (size_t)snprintf(config + used, size - used, "%s\n", json_string_value(line));
  json_array_foreach(json_object_get(test, "sections"), i, line)
    used += (size_t)snprintf(config + used, size - used, "%s\n", json_string_value(line));
  assert_true(used < size);
  return config;
}

static char *make_key_set(const json_t *description) {
  json_t *set = json_object(), *keys = json_array();
  const json_t *item;
  char *text;
  size_t i;

  if (json_is_string(description)) {
    json_decref(set);
    json_decref(keys);
    return strdup(json_string_value(description));
  }
  json_array_foreach(description, i, item) {
    json_t *jwk = json_object_get(item, "jwk");

    if (jwk == NULL)
      jwk = merge(jwt_key_jwk(get_key(text_or(item, "key", "rsa")), text_or(item, "kid", NULL)),
                  json_object_get(item, "set"));
    else
      json_incref(jwk);
    json_array_append_new(keys, jwk);
  }
  json_object_set_new(set, "keys", keys);
  text = json_dumps(set, JSON_COMPACT);
  json_decref(set);
  return text;
}

static struct cortex_keyring *make_keyring(const json_t *test,
                                            const struct cortex_settings *settings) {
  struct cortex_keyring *keyring = cortex_keyring_new();
  json_t *sets = json_incref(json_object_get(test, "keys"));
  const char *label;
  json_t *set;

  assert_non_null(keyring);
  if (sets == NULL)
    sets = json_pack("{s[{ss ss}]}", settings->issuers[0].label, "key", key_name_of(test), "kid",
                     "k1");
  json_object_foreach(sets, label, set) {
    char *text = make_key_set(set);

    assert_int_equal(cortex_keyring_put(keyring, label, text, strlen(text)), CORTEX_OK);
    free(text);
  }
  json_decref(sets);
  return keyring;
}

static char *make_part(const json_t *test, const char *name, json_t *base, size_t *len_out) {
  char member[32], *text;

  snprintf(member, sizeof member, "%s_text", name);
  merge(base, json_object_get(test, name));
  text = json_object_get(test, member) != NULL ? strdup(text_or(test, member, ""))
                                               : json_dumps(base, JSON_COMPACT);
  json_decref(base);
  assert_non_null(text);
  *len_out = strlen(text);
  return text;
}

static json_t *make_claims(const json_t *test) {
  const json_t *claims = json_object_get(test, "claims");

  if (claims != NULL)
    return json_deep_copy(claims);
  return json_pack("{ss ss ss sI sI}", "iss", text_or(test, "issuer", "https://op.example"), "sub",
                   "alice", "aud", text_or(test, "audience", "cortex"), "iat", now_of(test) - 10,
                   "exp", now_of(test) + 300);
}

static size_t read_hex(const char *hex, char *bytes) {
  unsigned byte;
  size_t len;

  for (len = 0; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
    bytes[len] = (char)byte;
  return len;
}

static struct mutable_token make_token(const json_t *test) {
  struct jwt_bytes header, payload;
  struct mutable_token token;
  const json_t *step;
  char *head, *body;
  size_t i;

  head = make_part(test, "header",
                   json_pack("{ss ss}", "alg", algorithm_of(test), "kid", "k1"), &header.len);
  body = make_part(test, "payload", make_claims(test), &payload.len);
  if (json_object_get(test, "payload_hex") != NULL)
    payload.len = read_hex(text_or(test, "payload_hex", ""), body);
  header.bytes = head;
  payload.bytes = body;
  token.bytes = jwt_sign(get_key(key_name_of(test)), algorithm_of(test), header, payload);
  token.len = strlen(token.bytes);
  free(head);
  free(body);
  json_array_foreach(json_object_get(test, "mutate"), i, step)
    mutate(&token, step);
  return token;
}

static json_t *list_to_json(const struct cx_list *list) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; i < list->count; i++)
    json_array_append_new(array, json_string(list->items[i]));
  return array;
}

static void check_identity(const struct cortex_identity *found, const json_t *expected) {
  json_t *all = json_pack(
      "{ss ss ss ss so sb sb sb so so ss* sI sI}", "issuer", found->issuer, "label", found->label,
      "subject", found->subject, "username", found->username, "groups",
      list_to_json(&found->groups), "groups_known", found->groups_known, "groups_overage",
      found->groups_overage, "mfa", found->mfa, "amr", list_to_json(&found->amr), "scopes",
      list_to_json(&found->scopes), "acr", found->acr, "authenticated_at",
      (json_int_t)found->authenticated_at, "expires", (json_int_t)found->usable_until);
  const char *name;
  json_t *value;

  assert_non_null(all);
  json_object_foreach((json_t *)expected, name, value) {
    char *want = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    char *have = json_dumps(json_object_get(all, name), JSON_ENCODE_ANY | JSON_COMPACT);

    if (have == NULL || strcmp(want, have) != 0)
      fail_msg("%s is %s, expected %s", name, have != NULL ? have : "missing", want);
    free(want);
    free(have);
  }
  json_decref(all);
  assert_string_equal(found->kind, "oidc");
  assert_int_equal(strlen(found->token_id), 64);
  assert_true(cx_json_is_object(found->claims));
}

static void check_message(const struct cortex_error *error, const json_t *test,
                          const struct mutable_token *token) {
  const char *detail = text_or(test, "detail", NULL), *source = text_or(test, "source", NULL);
  const char *signature = strrchr(token->bytes, '.');

  assert_true(strlen(error->message) > 0);
  if (detail != NULL && strstr(error->message, detail) == NULL)
    fail_msg("the message is \"%s\", expected \"%s\" in it", error->message, detail);
  if (source != NULL)
    assert_string_equal(error->source, source);
  if (signature != NULL && strlen(signature) > 40)
    assert_null(strstr(error->message, signature + 1));
}

static double seconds_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Exactly as many bytes as the token has, so that AddressSanitizer sees a read past the end. */
static void check_token(const json_t *test, const struct cortex_settings *settings,
                        const struct cortex_keyring *keyring, const struct mutable_token *token) {
  char *bytes = malloc(token->len > 0 ? token->len : 1);
  struct cortex_credential credential = {.bytes = bytes,
                                         .len = token->len,
                                         .keyring = keyring,
                                         .now = now_of(test),
                                         .real_now = now_of(test)};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_identity *identity = NULL;
  const char *expected = text_or(test, "expect", "");
  enum cortex_reason reason;
  double start;

  memcpy(bytes, token->bytes, token->len);
  start = seconds_now();
  reason = cortex_verify(settings, &credential, &identity, &error);
  assert_true(seconds_now() - start < SECONDS_MAX);
  free(bytes);
  if (strcmp(cortex_reason_name(reason), expected) != 0)
    fail_msg("answer is %s (%s), expected %s", cortex_reason_name(reason), error.message,
             expected);
  assert_true((reason == CORTEX_OK) == (identity != NULL));
  if (reason == CORTEX_OK)
    check_identity(identity, json_object_get(test, "identity"));
  else
    check_message(&error, test, token);
  cortex_identity_free(&identity);
}

static void run_case(void **state) {
  json_t *test = *state;
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_settings *settings = NULL;
  struct mutable_token token = make_token(test);
  struct cortex_keyring *keyring;
  char *config = make_config(test);

  assert_non_null(json_object_get(test, "rule"));
  if (cortex_settings_parse("case", config, strlen(config), &settings, &error) != CORTEX_OK)
    fail_msg("configuration: line %u: %s", error.line, error.message);
  keyring = make_keyring(test, settings);
  check_token(test, settings, keyring, &token);
  cortex_settings_free(&settings);
  cortex_keyring_free(&keyring);
  free(token.bytes);
  free(config);
}

static int is_case(const struct dirent *entry) {
  const char *end = strrchr(entry->d_name, '.');

  return end != NULL && strcmp(end, ".json") == 0;
}

static json_t *load_case(const char *folder, const char *name) {
  char path[4096];
  json_error_t cause;
  json_t *test;

  snprintf(path, sizeof path, "%s/oidc/%s", folder, name);
  test = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
  if (test == NULL) {
    printf("Bail out! %s:%d: %s\n", path, cause.line, cause.text);
    exit(99);
  }
  return test;
}

int main(void) {
  const char *folder = getenv("cases");
  struct CMUnitTest *tests;
  struct dirent **entries;
  char path[4096];
  int count, i, failed;

  snprintf(path, sizeof path, "%s/oidc", folder != NULL ? folder : "");
  count = scandir(path, &entries, is_case, alphasort);
  if (count <= 0) {
    printf("Bail out! no cases in %s\n", path);
    return 99;
  }
  tests = calloc((size_t)count, sizeof *tests);
  for (i = 0; i < count; i++)
    tests[i] = (struct CMUnitTest){entries[i]->d_name, run_case, NULL, NULL,
                                   load_case(folder, entries[i]->d_name)};
  failed = _cmocka_run_group_tests("oidc cases", tests, (size_t)count, NULL, NULL);
  for (i = 0; i < count; i++) {
    json_decref(tests[i].initial_state);
    free(entries[i]);
  }
  for (i = 0; i < (int)KEYS; i++)
    jwt_key_free(named_keys[i].key);
  free(tests);
  free(entries);
  return failed;
}
