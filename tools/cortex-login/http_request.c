/*
 * One HTTP request of a browser: is it the answer that is waited for?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX 32768
#define BODY_MAX (200 * 1024)

/* The value of a header in the head, as bytes; NULL: it is not there, or there twice. */
static const char *find_header(const char *head, size_t len, const char *name, size_t *len_out) {
  const char *at = head, *end = head + len, *value = NULL;
  size_t name_len = strlen(name);

  while (at != NULL && at < end) {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    size_t line = (size_t)((line_end != NULL ? line_end : end) - at);

    if (line > name_len && at[name_len] == ':' && strncasecmp(at, name, name_len) == 0) {
      if (value != NULL)
        return NULL;
      value = at + name_len + 1;
      value += strspn(value, " \t");
      *len_out = strcspn(value, " \t\r\n");
    }
    at = line_end != NULL ? line_end + 1 : NULL;
  }
  return value;
}

/* Another name for this host is a page of another site that was led here (DNS rebinding). */
static bool is_our_host(const char *head, size_t len, const struct loopback_address *address) {
  char expected[32];
  size_t host_len = 0;
  const char *host = find_header(head, len, "Host", &host_len);

  if (host == NULL)
    return false;
  snprintf(expected, sizeof expected, address->port == 80 ? "%s" : "%s:%u", address->host,
           address->port);
  return host_len == strlen(expected) && strncasecmp(host, expected, host_len) == 0;
}

/* METHOD SP PATH ["?" QUERY] SP "HTTP/1." DIGIT */
static enum http_verdict judge_line(const char *line, size_t len, const char *method,
                                    const struct loopback_address *address, struct text *query) {
  const char *path = *address->path != '\0' ? address->path : "/";
  const char *target = memchr(line, ' ', len), *end;
  size_t path_len;

  if (target == NULL)
    return HTTP_BAD;
  target++;
  end = memchr(target, ' ', len - (size_t)(target - line));
  if (end == NULL || line + len - end != 9 || strncmp(end, " HTTP/1.", 8) != 0)
    return HTTP_BAD;
  path_len = strcspn(target, "? ");
  if (path_len != strlen(path) || memcmp(target, path, path_len) != 0)
    return HTTP_NOT_FOUND;
  if ((size_t)(target - line) != strlen(method) + 1 || memcmp(line, method, strlen(method)) != 0)
    return HTTP_NOT_ALLOWED;
  if (target[path_len] == '?')
    text_put_bytes(query, target + path_len + 1, (size_t)(end - target) - path_len - 1);
  return HTTP_TAKEN;
}

static enum http_verdict judge_body(const struct text *request, size_t head_len,
                                    struct text *form) {
  size_t digits = 0, body = request->len - head_len;
  const char *value = find_header(request->bytes, head_len, "Content-Length", &digits);
  unsigned long size;
  char *end;

  if (value == NULL || *value < '0' || *value > '9')
    return HTTP_BAD;
  size = strtoul(value, &end, 10);
  if (end != value + digits)
    return HTTP_BAD;
  if (size > BODY_MAX)
    return HTTP_TOO_LARGE;
  if (body < size)
    return HTTP_UNFINISHED;
  text_put_bytes(form, request->bytes + head_len, size);
  return HTTP_TAKEN;
}

enum http_verdict http_judge(const struct text *request, const char *method,
                             const struct loopback_address *address, struct text *parameters) {
  const char *bytes = request->bytes, *head_end;
  enum http_verdict verdict;
  struct text query = {0};
  size_t head_len;

  if (request->failed)
    return HTTP_TOO_LARGE;
  if (bytes == NULL || strlen(bytes) != request->len)
    return bytes == NULL ? HTTP_UNFINISHED : HTTP_BAD; /* a NUL byte */
  head_end = strstr(bytes, "\r\n\r\n");
  if (head_end == NULL)
    return request->len > HEAD_MAX ? HTTP_TOO_LARGE : HTTP_UNFINISHED;
  head_len = (size_t)(head_end - bytes) + 4;
  if (!is_our_host(bytes, head_len, address))
    return HTTP_BAD;
  verdict = judge_line(bytes, strcspn(bytes, "\r\n"), method, address, &query);
  if (verdict == HTTP_TAKEN && strcmp(method, "POST") == 0)
    verdict = judge_body(request, head_len, parameters);
  else if (verdict == HTTP_TAKEN && query.len > 0)
    text_put_bytes(parameters, query.bytes, query.len);
  text_clear(&query);
  return verdict;
}

size_t http_answer(enum http_verdict verdict, char *response, size_t size) {
  static const struct {
    const char *status;
    const char *words;
  } pages[] = {
      [HTTP_UNFINISHED] = {"408 Request Timeout", "The request is not complete."},
      [HTTP_BAD] = {"400 Bad Request", "This is no request that cortex-login waits for."},
      [HTTP_NOT_FOUND] = {"404 Not Found", "There is no such page."},
      [HTTP_NOT_ALLOWED] = {"405 Method Not Allowed", "This method is not for this page."},
      [HTTP_TOO_LARGE] = {"413 Content Too Large", "The request is too large."},
      [HTTP_TAKEN] = {"200 OK", "cortex-login has the answer. You can close this window; your "
                                "terminal says how it went."},
  };
  char body[400];
  int body_len = snprintf(body, sizeof body,
                          "<!DOCTYPE html><meta charset=utf-8><title>cortex-login</title>"
                          "<p>%s</p>\n",
                          pages[verdict].words);
  int len = snprintf(response, size,
                     "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\n"
                     "Content-Length: %d\r\nConnection: close\r\nCache-Control: no-store\r\n"
                     "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
                     "Content-Security-Policy: default-src 'none'\r\n\r\n%s",
                     pages[verdict].status, body_len, body);

  return len > 0 && (size_t)len < size ? (size_t)len : 0;
}
