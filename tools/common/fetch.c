/*
 * Getting small documents over HTTPS, within limits, one or many at a time.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

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
#define USER_AGENT PACKAGE_TARNAME "/" PACKAGE_VERSION

struct body {
  struct fetch_result *result;
  size_t room;
  size_t most;
  bool too_large;
};

/* One question on its way. */
struct transfer {
  struct transfer *next; /* of the pool */
  CURL *curl;
  struct curl_slist *headers;
  const char *url;
  const struct fetch_form *form; /* NULL: it is a GET */
  struct body body;
  void *tag;
  bool is_conditional;
  char detail[CURL_ERROR_SIZE];
};

struct fetch_pool {
  CURLM *multi;
  struct transfer *transfers;
  int count;
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

  body->too_large = len > body->most - result->len;
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

/* ---- freshness ---- */

static const char *get_header(CURL *curl, const char *name) {
  struct curl_header *header = NULL;

  return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                 : NULL;
}

static bool is_directive(const char *text, size_t len, const char *name) {
  return strlen(name) == len && strncasecmp(text, name, len) == 0;
}

/* At most a century, so that sums stay far from overflow; FETCH_AGE_UNKNOWN: no number. */
static int64_t read_seconds(const char *text) {
  int64_t seconds = 0;

  text += *text == '"';
  if (*text < '0' || *text > '9')
    return FETCH_AGE_UNKNOWN;
  for (; *text >= '0' && *text <= '9'; text++)
    if (seconds < INT64_C(3155760000))
      seconds = seconds * 10 + (*text - '0');
  return seconds;
}

/* RFC 9111 5.2.2: a stated age, unless the answer must be asked for anew each time. */
static int64_t read_cache_control(const char *text) {
  int64_t age = FETCH_AGE_UNKNOWN;

  while (*text != '\0') {
    size_t len = strcspn(text, ",");
    size_t name = strcspn(text, ",= \t");

    if (is_directive(text, name, "no-store") || is_directive(text, name, "no-cache"))
      return FETCH_AGE_UNKNOWN;
    if (is_directive(text, name, "max-age") && text[name] == '=')
      age = read_seconds(text + name + 1);
    text += len;
    text += strspn(text, ", \t");
  }
  return age;
}

static void read_freshness(CURL *curl, struct fetch_result *result) {
  const char *control = get_header(curl, "Cache-Control"), *age = get_header(curl, "Age");
  const char *etag = get_header(curl, "ETag");
  int64_t spent = age != NULL ? read_seconds(age) : 0;

  if (control != NULL)
    result->max_age = read_cache_control(control);
  if (result->max_age >= 0 && spent > 0)
    result->max_age = result->max_age > spent ? result->max_age - spent : 0;
  if (etag != NULL && strlen(etag) <= FETCH_ETAG_MAX)
    snprintf(result->etag, sizeof result->etag, "%s", etag);
}

/* RFC 9110 10.2.3: a number or a date, which may be over by now; libcurl reads both. */
static int64_t read_retry_after(CURL *curl) {
  curl_off_t seconds = 0;

  if (get_header(curl, "Retry-After") == NULL ||
      curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK)
    return 0;
  return seconds > 0 ? seconds : 1;
}

/* ---- one transfer ---- */

static bool set_answer(struct transfer *transfer) {
  CURL *curl = transfer->curl;

  return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer->body) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)transfer->body.most) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->detail) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

static bool set_condition(struct transfer *transfer, const char *etag) {
  char line[FETCH_ETAG_MAX + 32];

  if (etag == NULL || *etag == '\0' || strlen(etag) > FETCH_ETAG_MAX)
    return true;
  snprintf(line, sizeof line, "If-None-Match: %s", etag);
  transfer->headers = curl_slist_append(NULL, line);
  transfer->is_conditional = true;
  return transfer->headers != NULL &&
         curl_easy_setopt(transfer->curl, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static void free_transfer(struct transfer *transfer) {
  if (transfer == NULL)
    return;
  curl_easy_cleanup(transfer->curl);
  curl_slist_free_all(transfer->headers);
  free(transfer);
}

/* NULL, with result->why, when the address may not be asked or libcurl cannot do as it must. */
static struct transfer *make_transfer(const struct fetch_target *target,
                                      const struct fetch_form *form, struct fetch_result *result,
                                      void *tag) {
  long left = milliseconds_left(target->deadline);
  struct transfer *transfer;

  memset(result, 0, sizeof *result);
  result->max_age = FETCH_AGE_UNKNOWN;
  if (fetch_trust_of(target->url) == FETCH_REFUSED) {
    snprintf(result->why, sizeof result->why,
             "%.120s: only https, or http to this host, is fetched", target->url);
    return NULL;
  }
  if (left == 0) {
    snprintf(result->why, sizeof result->why, "%.120s: no time is left", target->url);
    return NULL;
  }
  transfer = calloc(1, sizeof *transfer);
  if (transfer != NULL) {
    *transfer = (struct transfer){.curl = curl_easy_init(),
                                  .url = target->url,
                                  .form = form,
                                  .body = {.result = result,
                                           .most = target->most > 0 ? target->most : FETCH_MAX},
                                  .tag = tag};
    if (transfer->curl != NULL && set_transport(transfer->curl, target, left) &&
        set_tls(transfer->curl, target->ca_file) && set_answer(transfer) &&
        set_condition(transfer, target->etag) &&
        (form == NULL || set_form(transfer->curl, form)))
      return transfer;
  }
  free_transfer(transfer);
  snprintf(result->why, sizeof result->why, "libcurl cannot be set up as needed");
  return NULL;
}

/* What came of it; the transfer is gone afterwards. */
static bool end_transfer(struct transfer *transfer, CURLcode code) {
  struct fetch_result *result = transfer->body.result;

  curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &result->status);
  if (transfer->body.too_large || code == CURLE_FILESIZE_EXCEEDED)
    snprintf(result->why, sizeof result->why, "%.120s: more than %zu bytes", transfer->url,
             transfer->body.most);
  else if (code != CURLE_OK)
    snprintf(result->why, sizeof result->why, "%.120s: %.120s", transfer->url,
             *transfer->detail != '\0' ? transfer->detail : curl_easy_strerror(code));
  else if (result->status == 304 && transfer->is_conditional)
    result->not_modified = true;
  else if (!is_answer(result->status, transfer->form))
    snprintf(result->why, sizeof result->why, "%.120s: HTTP status %ld", transfer->url,
             result->status);
  else if (result->bytes == NULL && transfer->form == NULL)
    snprintf(result->why, sizeof result->why, "%.120s: the answer is empty", transfer->url);
  if (result->status == 429 || result->status == 503)
    result->retry_after = read_retry_after(transfer->curl);
  if (*result->why == '\0')
    read_freshness(transfer->curl, result);
  if (*result->why != '\0' || result->not_modified)
    fetch_result_clear(result);
  free_transfer(transfer);
  return *result->why == '\0';
}

static bool run_transfer(struct transfer *transfer) {
  return transfer != NULL && end_transfer(transfer, curl_easy_perform(transfer->curl));
}

bool fetch_get(const struct fetch_target *target, struct fetch_result *result) {
  return run_transfer(make_transfer(target, NULL, result, NULL));
}

bool fetch_post(const struct fetch_target *target, const struct fetch_form *form,
                struct fetch_result *result) {
  return run_transfer(make_transfer(target, form, result, NULL));
}

/* ---- many ---- */

struct fetch_pool *fetch_pool_new(void) {
  struct fetch_pool *pool = calloc(1, sizeof *pool);

  if (pool == NULL || (pool->multi = curl_multi_init()) == NULL) {
    free(pool);
    return NULL;
  }
  return pool;
}

static struct transfer *take_out(struct fetch_pool *pool, struct transfer *transfer) {
  struct transfer **place;

  for (place = &pool->transfers; *place != transfer; place = &(*place)->next)
    continue;
  *place = transfer->next;
  pool->count--;
  curl_multi_remove_handle(pool->multi, transfer->curl);
  return transfer;
}

void fetch_pool_free(struct fetch_pool **pool) {
  if (*pool == NULL)
    return;
  while ((*pool)->transfers != NULL)
    free_transfer(take_out(*pool, (*pool)->transfers));
  curl_multi_cleanup((*pool)->multi);
  free(*pool);
  *pool = NULL;
}

bool fetch_pool_start(struct fetch_pool *pool, const struct fetch_target *target,
                      struct fetch_result *result, void *tag) {
  struct transfer *transfer = make_transfer(target, NULL, result, tag);

  if (transfer == NULL)
    return false;
  if (curl_multi_add_handle(pool->multi, transfer->curl) == CURLM_OK) {
    transfer->next = pool->transfers;
    pool->transfers = transfer;
    pool->count++;
    return true;
  }
  free_transfer(transfer);
  snprintf(result->why, sizeof result->why, "libcurl cannot be set up as needed");
  return false;
}

#define FDS_MAX 4

void fetch_pool_wait(struct fetch_pool *pool, const int *fds, size_t fd_count, int milliseconds) {
  struct curl_waitfd extra[FDS_MAX];
  unsigned count = 0;
  int running = 0;
  size_t i;

  for (i = 0; i < fd_count; i++)
    if (fds[i] >= 0 && count < FDS_MAX)
      extra[count++] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
  curl_multi_perform(pool->multi, &running);
  if (running < pool->count)
    return; /* one has ended already, and nothing else might wake us */
  curl_multi_poll(pool->multi, extra, count, milliseconds, NULL);
  curl_multi_perform(pool->multi, &running);
}

void *fetch_pool_next(struct fetch_pool *pool, bool *done_out) {
  struct transfer *transfer = NULL;
  const CURLMsg *message;
  CURLcode code;
  void *tag;
  int left;

  do
    message = curl_multi_info_read(pool->multi, &left);
  while (message != NULL && message->msg != CURLMSG_DONE);
  if (message == NULL)
    return NULL;
  code = message->data.result;
  curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
  tag = transfer->tag;
  *done_out = end_transfer(take_out(pool, transfer), code);
  return tag;
}

void fetch_result_clear(struct fetch_result *result) {
  if (result->bytes != NULL)
    explicit_bzero(result->bytes, result->len);
  free(result->bytes);
  result->bytes = NULL;
  result->len = 0;
}
