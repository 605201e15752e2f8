/*
 * Authorization code with PKCE in a browser (RFC 6749 4.1, RFC 7636, RFC 8252, RFC 9207).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "flow.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "browser.h"
#include "loopback.h"
#include "wipe.h"

/* What this one login has made up, and must find again. */
struct attempt {
  char *state;
  char *nonce;
  char *verifier;
  struct text redirect_uri;
};

static bool begin(struct attempt *attempt) {
  attempt->state = flow_random();
  attempt->nonce = flow_random();
  attempt->verifier = flow_random();
  return attempt->state != NULL && attempt->nonce != NULL && attempt->verifier != NULL;
}

static void forget(struct attempt *attempt) {
  wipe_free(attempt->state);
  wipe_free(attempt->nonce);
  wipe_free(attempt->verifier);
  text_clear(&attempt->redirect_uri);
}

/* ---- the question ---- */

/* RFC 7636 4.2: S256, never plain. */
static bool put_challenge(struct text *query, const char *verifier) {
  unsigned char digest[32];
  struct text challenge = {0};

  if (EVP_Digest(verifier, strlen(verifier), digest, NULL, EVP_sha256(), NULL) != 1)
    return false;
  text_put_base64url(&challenge, digest, sizeof digest);
  text_put_pair(query, "code_challenge", text_end(&challenge));
  text_put_pair(query, "code_challenge_method", "S256");
  text_clear(&challenge);
  return true;
}

static bool put_parameter(void *context, const char *item) {
  size_t len = strcspn(item, "=");
  struct text name = {0};

  text_put_bytes(&name, item, len);
  if (text_end(&name) != NULL)
    text_put_pair(context, name.bytes, item + len + 1);
  text_clear(&name);
  return true;
}

static bool make_url(const struct provider *provider, const struct profile *profile,
                     const struct attempt *attempt, struct text *url) {
  char *scope = flow_scope(provider, profile);
  struct text query = {0};
  bool done;

  text_put_pair(&query, "response_type", "code");
  text_put_pair(&query, "client_id", profile->client_id);
  text_put_pair(&query, "redirect_uri", text_end(&attempt->redirect_uri));
  text_put_pair(&query, "scope", scope);
  text_put_pair(&query, "state", attempt->state);
  text_put_pair(&query, "nonce", attempt->nonce);
  text_put_pair(&query, "audience", profile->audience);
  text_put_pair(&query, "resource", profile->resource);
  text_put_pair(&query, "prompt", profile->prompt);
  done = scope != NULL && put_challenge(&query, attempt->verifier) &&
         profile_each(profile->parameter, put_parameter, &query) && text_end(&query) != NULL;
  text_put(url, provider->authorization_endpoint);
  text_put(url, strchr(provider->authorization_endpoint, '?') != NULL ? "&" : "?");
  text_put(url, done ? query.bytes : "");
  text_clear(&query);
  wipe_free(scope);
  return done && text_end(url) != NULL;
}

/* ---- the answer ---- */

static bool equals(const struct text *value, const char *expected) {
  return value->len == strlen(expected) && CRYPTO_memcmp(value->bytes, expected, value->len) == 0;
}

/* It is ours, and of the provider that was asked: of no other one (mix-up, RFC 9207 2.4). */
static bool is_for_us(const struct provider *provider, const struct profile *profile,
                      const struct attempt *attempt, const char *parameters) {
  struct text state = {0}, issuer = {0};
  size_t states = text_find_pair(parameters, "state", &state);
  size_t issuers = text_find_pair(parameters, "iss", &issuer);
  bool wanted = provider_says(provider, "authorization_response_iss_parameter_supported");
  bool fine = false;

  if (states != 1 || !equals(&state, attempt->state))
    cli_complain("the browser's answer belongs to another login (state): refused");
  else if (issuers > 1 || (issuers == 0 && wanted) ||
           (issuers == 1 && !equals(&issuer, profile->issuer)))
    cli_complain("the browser's answer is not from %s (iss): refused", profile->issuer);
  else
    fine = true;
  text_clear(&state);
  text_clear(&issuer);
  return fine;
}

/* RFC 6749 4.1.2.1, in the form of an answer whose error is to be told. */
static enum cli_exit tell_error(const char *parameters, const struct text *error,
                                const struct profile *profile) {
  struct provider_answer answer = {.reached = true};
  struct text description = {0};
  enum cli_exit code;

  text_find_pair(parameters, "error_description", &description);
  snprintf(answer.error, sizeof answer.error, "%s", error->len > 0 ? error->bytes : "no reason");
  answer.body = description.len == 0 ? json_object()
                                     : json_pack("{s:s*}", "error_description", description.bytes);
  code = provider_refused(&answer, profile->issuer);
  provider_answer_clear(&answer);
  text_clear(&description);
  return code;
}

static enum cli_exit read_answer(const struct provider *provider, const struct profile *profile,
                                 const struct attempt *attempt, const char *parameters,
                                 struct text *code_out) {
  struct text error = {0};
  enum cli_exit code = CLI_DONE;

  if (!is_for_us(provider, profile, attempt, parameters))
    return CLI_NO;
  if (text_find_pair(parameters, "error", &error) > 0) {
    code = tell_error(parameters, &error, profile);
  } else if (text_find_pair(parameters, "code", code_out) != 1 || code_out->len == 0) {
    cli_complain("%s: the browser's answer holds no code", profile->issuer);
    code = CLI_OUTSIDE;
  }
  text_clear(&error);
  return code;
}

/* ---- the whole ---- */

static enum cli_exit exchange(const struct provider *provider, const struct profile *profile,
                              const struct attempt *attempt, const char *authorization,
                              struct tokens *tokens_out) {
  struct text form = {0};
  enum cli_exit code;

  text_put_pair(&form, "grant_type", "authorization_code");
  text_put_pair(&form, "code", authorization);
  text_put_pair(&form, "redirect_uri", attempt->redirect_uri.bytes);
  text_put_pair(&form, "code_verifier", attempt->verifier);
  text_put_pair(&form, "resource", profile->resource);
  code = flow_grant(provider, profile, &form, attempt->nonce, tokens_out);
  text_clear(&form);
  return code;
}

static enum cli_exit ask_person(const struct provider *provider, const struct profile *profile,
                                struct attempt *attempt, struct text *parameters) {
  struct loopback loopback;
  struct text url = {0};
  enum cli_exit code = loopback_open(profile->redirect_uri, &loopback);

  if (code == CLI_DONE) {
    loopback_put_uri(&loopback, &attempt->redirect_uri);
    code = make_url(provider, profile, attempt, &url) ? CLI_DONE : CLI_OUTSIDE;
  }
  if (code == CLI_DONE) {
    browser_open(profile->label, url.bytes);
    code = loopback_wait(&loopback, "GET", provider_deadline(profile->timeout_seconds), parameters);
  }
  text_clear(&url);
  loopback_close(&loopback);
  return code;
}

enum cli_exit flow_browser(const struct provider *provider, const struct profile *profile,
                           struct tokens *tokens_out) {
  struct attempt attempt = {0};
  struct text parameters = {0}, authorization = {0};
  enum cli_exit code = CLI_OUTSIDE;

  if (provider->authorization_endpoint == NULL) {
    cli_complain("%s offers no login in a browser; use flow = device", profile->issuer);
    return CLI_USAGE;
  }
  if (begin(&attempt))
    code = ask_person(provider, profile, &attempt, &parameters);
  if (code == CLI_DONE && text_end(&parameters) == NULL)
    code = CLI_OUTSIDE;
  if (code == CLI_DONE)
    code = read_answer(provider, profile, &attempt,
                       parameters.bytes != NULL ? parameters.bytes : "", &authorization);
  if (code == CLI_DONE)
    code = exchange(provider, profile, &attempt, authorization.bytes, tokens_out);
  text_clear(&authorization);
  text_clear(&parameters);
  forget(&attempt);
  return code;
}
