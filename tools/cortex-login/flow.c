/*
 * What the flows share, and those that need nobody: client, refresh, file.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "flow.h"

#include <openssl/rand.h>
#include <string.h>

#include "client_auth.h"
#include "wipe.h"

#define RANDOM_BYTES 32

char *flow_random(void) {
  unsigned char bytes[RANDOM_BYTES];
  struct text text = {0};

  if (RAND_bytes(bytes, sizeof bytes) != 1) {
    cli_complain("no random numbers");
    return NULL;
  }
  text_put_base64url(&text, bytes, sizeof bytes);
  explicit_bzero(bytes, sizeof bytes);
  return text_take(&text);
}

/* A refresh token is asked for only where the provider knows the scope for it. */
char *flow_scope(const struct provider *provider, const struct profile *profile) {
  struct text scope = {0};

  if (profile->scope != NULL) {
    text_put(&scope, profile->scope);
  } else {
    text_put(&scope, "openid");
    if (profile->is_cached && provider_lists(provider, "scopes_supported", "offline_access"))
      text_put(&scope, " offline_access");
  }
  return text_take(&scope);
}

enum cli_exit flow_grant(const struct provider *provider, const struct profile *profile,
                         struct text *form, const char *nonce, struct tokens *tokens_out) {
  struct provider_answer answer;
  enum cli_exit code = provider_post(provider, profile, provider->token_endpoint, form, &answer);

  if (code == CLI_DONE && *answer.error != '\0')
    code = provider_refused(&answer, profile->issuer);
  else if (code == CLI_DONE)
    code = tokens_read(answer.body, profile, nonce, provider_now(), tokens_out);
  provider_answer_clear(&answer);
  return code;
}

/* ---- as the client itself ---- */

enum cli_exit flow_client(const struct provider *provider, const struct profile *profile,
                          struct tokens *tokens_out) {
  struct text form = {0};
  enum cli_exit code;

  text_put_pair(&form, "grant_type", "client_credentials");
  text_put_pair(&form, "scope", profile->scope);
  text_put_pair(&form, "audience", profile->audience);
  text_put_pair(&form, "resource", profile->resource);
  code = flow_grant(provider, profile, &form, NULL, tokens_out);
  text_clear(&form);
  return code;
}

/* ---- with a refresh token ---- */

/* Core 12.2: a new ID token speaks of the same person, or it is not the old login's. */
static bool is_same_person(const struct tokens *old, const struct tokens *fresh) {
  return old->subject == NULL || fresh->subject == NULL ||
         strcmp(old->subject, fresh->subject) == 0;
}

static bool keep(char **member, const char *old) {
  if (*member == NULL && old != NULL)
    *member = wipe_dup(old);
  return *member != NULL || old == NULL;
}

/* What the answer leaves out stays as it was (RFC 6749 6); a token that is used up does not. */
static enum cli_exit settle(const struct profile *profile, const struct tokens *old,
                            struct tokens *fresh) {
  int64_t expires;

  if (!is_same_person(old, fresh)) {
    cli_complain("%s answers with the tokens of another person", profile->issuer);
    return CLI_OUTSIDE;
  }
  if (tokens_wanted(fresh, profile, &expires) == NULL) {
    cli_complain("%s renews without a new %s token", profile->issuer,
                 profile->use_kind == USE_ID ? "ID" : "access");
    return CLI_NO;
  }
  return keep(&fresh->refresh_token, old->refresh_token) && keep(&fresh->subject, old->subject)
             ? CLI_DONE
             : CLI_OUTSIDE;
}

/*
 * The token is expired or revoked, or (Core 3.1.2.6, which Entra and AD FS answer here too) opens
 * nothing before a person has done something, as after a change of what is asked of them.
 */
static bool is_dead(const char *error) {
  static const char *const dead[] = {"invalid_grant", "interaction_required", "login_required",
                                     "consent_required"};
  size_t i;

  for (i = 0; i < sizeof dead / sizeof dead[0]; i++)
    if (strcmp(error, dead[i]) == 0)
      return true;
  return false;
}

enum cli_exit flow_refresh(const struct provider *provider, const struct profile *profile,
                           const struct tokens *old, struct tokens *tokens_out) {
  struct provider_answer answer;
  struct text form = {0};
  enum cli_exit code;

  text_put_pair(&form, "grant_type", "refresh_token");
  text_put_pair(&form, "refresh_token", old->refresh_token);
  text_put_pair(&form, "resource", profile->resource);
  code = provider_post(provider, profile, provider->token_endpoint, &form, &answer);
  if (code == CLI_DONE && is_dead(answer.error)) {
    code = CLI_NO; /* no complaint, as a person may log in again */
  } else if (code == CLI_DONE && *answer.error != '\0') {
    provider_refused(&answer, profile->issuer);
    code = CLI_OUTSIDE;
  } else if (code == CLI_DONE) {
    code = tokens_read(answer.body, profile, NULL, provider_now(), tokens_out);
    if (code == CLI_DONE)
      code = settle(profile, old, tokens_out);
    if (code != CLI_DONE)
      tokens_clear(tokens_out);
  }
  provider_answer_clear(&answer);
  text_clear(&form);
  return code;
}

/* ---- from a file ---- */

enum cli_exit flow_token_file(const struct profile *profile, struct tokens *tokens_out) {
  char *token = client_auth_read_line(profile->token_file);
  int64_t expires;

  memset(tokens_out, 0, sizeof *tokens_out);
  if (token == NULL || !token_is_fit(profile->token_file, token)) {
    wipe_free(token);
    return CLI_USAGE;
  }
  expires = token_expiry(token);
  if (expires != 0 && expires <= provider_now()) {
    cli_complain("%s: the token has expired; whoever writes the file must renew it",
                 profile->token_file);
    wipe_free(token);
    return CLI_NO;
  }
  if (profile->use_kind == USE_ID) {
    tokens_out->id_token = token;
    tokens_out->id_expires = expires;
  } else {
    tokens_out->access_token = token;
    tokens_out->access_expires = expires;
  }
  return CLI_DONE;
}
