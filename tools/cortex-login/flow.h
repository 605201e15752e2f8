/*
 * The ways to get tokens, each a grant of OAuth 2.0 or something as simple.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_FLOW_H
#define CORTEX_LOGIN_FLOW_H

#include "profile.h"
#include "provider.h"
#include "tokens.h"

/*
 * Each gives CLI_DONE with tokens; otherwise, after a complaint, CLI_NO when
 * provider or person said no, CLI_USAGE for a profile or file that cannot be
 * used, CLI_OUTSIDE for all else.
 */

/* In a browser: authorization code with PKCE, answered on a loopback port (RFC 8252). */
enum cli_exit flow_browser(const struct provider *provider, const struct profile *profile,
                           struct tokens *tokens_out);

/* On another device (RFC 8628). */
enum cli_exit flow_device(const struct provider *provider, const struct profile *profile,
                          struct tokens *tokens_out);

/* As the client itself (RFC 6749 4.4). */
enum cli_exit flow_client(const struct provider *provider, const struct profile *profile,
                          struct tokens *tokens_out);

/* With a refresh token (RFC 6749 6): CLI_NO when it is good for nothing any more. */
enum cli_exit flow_refresh(const struct provider *provider, const struct profile *profile,
                           const struct tokens *old, struct tokens *tokens_out);

/* What somebody else keeps fresh in a file; needs no provider. */
enum cli_exit flow_token_file(const struct profile *profile, struct tokens *tokens_out);

/* A SAML response, posted by the person's browser to a loopback port; needs no provider. */
enum cli_exit flow_saml(const struct profile *profile, struct tokens *tokens_out);

/* The scope to ask for when a person logs in; NULL after a complaint. Release with wipe_free. */
char *flow_scope(const struct provider *provider, const struct profile *profile);

/* Sends a grant to the token endpoint; reads the tokens of its answer, or complains of its error.
 */
enum cli_exit flow_grant(const struct provider *provider, const struct profile *profile,
                         struct text *form, const char *nonce, struct tokens *tokens_out);

/* Random text that nobody guesses; NULL after a complaint. Release with wipe_free. */
char *flow_random(void);

#endif
