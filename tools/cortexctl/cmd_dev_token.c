/*
 * cortexctl dev-token: tokens of a development issuer, right ones and wrong ones.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cortexauth/settings.h>

#include "common/out.h"
#include "dev_key.h"

#define LIFETIME_DEFAULT "5m"

/* The section whose keys lie in the folder; the first one when none names them. */
static const struct cortex_issuer *find_issuer(const struct cortex_settings *settings,
                                               const char *folder) {
  char path[PATH_MAX];
  size_t i;

  snprintf(path, sizeof path, "%.*s/jwks.json", (int)sizeof path - 16, folder);
  for (i = 0; i < cortex_settings_issuer_count(settings); i++) {
    const struct cortex_issuer *issuer = cortex_settings_issuer(settings, i);
    const char *file = cortex_issuer_value(issuer, "jwks_file");

    if (file != NULL && strcmp(file, path) == 0)
      return issuer;
  }
  return cortex_settings_issuer(settings, 0);
}

/* Items between separators as an array; an empty text is an empty array. */
static json_t *split(const char *text, const char *separator) {
  json_t *items = json_array();

  while (items != NULL && *text != '\0') {
    size_t len = strcspn(text, separator);

    if (json_array_append_new(items, json_stringn(text, len)) != 0) {
      json_decref(items);
      return NULL;
    }
    text += len;
    text += *text == '\0' ? 0 : 1;
  }
  return items;
}

/* One audience is written as a string (RFC 7519 4.1.3). */
static json_t *make_audience(const struct cli *cli, const struct cortex_issuer *issuer) {
  json_t *all = cli_has(cli, "audience") ? json_array()
                                         : split(cortex_issuer_value(issuer, "audience"), "\n");
  const char *audience;
  size_t cursor = 0;
  json_t *one;

  while ((audience = cli_next(cli, "audience", &cursor)) != NULL)
    json_array_append_new(all, out_text(audience));
  if (json_array_size(all) != 1)
    return all;
  one = json_incref(json_array_get(all, 0));
  json_decref(all);
  return one;
}

/* A negative lifetime makes a token that ended that long ago. */
static bool put_times(const struct cli *cli, json_t *claims) {
  const char *text = cli_value_or(cli, "expires", LIFETIME_DEFAULT);
  bool over = *text == '-';
  int64_t issued = time(NULL), lifetime = 0;

  if (!cortex_duration_parse(over ? text + 1 : text, &lifetime) || lifetime > INT32_MAX) {
    cli_misuse(cli, "--expires: '%s' is no duration", text);
    return false;
  }
  if (!cli_number(cli, "at", 0, EPOCH_MAX, &issued))
    return false;
  if (over)
    issued -= 2 * lifetime;
  return json_object_set_new(claims, "iat", json_integer(issued)) == 0 &&
         json_object_set_new(claims, "exp", json_integer(issued + lifetime)) == 0;
}

/* Two tokens of one second differ by it. */
static json_t *make_token_id(void) {
  unsigned char bytes[8];
  uint64_t number;

  if (RAND_bytes(bytes, sizeof bytes) != 1)
    return NULL;
  memcpy(&number, bytes, sizeof number);
  return json_sprintf("%016" PRIx64, number);
}

static bool put_names(const struct cli *cli, const struct cortex_issuer *issuer, json_t *claims) {
  const char *user = cli_value(cli, "user"), *subject = cli_value(cli, "subject");
  const char *groups = cli_value(cli, "groups");

  if (user == NULL && subject == NULL) {
    cli_misuse(cli, "--user or --subject is needed");
    return false;
  }
  return json_object_set_new(claims, cortex_issuer_value(issuer, "username_claim"),
                             out_text(user != NULL ? user : subject)) == 0 &&
         json_object_set_new(claims, "sub", out_text(subject != NULL ? subject : user)) == 0 &&
         (groups == NULL || json_object_set_new(claims, cortex_issuer_value(issuer, "groups_claim"),
                                                split(groups, ",")) == 0);
}

/* NAME=JSON into the object; NAME= takes the member out. */
static bool put_member(const struct cli *cli, const char *option, const char *text,
                       json_t *object) {
  const char *equals = strchr(text, '=');
  char name[256];
  json_t *value;

  if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof name) {
    cli_misuse(cli, "--%s: NAME=JSON is needed, not '%s'", option, text);
    return false;
  }
  snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
  if (equals[1] == '\0') {
    json_object_del(object, name);
    return true;
  }
  value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  if (value == NULL || json_object_set_new(object, name, value) != 0) {
    cli_misuse(cli, "--%s: '%s' is not JSON (a text needs its double quotes)", option, equals + 1);
    return false;
  }
  return true;
}

static bool put_members(const struct cli *cli, const char *option, json_t *object) {
  const char *text;
  size_t cursor = 0;

  while ((text = cli_next(cli, option, &cursor)) != NULL)
    if (!put_member(cli, option, text, object))
      return false;
  return true;
}

static json_t *make_claims(const struct cli *cli, const struct cortex_issuer *issuer) {
  json_t *claims = json_object();

  if (json_object_set_new(claims, "iss", out_text(cortex_issuer_value(issuer, "issuer"))) == 0 &&
      json_object_set_new(claims, "aud", make_audience(cli, issuer)) == 0 &&
      put_names(cli, issuer, claims) && put_times(cli, claims) &&
      json_object_set_new(claims, "jti", make_token_id()) == 0 && put_members(cli, "claim", claims))
    return claims;
  json_decref(claims);
  return NULL;
}

/* The kid is the published key's, whoever signs in the end. */
static json_t *make_header(const struct cli *cli, const struct dev_algorithm *algorithm,
                           const EVP_PKEY *key) {
  const char *kid = cli_value(cli, "kid");
  json_t *header = json_pack("{s:s, s:s}", "alg", algorithm->name, "typ", "JWT");
  json_t *jwk = key == NULL ? NULL : dev_key_jwk(algorithm->key, key);
  bool done = header != NULL;

  if (kid == NULL && jwk != NULL)
    done = done && json_object_set(header, "kid", json_object_get(jwk, "kid")) == 0;
  else if (kid != NULL && *kid != '\0')
    done = done && json_object_set_new(header, "kid", out_text(kid)) == 0;
  json_decref(jwk);
  if (done && put_members(cli, "header", header))
    return header;
  json_decref(header);
  return NULL;
}

static enum cli_exit print_token(const struct cli *cli, const struct cortex_issuer *issuer,
                                 const struct dev_algorithm *algorithm, EVP_PKEY **key) {
  json_t *header = make_header(cli, algorithm, *key);
  json_t *claims = header == NULL ? NULL : make_claims(cli, issuer);
  char *token = NULL;

  if (cli_has(cli, "forge") && *key != NULL) {
    EVP_PKEY_free(*key);
    *key = dev_key_new(algorithm->key);
  }
  if (claims != NULL && (*key != NULL || algorithm->key == NULL))
    token = dev_key_sign(algorithm, *key, header, claims);
  if (token != NULL)
    printf("%s\n", token);
  json_decref(header);
  json_decref(claims);
  free(token);
  return token != NULL ? CLI_DONE : CLI_USAGE;
}

static enum cli_exit run(const struct cli *cli) {
  const char *folder = cli->operands[0];
  const char *name = cli_value_or(cli, "alg", "RS256");
  const struct dev_algorithm *algorithm = dev_algorithm_find(name);
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  char path[PATH_MAX];
  EVP_PKEY *key = NULL;
  enum cli_exit code = CLI_USAGE;

  if (algorithm == NULL)
    return cli_misuse(cli, "--alg: there is no algorithm '%s'", name);
  snprintf(path, sizeof path, "%.*s/cortex.conf", (int)sizeof path - 16, folder);
  if (cortex_settings_load(path, &settings, &error) != CORTEX_OK)
    cli_complain_error(&error);
  else if (algorithm->key == NULL || (key = dev_key_load(folder, algorithm->key)) != NULL)
    code = print_token(cli, find_issuer(settings, folder), algorithm, &key);
  EVP_PKEY_free(key);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    {"user", "NAME", "the username (the subject)", false, false},
    {"subject", "NAME", "the subject, sub (the username)", false, false},
    {"groups", "A,B", "groups of the user; '' for an empty list (no such claim)", false, false},
    {"audience", "NAME", "another audience; may be repeated (the configured ones)", false, true},
    {"expires", "DURATION", "how long it lasts; -5m: ended five minutes ago (5m)", false, false},
    {"at", "EPOCH", "when it is issued (now)", false, false},
    {"alg", "NAME", "RS256, PS256, ..., ES256, EdDSA, or the wrong HS256, none (RS256)", false,
     false},
    {"claim", "NAME=JSON", "set a claim; NAME= takes it out; may be repeated", false, true},
    {"header", "NAME=JSON", "the same for the header", false, true},
    {"kid", "ID", "another key id; '' for none", false, false},
    {"forge", NULL, "sign with a key that nobody trusts", false, false},
    {0},
};

const struct cli_verb cmd_dev_token = {
    "dev-token", "DIR", 1, 1, "sign a token with the keys of a development issuer", options, run};
