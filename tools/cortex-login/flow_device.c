/*
 * The device authorization grant (RFC 8628): the person logs in on another device.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "flow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/discovery.h"
#include "wipe.h"

#define INTERVAL 5        /* seconds between questions, where the provider does not say (3.2) */
#define INTERVAL_MAX 60   /* and the longest that is believed */
#define SLOWER 5          /* more after slow_down (3.5) */
#define LIFETIME_MAX 3600 /* of a code */

/* What the provider answered to the first question (3.2). */
struct device {
  const char *device_code;
  int64_t interval;
  int64_t end; /* monotonic */
};

static void sleep_until(int64_t deadline) {
  struct timespec until = {(time_t)(deadline / 1000000000), (long)(deadline % 1000000000)};

  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    continue;
}

/* ---- the first question ---- */

static int64_t number_or(const json_t *body, const char *name, int64_t least, int64_t most,
                         int64_t otherwise) {
  const json_t *value = json_object_get(body, name);
  int64_t number = json_is_integer(value) ? json_integer_value(value) : otherwise;

  return number < least ? least : number > most ? most : number;
}

/* On standard error: standard output is for the token. */
static bool tell_person(const json_t *body, const struct profile *profile) {
  const char *code = discovery_text(body, "user_code");
  const char *url = discovery_address(body, "verification_uri", profile->issuer);
  const char *complete = discovery_address(body, "verification_uri_complete", profile->issuer);

  if (url == NULL) /* Google, by a draft of RFC 8628 */
    url = discovery_address(body, "verification_url", profile->issuer);
  if (code == NULL || url == NULL)
    return false;
  cli_complain("to log in to \"%s\", open %s", profile->label, url);
  cli_complain("on any device and enter the code: %s", code);
  if (complete != NULL)
    cli_complain("or open %s and compare the code", complete);
  return true;
}

static bool read_device(const json_t *body, const struct profile *profile, struct device *device) {
  int64_t lifetime = number_or(body, "expires_in", 1, LIFETIME_MAX, profile->timeout_seconds);

  device->device_code = discovery_text(body, "device_code");
  device->interval = number_or(body, "interval", 1, INTERVAL_MAX, INTERVAL);
  device->end =
      provider_deadline(lifetime < profile->timeout_seconds ? lifetime : profile->timeout_seconds);
  return device->device_code != NULL && tell_person(body, profile);
}

static enum cli_exit ask(const struct provider *provider, const struct profile *profile,
                         struct provider_answer *answer) {
  char *scope = flow_scope(provider, profile);
  struct text form = {0};
  enum cli_exit code = CLI_OUTSIDE;

  if (scope != NULL) {
    text_put_pair(&form, "scope", scope);
    text_put_pair(&form, "audience", profile->audience);
    text_put_pair(&form, "resource", profile->resource);
    code = provider_post(provider, profile, provider->device_authorization_endpoint, &form, answer);
  }
  if (code == CLI_DONE && *answer->error != '\0')
    code = provider_refused(answer, profile->issuer);
  text_clear(&form);
  wipe_free(scope);
  return code;
}

/* ---- waiting for the person ---- */

/* What an error of the token endpoint means (3.5); CLI_DONE: go on asking. */
static enum cli_exit judge(const struct provider_answer *answer, const struct profile *profile,
                           struct device *device) {
  if (strcmp(answer->error, "authorization_pending") == 0)
    return CLI_DONE;
  if (strcmp(answer->error, "slow_down") == 0) {
    device->interval += SLOWER;
    return CLI_DONE;
  }
  if (strcmp(answer->error, "access_denied") == 0)
    cli_complain("the login to \"%s\" was refused", profile->label);
  else if (strcmp(answer->error, "expired_token") == 0)
    cli_complain("the code has expired; please start again");
  else
    return provider_refused(answer, profile->issuer);
  return CLI_NO;
}

static enum cli_exit poll_once(const struct provider *provider, const struct profile *profile,
                               struct device *device, struct tokens *tokens_out, bool *done) {
  struct provider_answer answer;
  struct text form = {0};
  enum cli_exit code;

  text_put_pair(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
  text_put_pair(&form, "device_code", device->device_code);
  code = provider_post(provider, profile, provider->token_endpoint, &form, &answer);
  if (code == CLI_OUTSIDE && !answer.reached) {
    device->interval *= 2; /* 3.5: no answer in time is a reason to ask less often */
    code = CLI_DONE;
  } else if (code == CLI_DONE && *answer.error != '\0') {
    code = judge(&answer, profile, device);
  } else if (code == CLI_DONE) {
    code = tokens_read(answer.body, profile, NULL, provider_now(), tokens_out);
    *done = true;
  }
  provider_answer_clear(&answer);
  text_clear(&form);
  return code;
}

static enum cli_exit wait_for_person(const struct provider *provider, const struct profile *profile,
                                     struct device *device, struct tokens *tokens_out) {
  enum cli_exit code = CLI_DONE;
  bool done = false;

  while (code == CLI_DONE && !done) {
    int64_t next = provider_deadline(device->interval);

    if (next >= device->end) {
      sleep_until(device->end);
      cli_complain("nobody logged in to \"%s\" in time; please start again", profile->label);
      return CLI_NO;
    }
    sleep_until(next);
    code = poll_once(provider, profile, device, tokens_out, &done);
  }
  return code;
}

enum cli_exit flow_device(const struct provider *provider, const struct profile *profile,
                          struct tokens *tokens_out) {
  struct provider_answer answer = {0};
  struct device device = {0};
  enum cli_exit code;

  if (provider->device_authorization_endpoint == NULL) {
    cli_complain("%s offers no device flow; use flow = browser", profile->issuer);
    return CLI_USAGE;
  }
  code = ask(provider, profile, &answer);
  if (code == CLI_DONE && !read_device(answer.body, profile, &device)) {
    cli_complain("%s: the answer to the device flow lacks code or address", profile->issuer);
    code = CLI_OUTSIDE;
  }
  if (code == CLI_DONE)
    code = wait_for_person(provider, profile, &device, tokens_out);
  provider_answer_clear(&answer);
  return code;
}
