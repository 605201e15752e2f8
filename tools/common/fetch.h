/*
 * Getting small documents over HTTPS, within limits, one or many at a time.
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
  const char *etag;    /* of what the caller holds already; NULL: nothing */
  size_t most;         /* bytes of an answer; 0: FETCH_MAX */
  int64_t deadline;    /* nanoseconds of cortex_clock_system()->monotonic */
};

/* What is posted, all of it encoded already; user and password: HTTP Basic, NULL: none. */
struct fetch_form {
  const char *body;
  const char *user;
  const char *password;
};

#define FETCH_ETAG_MAX 255
#define FETCH_AGE_UNKNOWN (-1)

struct fetch_result {
  char *bytes; /* NUL-terminated; NULL on failure; release with fetch_result_clear */
  size_t len;
  long status;       /* of HTTP; 0: there was no answer */
  bool not_modified; /* what the etag names still holds: there are no bytes */
  char etag[FETCH_ETAG_MAX + 1];
  int64_t max_age;     /* seconds the answer says it is fresh; FETCH_AGE_UNKNOWN */
  int64_t retry_after; /* seconds after which a busy server (429, 503) wants to be asked again; 0 */
  char why[256];   /* on failure, in one line */
};

/*
 * Gets a document: status 200, not larger than the target says, verified TLS 1.2 or
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

/*
 * Many at a time. A transfer that was started ends in fetch_pool_next, by its
 * deadline at the latest; target and result must live until then.
 */
struct fetch_pool;

struct fetch_pool *fetch_pool_new(void);
void fetch_pool_free(struct fetch_pool **pool); /* what still runs is given up */

/* Starts one; false, with result->why, when it cannot be. The tag comes back at its end. */
bool fetch_pool_start(struct fetch_pool *pool, const struct fetch_target *target,
                      struct fetch_result *result, void *tag);

/* Waits until something happens: on a transfer, on one of the descriptors (to read), or the time. */
void fetch_pool_wait(struct fetch_pool *pool, const int *fds, size_t fd_count, int milliseconds);

/* The tag of a transfer that has ended, with its success; NULL: none has. */
void *fetch_pool_next(struct fetch_pool *pool, bool *done_out);

/* Wipes and frees the bytes. */
void fetch_result_clear(struct fetch_result *result);

/* https: 2, http to a loopback host: 1, else 0. */
enum fetch_trust { FETCH_REFUSED, FETCH_LOOPBACK, FETCH_HTTPS };
enum fetch_trust fetch_trust_of(const char *url);

#endif
