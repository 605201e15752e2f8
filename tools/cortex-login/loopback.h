/*
 * A port of this host that takes one answer from a browser (RFC 8252 7.3).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_LOOPBACK_H
#define CORTEX_LOGIN_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cli.h"
#include "text.h"

#define LOOPBACK_PATH_MAX 200

/* http://HOST[:PORT][PATH], HOST one of 127.0.0.1, [::1] and localhost. */
struct loopback_address {
  char host[16];
  unsigned port; /* 0: any that is free */
  char path[LOOPBACK_PATH_MAX + 1];
};

/* False when a URI is none of these. */
bool loopback_parse(const char *uri, struct loopback_address *address_out);

struct loopback {
  struct loopback_address address; /* with the port that it became */
  int listeners[2];
  size_t listener_count;
};

/* Listens; CLI_OUTSIDE after a complaint. Close it in any case. */
enum cli_exit loopback_open(const char *uri, struct loopback *loopback_out);
void loopback_close(struct loopback *loopback);

/* The redirect URI, as the provider is told it. */
void loopback_put_uri(const struct loopback *loopback, struct text *uri);

/*
 * Waits for the one request that is the answer; others (a favicon, another page,
 * another host's name) are refused and do not end the waiting.
 *
 *   in   method: "GET", for parameters in the query, or "POST", for a form
 *   in   deadline: of the monotonic clock, nanoseconds
 *   out  parameters: query or form; clear it
 *   gives  CLI_DONE; CLI_NO after a complaint when nobody came in time; CLI_OUTSIDE
 */
enum cli_exit loopback_wait(struct loopback *loopback, const char *method, int64_t deadline,
                            struct text *parameters);

#endif
