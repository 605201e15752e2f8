/*
 * What a provider issued: tokens, until when, for whom.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_TOKENS_H
#define CORTEX_LOGIN_TOKENS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "profile.h"

/* PostgreSQL drops a connection that sends a longer password. */
#define TOKEN_MAX 65530

/* Texts are released with wipe_free, or all with tokens_clear. NULL: none. */
struct tokens {
  char *id_token;
  char *access_token;
  char *refresh_token;
  char *subject; /* of the ID token */
  int64_t id_expires;
  int64_t access_expires; /* epoch seconds; 0: nobody said */
};

void tokens_clear(struct tokens *tokens);

/* The token that a profile hands over, and its end; NULL: there is none. Borrowed. */
const char *tokens_wanted(const struct tokens *tokens, const struct profile *profile,
                          int64_t *expires_out);

/*
 * Reads a successful answer of a token endpoint (RFC 6749 5.1) and checks its ID
 * token (OpenID Connect Core 3.1.3.7), whose signature needs no check as it came
 * from the provider itself over TLS.
 *   in   nonce: what the ID token must repeat; NULL: was not sent
 *   gives  CLI_DONE, or after a complaint CLI_OUTSIDE
 */
enum cli_exit tokens_read(const json_t *answer, const struct profile *profile, const char *nonce,
                          int64_t now, struct tokens *tokens_out);

/*
 * The claims of a token, nothing of it verified; NULL when it is no JWT.
 * Release with json_decref.
 */
json_t *token_claims(const char *token);

/* Its "exp"; 0: it has none, or is no JWT. */
int64_t token_expiry(const char *token);

/* A credential in a file or answer: printable, no blanks, not too long. Complains otherwise. */
bool token_is_fit(const char *what, const char *token);

#endif
