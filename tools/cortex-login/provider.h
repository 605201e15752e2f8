/*
 * The identity provider: where its endpoints are, and asking them.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_PROVIDER_H
#define CORTEX_LOGIN_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>

#include "profile.h"
#include "text.h"

/* Borrowed from the discovery document; NULL: the provider has no such endpoint. */
struct provider {
  json_t *document;
  const char *authorization_endpoint;
  const char *token_endpoint;
  const char *device_authorization_endpoint;
  const char *revocation_endpoint;
};

/*
 * Asks the issuer for its discovery document (OpenID Connect Discovery 4).
 *   gives  CLI_DONE; CLI_OUTSIDE after a complaint
 */
enum cli_exit provider_open(const struct profile *profile, struct provider *provider_out);
void provider_close(struct provider *provider);

/* True when the document's list of that name has the value. */
bool provider_lists(const struct provider *provider, const char *list, const char *value);

/* True when a member of the document is true. */
bool provider_says(const struct provider *provider, const char *member);

/* An answer of an endpoint. */
struct provider_answer {
  json_t *body;   /* an object; NULL when there was none */
  char error[64]; /* RFC 6749 5.2; "" for success */
  bool reached;   /* false: no answer came, it may be worth another try */
};

/*
 * Posts a form with the client's authentication, which is put into it or beside
 * it. Does not complain of an error code in the answer: provider_refused does.
 *   gives  CLI_DONE when the answer is an object, with or without an error code;
 *          CLI_USAGE when the client's secret or key cannot be read, CLI_OUTSIDE
 *          when there was no usable answer, both after a complaint
 */
enum cli_exit provider_post(const struct provider *provider, const struct profile *profile,
                            const char *endpoint, struct text *form,
                            struct provider_answer *answer_out);
void provider_answer_clear(struct provider_answer *answer);

/* Complains of an answer's error; CLI_NO, or CLI_OUTSIDE where the provider has a fault. */
enum cli_exit provider_refused(const struct provider_answer *answer, const char *doing);

/* The current time in seconds; nanoseconds of the monotonic clock so many seconds from now. */
int64_t provider_now(void);
int64_t provider_deadline(int64_t seconds);

#endif
