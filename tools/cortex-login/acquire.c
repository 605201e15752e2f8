/*
 * A usable token for a profile: kept, renewed, or new.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "acquire.h"

#include <inttypes.h>
#include <string.h>

#include "cache.h"
#include "flow.h"
#include "wipe.h"

static bool lasts(const struct tokens *tokens, const struct profile *profile, int64_t seconds) {
  int64_t expires;

  return tokens_wanted(tokens, profile, &expires) != NULL && expires > provider_now() + seconds;
}

/* Kept before it is handed out: a provider that rotates takes the old refresh token back. */
static void keep(const struct cache *cache, const struct tokens *tokens) {
  if (!cache_store(cache, tokens))
    cli_complain("\"%s\": the tokens could not be kept; the next run needs a new login",
                 cache->profile->label);
}

static enum cli_exit log_in(const struct provider *provider, const struct profile *profile,
                            struct tokens *tokens_out) {
  switch (profile->flow_kind) {
  case FLOW_BROWSER:
    return flow_browser(provider, profile, tokens_out);
  case FLOW_DEVICE:
    return flow_device(provider, profile, tokens_out);
  case FLOW_CLIENT:
    return flow_client(provider, profile, tokens_out);
  case FLOW_SAML:
    return flow_saml(profile, tokens_out);
  case FLOW_TOKEN_FILE:
    break;
  }
  return flow_token_file(profile, tokens_out);
}

static enum cli_exit need_person(const struct profile *profile) {
  cli_complain("\"%s\" needs a person to log in: run cortex-login token %s", profile->label,
               profile->label);
  return CLI_NO;
}

/* A dead refresh token is forgotten, so that it is not tried again. */
static void forget_refresh(const struct cache *cache, struct tokens *kept) {
  wipe_free(kept->refresh_token);
  kept->refresh_token = NULL;
  cache_store(cache, kept);
}

/* With the refresh token, or by a login. What is kept is good for a while, or is of no use. */
static enum cli_exit renew(const struct cache *cache, const struct provider *provider,
                           const struct acquire_how *how, struct tokens *kept,
                           struct tokens *fresh) {
  const struct profile *profile = cache->profile;
  enum cli_exit code = CLI_NO;

  if (kept->refresh_token != NULL) {
    code = flow_refresh(provider, profile, kept, fresh);
    if (code != CLI_NO)
      return code;
    forget_refresh(cache, kept);
  }
  if (how->unattended && profile_is_personal(profile))
    return need_person(profile);
  return log_in(provider, profile, fresh);
}

static enum cli_exit get_fresh(const struct cache *cache, const struct acquire_how *how,
                               struct tokens *kept, struct tokens *fresh) {
  const struct profile *profile = cache->profile;
  struct provider provider = {0};
  enum cli_exit code;

  if (profile->flow_kind == FLOW_SAML)
    return how->unattended ? need_person(profile) : log_in(NULL, profile, fresh);
  if (how->unattended && profile_is_personal(profile) && kept->refresh_token == NULL)
    return need_person(profile);
  code = provider_open(profile, &provider);
  if (code == CLI_DONE)
    code = renew(cache, &provider, how, kept, fresh);
  provider_close(&provider);
  return code;
}

/* The kept tokens, or better ones in their place. */
static enum cli_exit settle(const struct cache *cache, const struct acquire_how *how,
                            struct tokens *kept) {
  const struct profile *profile = cache->profile;
  struct tokens fresh = {0};
  enum cli_exit code;

  if (!how->fresh && lasts(kept, profile, profile->renew_seconds))
    return CLI_DONE;
  code = get_fresh(cache, how, kept, &fresh);
  if (code == CLI_DONE) {
    keep(cache, &fresh);
    tokens_clear(kept);
    *kept = fresh;
    return CLI_DONE;
  }
  tokens_clear(&fresh);
  /* An outage of the provider is none of ours while the token still holds. */
  if (code == CLI_OUTSIDE && !how->fresh && lasts(kept, profile, 0)) {
    cli_complain("\"%s\": going on with the token that is there", profile->label);
    return CLI_DONE;
  }
  return code;
}

static enum cli_exit hand_over(const struct tokens *tokens, const struct profile *profile,
                               char **token_out, int64_t *expires_out) {
  const char *token = tokens_wanted(tokens, profile, expires_out);

  if (token == NULL) {
    cli_complain("\"%s\": the provider gave no %s token%s", profile->label,
                 profile->use_kind == USE_ID ? "ID" : "access",
                 profile->use_kind == USE_ID ? "; does the scope hold openid?" : "");
    return CLI_OUTSIDE;
  }
  *token_out = wipe_dup(token);
  return *token_out != NULL ? CLI_DONE : CLI_OUTSIDE;
}

enum cli_exit acquire_token(const struct profile *profile, const struct acquire_how *how,
                            char **token_out, int64_t *expires_out) {
  struct cache cache = CACHE_NONE;
  struct tokens tokens = {0};
  enum cli_exit code;

  *token_out = NULL;
  if (profile->flow_kind == FLOW_TOKEN_FILE) {
    code = flow_token_file(profile, &tokens);
  } else {
    code = cache_open(profile, &cache);
    if (code == CLI_DONE)
      code = cache_load(&cache, &tokens);
    if (code == CLI_DONE)
      code = settle(&cache, how, &tokens);
  }
  if (code == CLI_DONE)
    code = hand_over(&tokens, profile, token_out, expires_out);
  tokens_clear(&tokens);
  cache_close(&cache);
  return code;
}
