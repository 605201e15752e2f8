/*
 * cortex-login status: which tokens are kept, and until when.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "login.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cache.h"
#include "common/out.h"
#include "provider.h"

struct state {
  const struct profile *profile;
  struct tokens tokens;
  bool is_valid;
  int64_t expires;
};

static enum cli_exit look(const struct profile *profile, struct state *state) {
  struct cache cache = CACHE_NONE;
  enum cli_exit code = CLI_DONE;

  memset(state, 0, sizeof *state);
  state->profile = profile;
  if (profile->flow_kind == FLOW_TOKEN_FILE)
    return CLI_DONE;
  code = cache_open(profile, &cache);
  if (code == CLI_DONE)
    code = cache_load(&cache, &state->tokens);
  cache_close(&cache);
  state->is_valid = tokens_wanted(&state->tokens, profile, &state->expires) != NULL &&
                    state->expires > provider_now();
  return code;
}

/* True when the next token takes no person. */
static bool is_ready(const struct state *state) {
  return state->is_valid || state->tokens.refresh_token != NULL ||
         !profile_is_personal(state->profile);
}

static bool print_json(const struct state *state) {
  const struct profile *profile = state->profile;
  json_t *line = json_pack(
      "{s:s, s:s, s:o*, s:o*, s:b, s:b, s:b}", "profile", profile->label, "flow", profile->flow,
      "issuer", profile->issuer != NULL ? out_text(profile->issuer) : NULL, "subject",
      state->tokens.subject != NULL ? out_text(state->tokens.subject) : NULL, "valid",
      state->is_valid, "renewable", state->tokens.refresh_token != NULL, "ready", is_ready(state));

  if (line != NULL && state->is_valid)
    json_object_set_new(line, "expires", json_integer(state->expires));
  return out_line(line);
}

static void print_text(struct state *state) {
  const struct profile *profile = state->profile;
  time_t expires = (time_t)state->expires;
  char until[32] = "";
  struct tm parts;

  if (state->tokens.subject != NULL)
    cli_flatten(state->tokens.subject);
  if (state->is_valid && gmtime_r(&expires, &parts) != NULL)
    strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &parts);
  printf("%s: %s%s%s%s%s, flow %s, %s:%u\n", profile->label,
         state->is_valid ? "token until " : "no token", until,
         state->tokens.refresh_token != NULL ? ", renewable" : "",
         state->tokens.subject != NULL ? ", subject " : "",
         state->tokens.subject != NULL ? state->tokens.subject : "", profile->flow, profile->file,
         profile->line);
}

static enum cli_exit show(const struct cli *cli, const struct profile *profile, bool *ready) {
  struct state state;
  enum cli_exit code = look(profile, &state);

  *ready = is_ready(&state);
  if (code == CLI_DONE && cli_has(cli, "json"))
    code = print_json(&state) ? CLI_DONE : CLI_OUTSIDE;
  else if (code == CLI_DONE)
    print_text(&state);
  tokens_clear(&state.tokens);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct profiles profiles = {0};
  enum cli_exit code = profiles_load(cli_value(cli, "config"), &profiles);
  bool ready = true;
  size_t i;

  if (code == CLI_DONE && cli->operand_count > 0) {
    const struct profile *profile = profiles_find(&profiles, cli->operands[0]);

    code = profile != NULL ? show(cli, profile, &ready) : CLI_USAGE;
    if (code == CLI_DONE && !ready)
      code = CLI_NO;
  } else {
    for (i = 0; i < profiles.count && code == CLI_DONE; i++)
      code = show(cli, &profiles.items[i], &ready);
  }
  profiles_clear(&profiles);
  return code;
}

static const struct cli_option options[] = {
    LOGIN_CONFIG_OPTION,
    {"json", NULL, "print one JSON object a profile, one a line", false, false},
    {0},
};

const struct cli_verb cmd_status = {
    "status", "[PROFILE]", 0, 1, "show profiles and the tokens that are kept", options, run};
