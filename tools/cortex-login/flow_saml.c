/*
 * A SAML response (HTTP-POST binding), taken on a loopback port as the assertion consumer.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "flow.h"

#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#include "browser.h"
#include "loopback.h"
#include "saml_request.h"
#include "wipe.h"

/* Where the person's browser is sent: the IdP starts by itself, or is asked to. */
static bool make_url(const struct profile *profile, const struct text *consumer,
                     const char *relay_state, struct text *url) {
  struct text query = {0};
  bool done = true;

  if (profile->sp_entity_id != NULL) {
    struct text request = {0};

    done = saml_request_make(profile, text_end(consumer), provider_now(), &request);
    text_put_pair(&query, "SAMLRequest", done ? request.bytes : NULL);
    text_clear(&request);
  }
  text_put_pair(&query, "RelayState", relay_state);
  text_put(url, profile->sso_url);
  text_put(url, strchr(profile->sso_url, '?') != NULL ? "&" : "?");
  text_put(url, done && text_end(&query) != NULL ? query.bytes : "");
  text_clear(&query);
  return done && text_end(url) != NULL;
}

/* The IdP's own form may wrap the base64; a password has no line breaks. */
static char *unwrap(const struct text *response) {
  struct text flat = {0};
  size_t i;

  for (i = 0; i < response->len; i++)
    if (strchr(" \t\r\n", response->bytes[i]) == NULL)
      text_put_bytes(&flat, response->bytes + i, 1);
  return text_take(&flat);
}

static enum cli_exit read_answer(const struct profile *profile, const char *form,
                                 const char *relay_state, struct tokens *tokens_out) {
  struct text response = {0}, state = {0};
  size_t states = text_find_pair(form, "RelayState", &state);
  enum cli_exit code = CLI_NO;

  if (profile->checks_relay_state && (states != 1 || state.len != strlen(relay_state) ||
                                      CRYPTO_memcmp(state.bytes, relay_state, state.len) != 0)) {
    cli_complain("the browser's answer belongs to another login (RelayState): refused");
  } else if (text_find_pair(form, "SAMLResponse", &response) != 1 || text_end(&response) == NULL) {
    cli_complain("the browser's answer holds no SAML response");
  } else {
    tokens_out->id_token = unwrap(&response);
    code = tokens_out->id_token != NULL && token_is_fit("the SAML response", tokens_out->id_token)
               ? CLI_DONE
               : CLI_OUTSIDE;
  }
  text_clear(&response);
  text_clear(&state);
  return code;
}

enum cli_exit flow_saml(const struct profile *profile, struct tokens *tokens_out) {
  char *relay_state = flow_random();
  struct text url = {0}, consumer = {0}, form = {0};
  struct loopback loopback = {0};
  enum cli_exit code = CLI_OUTSIDE;

  memset(tokens_out, 0, sizeof *tokens_out);
  if (relay_state != NULL)
    code = loopback_open(profile->redirect_uri, &loopback);
  if (code == CLI_DONE) {
    loopback_put_uri(&loopback, &consumer);
    code = make_url(profile, &consumer, relay_state, &url) ? CLI_DONE : CLI_OUTSIDE;
  }
  if (code == CLI_DONE) {
    browser_open(profile->label, url.bytes);
    code = loopback_wait(&loopback, "POST", provider_deadline(profile->timeout_seconds), &form);
  }
  if (code == CLI_DONE && text_end(&form) == NULL)
    code = CLI_OUTSIDE;
  if (code == CLI_DONE)
    code = read_answer(profile, form.bytes != NULL ? form.bytes : "", relay_state, tokens_out);
  if (code != CLI_DONE)
    tokens_clear(tokens_out);
  loopback_close(&loopback);
  text_clear(&form);
  text_clear(&consumer);
  text_clear(&url);
  wipe_free(relay_state);
  return code;
}
