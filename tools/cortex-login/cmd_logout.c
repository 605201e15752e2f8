/*
 * cortex-login logout: takes back what the provider issued, and forgets it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "login.h"

#include <string.h>

#include "cache.h"
#include "provider.h"

/* RFC 7009 2.1; a provider takes the access tokens back with the refresh token. */
static enum cli_exit revoke(const struct profile *profile, const struct tokens *tokens) {
  const char *token = tokens->refresh_token != NULL ? tokens->refresh_token : tokens->access_token;
  struct provider provider = {0};
  struct provider_answer answer = {0};
  struct text form = {0};
  enum cli_exit code;

  if (token == NULL)
    return CLI_DONE;
  code = provider_open(profile, &provider);
  if (code == CLI_DONE && provider.revocation_endpoint != NULL) {
    text_put_pair(&form, "token", token);
    text_put_pair(&form, "token_type_hint",
                  tokens->refresh_token != NULL ? "refresh_token" : "access_token");
    code = provider_post(&provider, profile, provider.revocation_endpoint, &form, &answer);
    if (code == CLI_DONE && *answer.error != '\0')
      code = provider_refused(&answer, profile->issuer);
  }
  provider_answer_clear(&answer);
  text_clear(&form);
  provider_close(&provider);
  return code;
}

/* Forgotten here in any case; what the provider did not take back ends by itself. */
static enum cli_exit log_out(const struct profile *profile) {
  struct cache cache = CACHE_NONE;
  struct tokens tokens = {0};
  enum cli_exit code = cache_open(profile, &cache);

  if (code == CLI_DONE) {
    bool kept = cache_load(&cache, &tokens) == CLI_DONE;

    if (!cache_remove(&cache))
      code = CLI_OUTSIDE;
    if (kept && profile->issuer != NULL && revoke(profile, &tokens) != CLI_DONE) {
      cli_complain("\"%s\": forgotten here, but not taken back by the provider", profile->label);
      code = CLI_OUTSIDE;
    }
  }
  tokens_clear(&tokens);
  cache_close(&cache);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct profiles profiles = {0};
  struct profile *profile;
  struct acquire_how how;
  enum cli_exit code = login_begin(cli, &profiles, &profile, &how);

  if (code == CLI_DONE)
    code = log_out(profile);
  profiles_clear(&profiles);
  return code;
}

static const struct cli_option options[] = {
    LOGIN_CONFIG_OPTION,
    {0},
};

const struct cli_verb cmd_logout = {
    "logout", "[PROFILE]", 0, 1, "take tokens back at the provider, and forget them", options, run};
