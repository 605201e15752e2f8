/*
 * cortexctl verify: whose credential is this, and is it good?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <jansson.h>

#include <cortexauth/clock.h>

#include "common/out.h"
#include "proof.h"

static json_t *make_groups(const struct cortex_identity *identity) {
  json_t *groups = json_array();
  size_t i;

  for (i = 0; i < cortex_identity_group_count(identity); i++)
    json_array_append_new(groups, out_text(cortex_identity_group(identity, i)));
  return groups;
}

static json_t *make_answer(const struct cortex_identity *identity) {
  json_t *answer =
      json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "ok", 1, "kind",
                out_text(cortex_identity_kind(identity)), "issuer",
                out_text(cortex_identity_issuer(identity)), "config",
                out_text(cortex_identity_label(identity)), "subject",
                out_text(cortex_identity_subject(identity)), "username",
                out_text(cortex_identity_username(identity)), "groups", make_groups(identity),
                "expires", (json_int_t)cortex_identity_usable_until(identity));

  if (answer != NULL && !cortex_identity_groups_known(identity))
    json_object_set_new(answer, "groups_known", json_false());
  return answer;
}

static json_t *make_refusal(enum cortex_reason reason, const struct cortex_error *error) {
  char detail[sizeof error->source + sizeof error->message + 32];

  cortex_error_format(error, detail, sizeof detail);
  return json_pack("{s:b, s:s, s:o}", "ok", 0, "error", cortex_reason_name(reason), "detail",
                   out_text(*detail != '\0' ? detail : cortex_reason_sentence(reason)));
}

/* The answer is on standard output or there is none: a full disk is never a "no". */
static enum cli_exit answer_credential(const struct proof *proof,
                                       const struct cortex_settings *settings) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = proof_verify(proof, settings, &identity, &error);
  bool printed =
      out_line(reason == CORTEX_OK ? make_answer(identity) : make_refusal(reason, &error));

  cortex_identity_free(&identity);
  if (!printed)
    return CLI_USAGE;
  return reason == CORTEX_OK ? CLI_DONE : CLI_NO;
}

static enum cli_exit run(const struct cli *cli) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct proof proof = {.now = clock->now(clock) / 1000000, .offline = cli_has(cli, "offline")};
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (!cli_number(cli, "at", 0, EPOCH_MAX, &proof.now))
    return CLI_USAGE;
  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK)
    cli_complain_error(&error);
  else if (proof_read(cli->operands[0], &proof))
    code = answer_credential(&proof, settings);
  proof_clear(&proof);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"at", "EPOCH", "judge the credential's times at this second since 1970 (now)", false, false},
    {"offline", NULL, "use key files and fetched keys only", false, false},
    {0},
};

const struct cli_verb cmd_verify = {
    "verify", "CREDENTIAL_FILE|-", 1, 1, "verify a credential and say whose it is", options, run};
