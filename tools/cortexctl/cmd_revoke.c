/*
 * cortexctl revoke: a subject, a session or a token opens nothing any more.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/revocation.h>

#include "common/out.h"
#include "explain.h"
#include "operator.h"
#include "proof.h"

#define DAY 86400 /* kept so much longer than the token lives: clocks are set back */

/* What is revoked or restored. */
struct target {
  struct cortex_revocation revocation;
  struct cortex_identity *identity; /* of a token; owns the strings then */
  char by[OPERATOR_NAME];
};

/* ---- which ---- */

/* False: it opens as soon as keys are there again, a clock is put right or its time has come. */
static bool is_refused_for_good(enum cortex_reason reason) {
  enum cortex_reason_class class = cortex_reason_class(reason);

  return (class == CORTEX_CLASS_CREDENTIAL || class == CORTEX_CLASS_IDENTITY) &&
         reason != CORTEX_NOT_YET_VALID && reason != CORTEX_ISSUED_IN_FUTURE;
}

static enum cli_exit tell_refusal(const struct cortex_error *error) {
  bool is_for_good = is_refused_for_good(error->reason);

  cli_complain(is_for_good ? "a login refuses this token anyway: %s"
                           : "nothing was done, and a login may accept this token later: %s",
               cortex_reason_name(error->reason));
  cli_complain_error(error);
  return is_for_good ? CLI_NO : CLI_OUTSIDE;
}

static enum cli_exit take_token(const struct cli *cli, const struct cortex_settings *settings,
                                struct target *target) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct proof proof = {.now = clock->now(clock) / 1000000, .offline = cli_has(cli, "offline")};
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (proof_read(cli_value(cli, "token"), &proof)) {
    if (proof_verify(&proof, settings, &target->identity, &error) == CORTEX_OK) {
      target->revocation.kind = CORTEX_REVOCATION_TOKEN;
      target->revocation.issuer = cortex_identity_issuer(target->identity);
      target->revocation.value = cortex_identity_token_id(target->identity);
      target->revocation.until = cortex_identity_usable_until(target->identity) + DAY;
      code = CLI_DONE;
    } else {
      code = tell_refusal(&error);
    }
  }
  proof_clear(&proof);
  return code;
}

static enum cli_exit take_target(const struct cli *cli, const struct cortex_settings *settings,
                                 struct target *target) {
  const char *way = cli_has(cli, "subject") ? "subject" : "sid";
  struct cortex_revocation *revocation = &target->revocation;

  if (cli_has(cli, "token"))
    return take_token(cli, settings, target);
  if (cli_has(cli, "token-id")) {
    revocation->kind = CORTEX_REVOCATION_TOKEN;
    revocation->issuer = "unknown";
    revocation->value = cli_value(cli, "token-id");
    return CLI_DONE;
  }
  revocation->kind =
      cli_has(cli, "subject") ? CORTEX_REVOCATION_SUBJECT : CORTEX_REVOCATION_SID;
  revocation->issuer = operator_issuer(settings, cli_value(cli, way));
  revocation->value = cli->operands[0];
  return revocation->issuer != NULL ? CLI_DONE : CLI_USAGE;
}

/* ---- what is done ---- */

static struct cortex_record make_record(const struct target *target, enum cortex_event event,
                                        char *detail, size_t size) {
  const struct cortex_revocation *revocation = &target->revocation;
  struct cortex_record record = {.event = event, .issuer = revocation->issuer, .detail = detail};

  snprintf(detail, size, "%s, by %s", cortex_revocation_kind_name(revocation->kind), target->by);
  if (revocation->kind == CORTEX_REVOCATION_TOKEN)
    record.token_id = revocation->value;
  else if (revocation->kind == CORTEX_REVOCATION_SID)
    record.sid = revocation->value;
  else
    record.subject = revocation->value;
  return record;
}

static enum cli_exit fail(const struct cortex_error *error) {
  cli_complain_error(error);
  return error->reason == CORTEX_MALFORMED ? CLI_USAGE : CLI_OUTSIDE;
}

static void say(const char *what, const struct target *target) {
  explain_fact(what, "%s %s%s%s", cortex_revocation_kind_name(target->revocation.kind),
               target->revocation.value,
               target->revocation.kind == CORTEX_REVOCATION_TOKEN ? "" : " of ",
               target->revocation.kind == CORTEX_REVOCATION_TOKEN ? "" : target->revocation.issuer);
}

/* First it counts, then it is recorded: a full disk must not keep a thief's token good. */
static enum cli_exit revoke_target(const struct cortex_settings *settings, struct target *target) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct cortex_error error = CORTEX_ERROR_NONE;
  char detail[OPERATOR_NAME + 32];
  bool existed;

  target->revocation.since = clock->now(clock) / 1000000;
  target->revocation.by = target->by;
  if (cortex_revocation_put(settings, &target->revocation, clock, &existed, &error) != CORTEX_OK)
    return fail(&error);
  say(existed ? "again" : "revoked", target);
  if (operator_record(settings,
                      make_record(target, CORTEX_EVENT_ACCESS_REVOKED, detail, sizeof detail)))
    return CLI_DONE;
  cli_complain("it is revoked, but that is not in the audit trail");
  return CLI_OUTSIDE;
}

static void match(void *context, const struct cortex_revocation *revocation) {
  struct target *target = context;

  if (revocation->kind == target->revocation.kind &&
      strcmp(revocation->value, target->revocation.value) == 0 &&
      (revocation->kind == CORTEX_REVOCATION_TOKEN ||
       strcmp(revocation->issuer, target->revocation.issuer) == 0))
    target->revocation.since = revocation->since;
}

/* First it is recorded: what opens again must not do so unseen. */
static enum cli_exit restore_target(const struct cortex_settings *settings, struct target *target) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  char detail[OPERATOR_NAME + 32];
  bool existed;

  if (cortex_revocation_each(settings, match, target, &error) == CORTEX_OK &&
      target->revocation.since == 0) {
    say("unknown", target);
    return CLI_NO;
  }
  if (!operator_record(settings,
                       make_record(target, CORTEX_EVENT_ACCESS_RESTORED, detail, sizeof detail)))
    return CLI_OUTSIDE;
  if (cortex_revocation_lift(settings, &target->revocation, &existed, &error) != CORTEX_OK)
    return fail(&error);
  say("restored", target);
  return CLI_DONE;
}

/* ---- the list ---- */

static void print_line(void *context, const struct cortex_revocation *revocation) {
  char since[EXPLAIN_TIME];

  (void)context;
  explain_fact(cortex_revocation_kind_name(revocation->kind), "%s of %s, since %s by %s",
               revocation->value, revocation->issuer, explain_time(revocation->since, since),
               revocation->by != NULL ? revocation->by : "unknown");
}

static void print_json(void *context, const struct cortex_revocation *revocation) {
  json_t *object = json_pack(
      "{s:s, s:o, s:o, s:I, s:o}", "kind", cortex_revocation_kind_name(revocation->kind), "issuer",
      out_text(revocation->issuer), "value", out_text(revocation->value), "since",
      (json_int_t)revocation->since, "by", out_text(revocation->by != NULL ? revocation->by : ""));

  if (object != NULL && revocation->until > 0)
    json_object_set_new(object, "until", json_integer((json_int_t)revocation->until));
  if (!out_line(object))
    *(bool *)context = false;
}

static enum cli_exit list(const struct cli *cli, const struct cortex_settings *settings) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  bool printed = true;

  if (cortex_revocation_each(settings, cli_has(cli, "json") ? print_json : print_line, &printed,
                             &error) != CORTEX_OK)
    return fail(&error);
  return printed ? CLI_DONE : CLI_OUTSIDE;
}

/* ---- the command ---- */

static bool check_usage(const struct cli *cli) {
  bool has_name = cli_has(cli, "subject") || cli_has(cli, "sid");
  size_t ways = (size_t)cli_has(cli, "subject") + cli_has(cli, "sid") + cli_has(cli, "token") +
                cli_has(cli, "token-id") + cli_has(cli, "list");

  if (ways != 1)
    cli_misuse(cli, "one of --subject, --sid, --token, --token-id and --list is needed");
  else if (has_name != (cli->operand_count == 1))
    cli_misuse(cli, has_name ? "--subject and --sid take an issuer and a value"
                             : "there is an operand too many");
  else if (cli_has(cli, "list") && cli_has(cli, "undo"))
    cli_misuse(cli, "--undo does not go with --list");
  else if (cli_has(cli, "json") && !cli_has(cli, "list"))
    cli_misuse(cli, "--json goes with --list");
  else
    return true;
  return false;
}

static enum cli_exit run(const struct cli *cli) {
  struct target target = {.identity = NULL};
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (!check_usage(cli))
    return CLI_USAGE;
  operator_name(target.by);
  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK) {
    cli_complain_error(&error);
  } else if (cli_has(cli, "list")) {
    code = list(cli, settings);
  } else {
    code = take_target(cli, settings, &target);
    if (code == CLI_DONE)
      code = cli_has(cli, "undo") ? restore_target(settings, &target)
                                  : revoke_target(settings, &target);
  }
  cortex_identity_free(&target.identity);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"subject", "ISSUER", "every credential of one subject, which follows", false, false},
    {"sid", "ISSUER", "those of one session at the issuer, whose id follows", false, false},
    {"token", "FILE", "one token; - reads standard input", false, false},
    {"token-id", "HEX", "one token, by the id that audit records have", false, false},
    {"undo", NULL, "let it open again", false, false},
    {"offline", NULL, "with --token: use key files and fetched keys only", false, false},
    {"list", NULL, "print what is revoked", false, false},
    {"json", NULL, "with --list: one JSON object a line", false, false},
    {0},
};

const struct cli_verb cmd_revoke = {
    "revoke", "[SUBJECT|SID]", 0, 1, "revoke a subject, a session or a token", options, run};
