/*
 * The identity provider: where its endpoints are, and asking them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/clock.h>

#include "client_auth.h"
#include "common/discovery.h"
#include "common/fetch.h"
#include "wipe.h"

#define REQUEST_SECONDS 20

int64_t provider_now(void) {
  const struct cortex_clock *clock = cortex_clock_system();

  return clock->now(clock) / 1000000;
}

int64_t provider_deadline(int64_t seconds) {
  const struct cortex_clock *clock = cortex_clock_system();

  return clock->monotonic(clock) + seconds * 1000000000;
}

static struct fetch_target target_of(const struct profile *profile, const char *url) {
  return (struct fetch_target){.url = url,
                               .ca_file = profile->ca_file,
                               .proxy = profile->proxy,
                               .deadline = provider_deadline(REQUEST_SECONDS)};
}

/* ---- discovery ---- */

static json_t *read_document(const struct fetch_result *result, const char *url,
                             const char *issuer) {
  char why[256];
  json_t *document =
      discovery_document(issuer, url, result->bytes, result->len, why, sizeof why);

  if (document == NULL)
    cli_complain("%s", why);
  else if (discovery_address(document, "token_endpoint", issuer) == NULL)
    cli_complain("%s: no token_endpoint that may be asked", url);
  else
    return document;
  json_decref(document);
  return NULL;
}

enum cli_exit provider_open(const struct profile *profile, struct provider *provider_out) {
  char *url = discovery_url(profile->issuer);
  struct fetch_target target = target_of(profile, url);
  struct fetch_result result = {0};

  memset(provider_out, 0, sizeof *provider_out);
  if (url == NULL)
    cli_complain("out of memory");
  else if (fetch_get(&target, &result))
    provider_out->document = read_document(&result, url, profile->issuer);
  else
    cli_complain("%s", result.why);
  fetch_result_clear(&result);
  free(url);
  if (provider_out->document == NULL)
    return CLI_OUTSIDE;
#define ENDPOINT(name) \
  provider_out->name = discovery_address(provider_out->document, #name, profile->issuer)
  ENDPOINT(authorization_endpoint);
  ENDPOINT(token_endpoint);
  ENDPOINT(device_authorization_endpoint);
  ENDPOINT(revocation_endpoint);
#undef ENDPOINT
  return CLI_DONE;
}

void provider_close(struct provider *provider) {
  json_decref(provider->document);
  memset(provider, 0, sizeof *provider);
}

bool provider_lists(const struct provider *provider, const char *list, const char *value) {
  const json_t *items = json_object_get(provider->document, list);
  size_t i;

  for (i = 0; i < json_array_size(items); i++) {
    const char *item = json_string_value(json_array_get(items, i));

    if (item != NULL && strcmp(item, value) == 0)
      return true;
  }
  return false;
}

bool provider_says(const struct provider *provider, const char *member) {
  return json_is_true(json_object_get(provider->document, member));
}

/* ---- asking ---- */

/* RFC 6749 5.2 allows no others; a terminal would obey some of them. */
static void copy_printable(const char *from, char *to, size_t size) {
  size_t i;

  for (i = 0; from != NULL && from[i] != '\0' && i + 1 < size; i++)
    to[i] = (char)(from[i] < ' ' || from[i] > '~' ? '?' : from[i]);
  to[i] = '\0';
}

static enum cli_exit read_answer(const struct fetch_result *result, const char *url,
                                 struct provider_answer *answer) {
  json_t *body = result->len == 0
                     ? NULL
                     : json_loadb(result->bytes, result->len, JSON_REJECT_DUPLICATES, NULL);
  const char *error;

  /* A revocation is answered by nothing (RFC 7009 2.2). */
  if (result->status == 200 && result->len == 0)
    body = json_object();
  if (!json_is_object(body)) {
    cli_complain("%s: HTTP status %ld, and no answer that can be read", url, result->status);
    json_decref(body);
    answer->reached = result->status < 500;
    return CLI_OUTSIDE;
  }
  answer->body = body;
  error = discovery_text(body, "error");
  copy_printable(error, answer->error, sizeof answer->error);
  if (error == NULL && result->status != 200)
    snprintf(answer->error, sizeof answer->error, "HTTP status %ld", result->status);
  answer->reached = result->status < 500;
  return CLI_DONE;
}

enum cli_exit provider_post(const struct provider *provider, const struct profile *profile,
                            const char *endpoint, struct text *form,
                            struct provider_answer *answer_out) {
  struct fetch_target target = target_of(profile, endpoint);
  struct fetch_result result = {0};
  struct client_auth auth = {0};
  struct fetch_form post;
  enum cli_exit code;

  memset(answer_out, 0, sizeof *answer_out);
  code = client_auth_put(profile, provider->token_endpoint, form, &auth);
  if (code == CLI_DONE && text_end(form) == NULL)
    code = CLI_OUTSIDE;
  if (code == CLI_DONE) {
    post = (struct fetch_form){form->bytes, auth.user.bytes, auth.password.bytes};
    if (fetch_post(&target, &post, &result)) {
      code = read_answer(&result, endpoint, answer_out);
    } else {
      cli_complain("%s", result.why);
      code = CLI_OUTSIDE;
    }
  }
  fetch_result_clear(&result);
  client_auth_clear(&auth);
  return code;
}

void provider_answer_clear(struct provider_answer *answer) {
  json_decref(answer->body);
  memset(answer, 0, sizeof *answer);
}

enum cli_exit provider_refused(const struct provider_answer *answer, const char *doing) {
  char description[300];

  copy_printable(discovery_text(answer->body, "error_description"), description, sizeof description);
  cli_complain("%s: the provider refuses: %s%s%s", doing, answer->error,
               *description == '\0' ? "" : ": ", description);
  return answer->reached && strcmp(answer->error, "server_error") != 0 &&
                 strcmp(answer->error, "temporarily_unavailable") != 0
             ? CLI_NO
             : CLI_OUTSIDE;
}
