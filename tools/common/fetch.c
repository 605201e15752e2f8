/*
 * Getting one small document over HTTPS, within limits.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cortexauth/clock.h>

#define CONNECT_MS 2000L
#define REDIRECTS_MAX 3L

struct body {
  struct fetch_result *result;
  size_t room;
  bool too_large;
};

/* Doubles the room, and leaves no copy behind: an answer may be a token. */
static bool grow(struct body *body, size_t needed) {
  struct fetch_result *result = body->result;
  size_t room = body->room < 4096 ? 4096 : body->room;
  char *grown;

  while (room < needed)
    room *= 2;
  if (room == body->room)
    return true;
  grown = malloc(room);
  if (grown == NULL)
    return false;
  if (result->bytes != NULL) {
    memcpy(grown, result->bytes, result->len);
    explicit_bzero(result->bytes, result->len);
    free(result->bytes);
  }
  result->bytes = grown;
  body->room = room;
  return true;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context) {
  struct body *body = context;
  struct fetch_result *result = body->result;
  size_t len = size * count;

  body->too_large = len > FETCH_MAX - result->len;
  if (body->too_large || !grow(body, result->len + len + 1))
    return 0;
  memcpy(result->bytes + result->len, bytes, len);
  result->len += len;
  result->bytes[result->len] = '\0';
  return len;
}

static bool is_loopback(const char *host) {
  struct in_addr address;

  if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
    return true;
  return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

enum fetch_trust fetch_trust_of(const char *url) {
  CURLU *parts = curl_url();
  char *scheme = NULL, *host = NULL;
  enum fetch_trust trust = FETCH_REFUSED;

  if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
    if (strcmp(scheme, "https") == 0)
      trust = FETCH_HTTPS;
    else if (strcmp(scheme, "http") == 0 && is_loopback(host))
      trust = FETCH_LOOPBACK;
  }
  curl_free(scheme);
  curl_free(host);
  curl_url_cleanup(parts);
  return trust;
}

static long milliseconds_left(int64_t deadline) {
  const struct cortex_clock *clock = cortex_clock_system();
  int64_t left = (deadline - clock->monotonic(clock)) / 1000000;

  return left <= 0 ? 0 : left > 60000 ? 60000 : (long)left;
}

/* A redirect of a plain http answer could lead off this host: it is not followed. */
static bool set_transport(CURL *curl, const struct fetch_target *target, long left) {
  bool https = fetch_trust_of(target->url) == FETCH_HTTPS;

  return curl_easy_setopt(curl, CURLOPT_URL, target->url) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, https ? "https" : "http") == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https") == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION,
                          https && target->bearer == NULL ? 1L : 0L) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_PROXY,
                          https && target->proxy != NULL ? target->proxy : "") == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, left < CONNECT_MS ? left : CONNECT_MS) ==
             CURLE_OK &&
         (target->bearer == NULL ||
          (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, target->bearer) == CURLE_OK)) &&
         curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         /* A name server that is silent must not hold up the end of the program. */
         curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
}

/* With a ca_file of its own an issuer is trusted through that file alone. */
static bool set_tls(CURL *curl, const char *ca_file) {
  return curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
         (ca_file == NULL || (curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
                              curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool set_form(CURL *curl, const struct fetch_form *form) {
  return curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(form->body)) ==
             CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form->body) == CURLE_OK &&
         (form->user == NULL ||
          (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERNAME, form->user) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PASSWORD, form->password) == CURLE_OK));
}

/* A form's answer may have any status but a redirect's. */
static bool is_answer(long status, const struct fetch_form *form) {
  return form == NULL ? status == 200 : status >= 200 && (status < 300 || status >= 400);
}

static bool perform(CURL *curl, const struct fetch_target *target, const struct fetch_form *form,
                    struct fetch_result *result) {
  struct body body = {result, 0, false};
  char detail[CURL_ERROR_SIZE] = "";
  CURLcode code;

  if (curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes) != CURLE_OK ||
      curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body) != CURLE_OK ||
      curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)FETCH_MAX) != CURLE_OK ||
      curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail) != CURLE_OK) {
    snprintf(result->why, sizeof result->why, "libcurl refuses an option");
    return false;
  }
  code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result->status);
  if (body.too_large || code == CURLE_FILESIZE_EXCEEDED)
    snprintf(result->why, sizeof result->why, "%.120s: more than %d bytes", target->url, FETCH_MAX);
  else if (code != CURLE_OK)
    snprintf(result->why, sizeof result->why, "%.120s: %.120s", target->url,
             *detail != '\0' ? detail : curl_easy_strerror(code));
  else if (!is_answer(result->status, form))
    snprintf(result->why, sizeof result->why, "%.120s: HTTP status %ld", target->url,
             result->status);
  else if (result->bytes == NULL && form == NULL)
    snprintf(result->why, sizeof result->why, "%.120s: the answer is empty", target->url);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
  return *result->why == '\0';
}

static bool transfer(const struct fetch_target *target, const struct fetch_form *form,
                     struct fetch_result *result) {
  long left = milliseconds_left(target->deadline);
  CURL *curl;
  bool done = false;

  memset(result, 0, sizeof *result);
  if (fetch_trust_of(target->url) == FETCH_REFUSED) {
    snprintf(result->why, sizeof result->why,
             "%.120s: only https, or http to this host, is fetched", target->url);
    return false;
  }
  if (left == 0) {
    snprintf(result->why, sizeof result->why, "%.120s: no time is left", target->url);
    return false;
  }
  curl = curl_easy_init();
  if (curl == NULL || !set_transport(curl, target, left) || !set_tls(curl, target->ca_file) ||
      (form != NULL && !set_form(curl, form)))
    snprintf(result->why, sizeof result->why, "libcurl cannot be set up as needed");
  else
    done = perform(curl, target, form, result);
  curl_easy_cleanup(curl);
  if (!done)
    fetch_result_clear(result);
  return done;
}

bool fetch_get(const struct fetch_target *target, struct fetch_result *result) {
  return transfer(target, NULL, result);
}

bool fetch_post(const struct fetch_target *target, const struct fetch_form *form,
                struct fetch_result *result) {
  return transfer(target, form, result);
}

void fetch_result_clear(struct fetch_result *result) {
  if (result->bytes != NULL)
    explicit_bzero(result->bytes, result->len);
  free(result->bytes);
  result->bytes = NULL;
  result->len = 0;
}
