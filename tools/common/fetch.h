/*
 * Getting one small document over HTTPS, within limits.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_FETCH_H
#define TOOLS_COMMON_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_MAX (1024 * 1024)

struct fetch_target {
  const char *url;     /* https, or http to a loopback host */
  const char *ca_file; /* the only authorities trusted; NULL: the system's */
  const char *proxy;   /* NULL: none; the environment's proxies are never used */
  const char *bearer;  /* a token to show (RFC 6750); NULL: none; such a call follows no redirect */
  int64_t deadline;    /* nanoseconds of cortex_clock_system()->monotonic */
};

/* What is posted, all of it encoded already; user and password: HTTP Basic, NULL: none. */
struct fetch_form {
  const char *body;
  const char *user;
  const char *password;
};

struct fetch_result {
  char *bytes; /* NUL-terminated; NULL on failure; release with fetch_result_clear */
  size_t len;
  long status;   /* of HTTP; 0: there was no answer */
  char why[256]; /* on failure, in one line */
};

/*
 * Gets a document: status 200, at most FETCH_MAX bytes, verified TLS 1.2 or
 * newer, before the deadline. Redirects are followed from https to https only.
 */
bool fetch_get(const struct fetch_target *target, struct fetch_result *result);

/*
 * Posts a form, within the same limits. Any status but a redirect is an answer,
 * for result->status to tell: what was posted is a secret, and goes nowhere
 * else. An empty answer has no bytes.
 */
bool fetch_post(const struct fetch_target *target, const struct fetch_form *form,
                struct fetch_result *result);

/* Wipes and frees the bytes. */
void fetch_result_clear(struct fetch_result *result);

/* https: 2, http to a loopback host: 1, else 0. */
enum fetch_trust { FETCH_REFUSED, FETCH_LOOPBACK, FETCH_HTTPS };
enum fetch_trust fetch_trust_of(const char *url);

#endif
