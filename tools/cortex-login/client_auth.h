/*
 * How the client shows who it is (RFC 6749 2.3, OpenID Connect Core 9).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_CLIENT_AUTH_H
#define CORTEX_LOGIN_CLIENT_AUTH_H

#include "profile.h"
#include "text.h"

/* For HTTP Basic, encoded; empty otherwise. */
struct client_auth {
  struct text user;
  struct text password;
};

/*
 * Puts client_id and what proves it into the form or auth.
 *   in   audience: whom a signed assertion is for, the token endpoint
 *   gives  CLI_DONE; CLI_USAGE after a complaint when a file cannot be used
 */
enum cli_exit client_auth_put(const struct profile *profile, const char *audience,
                              struct text *form, struct client_auth *auth);
void client_auth_clear(struct client_auth *auth);

/* A file whose one line is a secret or token; NULL after a complaint. Release with wipe_free. */
char *client_auth_read_line(const char *file);

#endif
