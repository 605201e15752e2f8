/*
 * cortexctl explain: what would be decided, or was, and why?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/binding.h>
#include <cortexauth/clock.h>
#include <cortexauth/identity.h>
#include <cortexauth/revocation.h>

#include "explain.h"
#include "proof.h"

/* ---- who ---- */

static void print_groups(const struct cortex_identity *identity) {
  size_t i, count = cortex_identity_group_count(identity);
  const char **groups = calloc(count + 1, sizeof *groups);

  for (i = 0; groups != NULL && i < count; i++)
    groups[i] = cortex_identity_group(identity, i);
  explain_list("groups", groups, groups != NULL ? count : 0,
               cortex_identity_groups_known(identity) ? "none"
                                                      : "none (the credential names none)");
  free(groups);
}

static void print_identity(const struct cortex_identity *identity) {
  if (*cortex_identity_issuer(identity) != '\0')
    explain_fact("who", "%s (subject %s of %s)", cortex_identity_username(identity),
                 cortex_identity_subject(identity), cortex_identity_issuer(identity));
  else
    explain_fact("who", "%s (taken at your word: no credential, so no claims)",
                 cortex_identity_username(identity));
  print_groups(identity);
}

/* Splits the list in place; the pointers live as long as it. */
static const char **split(char *list, size_t *count_out) {
  const char **items = calloc(strlen(list) + 1, sizeof *items);
  char *item, *rest = NULL;

  *count_out = 0;
  if (items == NULL)
    return NULL;
  for (item = strtok_r(list, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest))
    items[(*count_out)++] = item;
  return items;
}

static enum cortex_reason claim_identity(const struct cli *cli,
                                         struct cortex_identity **identity_out,
                                         struct cortex_error *error) {
  char *list = strdup(cli_value_or(cli, "groups", ""));
  enum cortex_reason reason = CORTEX_INTERNAL;
  const char **groups;
  size_t count = 0;

  groups = list != NULL ? split(list, &count) : NULL;
  if (groups != NULL)
    reason = cortex_identity_claim(cli_value(cli, "user"), groups, count, identity_out, error);
  free(groups);
  free(list);
  return reason;
}

/* ---- one question ---- */

/*
 * What the policy permits, a login gets only with a credential for this service, and where the role
 * is nobody else's name.
 */
static enum cortex_reason ask_rest(const struct cortex_settings *settings,
                                   const struct cortex_policy *policy,
                                   const struct cortex_question *question) {
  const struct cortex_identity *identity = question->identity;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  if (*cortex_identity_issuer(identity) == '\0')
    return CORTEX_OK;
  reason = cortex_service_check_audience(policy, settings, identity, question->service, &error);
  if (reason == CORTEX_OK)
    reason = cortex_binding_check_role(settings, identity, question->role, &error);
  if (reason == CORTEX_OK || reason == CORTEX_STATE_UNAVAILABLE) /* was said before */
    return CORTEX_OK;
  explain_fact("but", "%s; a login is refused (%s)", error.message, cortex_reason_name(reason));
  return reason;
}

static enum cli_exit ask(const struct cortex_settings *settings,
                         const struct cortex_question *question) {
  struct cortex_policy *policy = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  print_identity(question->identity);
  if (cortex_policy_load(settings, &policy, &error) != CORTEX_OK)
    cli_complain_error(&error);
  else
    code = explain_question(policy, question);
  if (code == CLI_DONE)
    code = cli_exit_of(ask_rest(settings, policy, question));
  cortex_policy_free(&policy);
  return code;
}

static enum cli_exit refuse(enum cortex_reason reason, const struct cortex_error *error) {
  enum cli_exit code = cli_exit_of(reason);

  if (code != CLI_NO) {
    cli_complain_error(error);
    return code;
  }
  explain_fact("decision", "deny: %s (%s)", cortex_reason_name(reason),
               cortex_reason_sentence(reason));
  explain_fact("", "%s", error->message);
  explain_fact("policy", "was not asked: the login ends before");
  return CLI_NO;
}

/*
 * What the state says of a credential's owner. That it cannot be asked refuses
 * a login, but is not what an operator wants to know of the policy: it is said.
 */
static enum cortex_reason ask_state(const struct cortex_settings *settings,
                                    const struct cortex_identity *identity,
                                    struct cortex_error *error) {
  enum cortex_reason reason;
  bool is_bound;

  if (*cortex_identity_issuer(identity) == '\0')
    return CORTEX_OK;
  reason = cortex_revocation_check(settings, identity, error);
  if (reason == CORTEX_OK)
    reason = cortex_binding_check(settings, identity, &is_bound, error);
  if (reason != CORTEX_STATE_UNAVAILABLE)
    return reason;
  explain_fact("state", "%s: %s; a login is refused (state_unavailable) until that is put right",
               error->source, error->message);
  *error = (struct cortex_error)CORTEX_ERROR_NONE;
  return CORTEX_OK;
}

/* A login's steps but what it writes: verify or believe, admit, ask the state, decide. */
static enum cli_exit explain_login(const struct cli *cli, const struct cortex_settings *settings,
                                   const struct proof *proof) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = cli_has(cli, "user")
                                  ? claim_identity(cli, &identity, &error)
                                  : proof_verify(proof, settings, &identity, &error);
  struct cortex_question question = {.service = cli_value(cli, "service"),
                                     .role = cli_value(cli, "role"),
                                     .database = cli_value(cli, "database"),
                                     .address = cli_value(cli, "address"),
                                     .now = proof->now * 1000000};
  enum cli_exit code;

  if (reason == CORTEX_OK)
    reason = cortex_identity_admit(identity, settings, &error);
  if (reason == CORTEX_OK)
    reason = ask_state(settings, identity, &error);
  question.identity = identity;
  code = reason == CORTEX_OK ? ask(settings, &question) : refuse(reason, &error);
  cortex_identity_free(&identity);
  return code;
}

/* ---- the command ---- */

static bool check_usage(const struct cli *cli) {
  size_t ways = cli->operand_count + cli_has(cli, "user") + cli_has(cli, "reference");

  if (ways != 1)
    cli_misuse(cli, "one of CREDENTIAL, --user and --reference is needed");
  else if (!cli_has(cli, "reference") && !cli_has(cli, "service"))
    cli_misuse(cli, "--service NAME is needed");
  else if (cli_has(cli, "reference") && (cli_has(cli, "at") || cli_has(cli, "address")))
    cli_misuse(cli, "--reference: time and address are those of the record");
  else if (cli_has(cli, "groups") && !cli_has(cli, "user"))
    cli_misuse(cli, "--groups goes with --user");
  else
    return cli_address(cli, "address");
  return false;
}

static enum cli_exit run(const struct cli *cli) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct proof proof = {.now = clock->now(clock) / 1000000, .offline = cli_has(cli, "offline")};
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (!check_usage(cli) || !cli_number(cli, "at", 0, EPOCH_MAX, &proof.now))
    return CLI_USAGE;
  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK)
    cli_complain_error(&error);
  else if (cli_has(cli, "reference"))
    code = explain_reference(cli, settings);
  else if (cli->operand_count == 0 || proof_read(cli->operands[0], &proof))
    code = explain_login(cli, settings, &proof);
  proof_clear(&proof);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"service", "NAME", "the service that is entered", false, false},
    {"role", "ROLE", "the role that is asked for (the username)", false, false},
    {"database", "NAME", "the database that is entered (not compared)", false, false},
    {"address", "IP", "where the client is (this host)", false, false},
    {"at", "EPOCH", "at this second since 1970 (now)", false, false},
    {"offline", NULL, "use key files and fetched keys only", false, false},
    {"user", "NAME", "instead of a credential: believe this username", false, false},
    {"groups", "A,B", "and these groups", false, false},
    {"reference", "REF", "instead: the login that was recorded under this reference", false, false},
    {0},
};

const struct cli_verb cmd_explain = {
    "explain", "[CREDENTIAL_FILE|-]", 0, 1, "say what is decided, or was, and why", options, run};
