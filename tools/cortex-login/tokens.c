/*
 * What a provider issued: reading and checking its answers.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tokens.h"

#include <string.h>
#include <strings.h>

#include "text.h"
#include "wipe.h"

#define EXPIRES_MAX ((int64_t)10 * 365 * 86400)

void tokens_clear(struct tokens *tokens) {
  wipe_free(tokens->id_token);
  wipe_free(tokens->access_token);
  wipe_free(tokens->refresh_token);
  wipe_free(tokens->subject);
  memset(tokens, 0, sizeof *tokens);
}

const char *tokens_wanted(const struct tokens *tokens, const struct profile *profile,
                          int64_t *expires_out) {
  bool id = profile->use_kind == USE_ID;

  *expires_out = id ? tokens->id_expires : tokens->access_expires;
  return id ? tokens->id_token : tokens->access_token;
}

/* ---- any token ---- */

bool token_is_fit(const char *what, const char *token) {
  const char *at;

  if (*token == '\0' || strlen(token) > TOKEN_MAX) {
    cli_complain("%s: %s", what,
                 *token == '\0' ? "is empty" : "is larger than PostgreSQL takes as a password");
    return false;
  }
  for (at = token; *at != '\0'; at++)
    if (*at <= ' ' || *at > '~') {
      cli_complain("%s: holds a byte that no token has", what);
      return false;
    }
  return true;
}

json_t *token_claims(const char *token) {
  const char *first = strchr(token, '.');
  const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
  struct text text = {0};
  json_t *claims = NULL;

  if (second != NULL && strchr(second + 1, '.') == NULL &&
      text_decode_base64url(first + 1, (size_t)(second - first - 1), &text) && text.len > 0)
    claims = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES, NULL);
  text_clear(&text);
  if (!json_is_object(claims)) {
    json_decref(claims);
    return NULL;
  }
  return claims;
}

static int64_t expiry_of(const json_t *claims) {
  double expires = json_number_value(json_object_get(claims, "exp"));

  return expires > 0 && expires < 9e15 ? (int64_t)expires : 0;
}

int64_t token_expiry(const char *token) {
  json_t *claims = token_claims(token);
  int64_t expires = expiry_of(claims);

  json_decref(claims);
  return expires;
}

/* ---- the ID token (OpenID Connect Core 3.1.3.7) ---- */

static bool is_text(const json_t *value, const char *text) {
  return json_is_string(value) && json_string_length(value) == strlen(text) &&
         strcmp(json_string_value(value), text) == 0;
}

static bool names_client(const json_t *audience, const char *client) {
  size_t i;

  for (i = 0; i < json_array_size(audience); i++)
    if (is_text(json_array_get(audience, i), client))
      return true;
  return is_text(audience, client);
}

/* What is wrong with its claims; NULL: nothing. */
static const char *fault(const json_t *claims, const struct profile *profile, const char *nonce,
                         int64_t now) {
  const json_t *party = json_object_get(claims, "azp"), *subject = json_object_get(claims, "sub");

  if (claims == NULL)
    return "cannot be read; is it encrypted?";
  if (!is_text(json_object_get(claims, "iss"), profile->issuer))
    return "is of another issuer";
  if (!names_client(json_object_get(claims, "aud"), profile->client_id))
    return "is for another client (aud)";
  if (party != NULL && !is_text(party, profile->client_id))
    return "is for another client (azp)";
  if (nonce != NULL && !is_text(json_object_get(claims, "nonce"), nonce))
    return "answers another login (nonce)";
  if (json_string_length(subject) == 0)
    return "has no subject";
  if (expiry_of(claims) <= now)
    return "has expired already; is this machine's clock right?";
  return NULL;
}

/*
 * By this machine's clock, which may be behind the provider's: a token that was issued later than
 * now was issued now, and lasts as long from here. Otherwise it would be handed out when it has
 * ended.
 */
static int64_t end_of(const json_t *claims, int64_t now) {
  double issued = json_number_value(json_object_get(claims, "iat"));
  int64_t expires = expiry_of(claims);

  return issued > (double)now && issued < (double)expires ? expires - ((int64_t)issued - now)
                                                          : expires;
}

static bool read_id_token(const json_t *value, const struct profile *profile, const char *nonce,
                          int64_t now, struct tokens *tokens) {
  json_t *claims = token_claims(json_string_value(value));
  const char *what = fault(claims, profile, nonce, now);

  if (what != NULL) {
    cli_complain("the ID token that %s sent %s", profile->issuer, what);
  } else {
    tokens->id_token = wipe_dup(json_string_value(value));
    tokens->subject = wipe_dup(json_string_value(json_object_get(claims, "sub")));
    tokens->id_expires = end_of(claims, now);
  }
  json_decref(claims);
  return tokens->id_token != NULL && tokens->subject != NULL;
}

/* ---- the answer (RFC 6749 5.1) ---- */

/* A token of the answer: NULL when it has none; false after a complaint when it is none. */
static bool get_token(const json_t *answer, const char *name, const json_t **value_out) {
  const json_t *value = json_object_get(answer, name);

  *value_out = json_is_null(value) ? NULL : value;
  if (*value_out == NULL)
    return true;
  if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
    cli_complain("the provider's %s is no text", name);
    return false;
  }
  return token_is_fit(name, json_string_value(value));
}

/* The token's own end, and the one that the answer gives: the earlier counts. */
static int64_t access_expiry(const json_t *answer, const char *token, int64_t now) {
  const json_t *value = json_object_get(answer, "expires_in");
  int64_t own = token_expiry(token), said = 0;

  if (json_is_integer(value) && json_integer_value(value) > 0)
    said =
        now + (json_integer_value(value) < EXPIRES_MAX ? json_integer_value(value) : EXPIRES_MAX);
  return own == 0 || (said != 0 && said < own) ? said : own;
}

enum cli_exit tokens_read(const json_t *answer, const struct profile *profile, const char *nonce,
                          int64_t now, struct tokens *tokens_out) {
  const json_t *id = NULL, *access = NULL, *refresh = NULL;
  const char *type = json_string_value(json_object_get(answer, "token_type"));

  memset(tokens_out, 0, sizeof *tokens_out);
  if (type == NULL || strcasecmp(type, "Bearer") != 0) {
    cli_complain("the provider answers with tokens that are no bearer tokens");
    return CLI_OUTSIDE;
  }
  if (!get_token(answer, "id_token", &id) || !get_token(answer, "access_token", &access) ||
      !get_token(answer, "refresh_token", &refresh))
    return CLI_OUTSIDE;
  if (id != NULL && !read_id_token(id, profile, nonce, now, tokens_out)) {
    tokens_clear(tokens_out);
    return CLI_OUTSIDE;
  }
  if (access != NULL) {
    tokens_out->access_token = wipe_dup(json_string_value(access));
    tokens_out->access_expires = access_expiry(answer, json_string_value(access), now);
  }
  if (refresh != NULL)
    tokens_out->refresh_token = wipe_dup(json_string_value(refresh));
  return CLI_DONE;
}
