/*
 * cortexctl binding: to whom usernames belong.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <cortexauth/binding.h>

#include "common/out.h"
#include "explain.h"
#include "operator.h"

/* A command that has its configuration: what it does with it. */
typedef enum cli_exit (*binding_step)(const struct cli *cli,
                                      const struct cortex_settings *settings);

static enum cli_exit with_settings(const struct cli *cli, binding_step step) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK)
    cli_complain_error(&error);
  else
    code = step(cli, settings);
  cortex_settings_free(&settings);
  return code;
}

static enum cli_exit fail(const struct cortex_error *error) {
  cli_complain_error(error);
  return error->reason == CORTEX_STATE_UNAVAILABLE || error->reason == CORTEX_INTERNAL
             ? CLI_OUTSIDE
             : CLI_USAGE;
}

/* ---- list, show ---- */

struct print {
  bool json;
  bool failed;
  size_t count;
};

static void print_json(struct print *print, const struct cortex_binding *binding) {
  json_t *object = json_pack("{s:o, s:o, s:o, s:I, s:o}", "role", out_text(binding->role), "issuer",
                             out_text(binding->issuer), "subject", out_text(binding->subject),
                             "since", (json_int_t)binding->since, "by",
                             out_text(binding->by != NULL ? binding->by : ""));

  if (!out_line(object))
    print->failed = true;
}

static void print_one(void *context, const struct cortex_binding *binding) {
  struct print *print = context;
  char since[EXPLAIN_TIME];

  print->count++;
  if (print->json)
    print_json(print, binding);
  else
    explain_fact("role", "%s: subject %s of %s, since %s by %s", binding->role, binding->subject,
                 binding->issuer, explain_time(binding->since, since),
                 binding->by != NULL ? binding->by : "unknown");
}

static enum cli_exit print_all(const struct cli *cli, const struct cortex_settings *settings) {
  const char *role = cli->operand_count > 0 ? cli->operands[0] : NULL;
  struct print print = {.json = cli_has(cli, "json")};
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_binding_each(settings, role, print_one, &print, &error) != CORTEX_OK)
    return fail(&error);
  if (print.failed)
    return CLI_OUTSIDE;
  return role != NULL && print.count == 0 ? CLI_NO : CLI_DONE;
}

/* ---- changes: recorded first, as they open a role to somebody else ---- */

struct change {
  char by[OPERATOR_NAME];
  char detail[OPERATOR_NAME + 1024];
  bool has_owner;
};

static void note_owner(void *context, const struct cortex_binding *binding) {
  struct change *change = context;
  size_t len = strlen(change->detail);

  change->has_owner = true;
  snprintf(change->detail + len, sizeof change->detail - len, "; was subject %s of %s",
           binding->subject, binding->issuer);
}

/* A binding that is damaged is no obstacle: this is how it is put right. */
static void note_change(const struct cortex_settings *settings, const char *role,
                        struct change *change) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  snprintf(change->detail, sizeof change->detail, "by %s", operator_name(change->by));
  if (cortex_binding_each(settings, role, note_owner, change, &error) != CORTEX_OK)
    change->has_owner = true;
}

static enum cli_exit rebind(const struct cli *cli, const struct cortex_settings *settings) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct cortex_binding binding = {.role = cli->operands[0],
                                   .issuer = operator_issuer(settings, cli_value(cli, "issuer")),
                                   .subject = cli_value(cli, "subject"),
                                   .since = clock->now(clock) / 1000000};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct change change = {.has_owner = false};

  if (binding.issuer == NULL)
    return CLI_USAGE;
  note_change(settings, binding.role, &change);
  binding.by = change.by;
  if (!operator_record(settings, (struct cortex_record){.event = CORTEX_EVENT_ROLE_REBOUND,
                                                        .role = binding.role,
                                                        .issuer = binding.issuer,
                                                        .subject = binding.subject,
                                                        .detail = change.detail}))
    return CLI_OUTSIDE;
  if (cortex_binding_put(settings, &binding, clock, &error) != CORTEX_OK)
    return fail(&error);
  explain_fact("bound", "%s: subject %s of %s", binding.role, binding.subject, binding.issuer);
  return CLI_DONE;
}

static enum cli_exit release(const struct cli *cli, const struct cortex_settings *settings) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct change change = {.has_owner = false};
  const char *role = cli->operands[0];
  bool existed;

  note_change(settings, role, &change);
  if (!change.has_owner) {
    explain_fact("unknown", "%s belongs to nobody", role);
    return CLI_NO;
  }
  if (!operator_record(settings, (struct cortex_record){.event = CORTEX_EVENT_ROLE_RELEASED,
                                                        .role = role,
                                                        .detail = change.detail}))
    return CLI_OUTSIDE;
  if (cortex_binding_release(settings, role, cortex_clock_system(), &existed, &error) != CORTEX_OK)
    return fail(&error);
  explain_fact("released", "%s", role);
  return CLI_DONE;
}

/* ---- the commands ---- */

static enum cli_exit run_print(const struct cli *cli) {
  return with_settings(cli, print_all);
}

static enum cli_exit run_rebind(const struct cli *cli) {
  return with_settings(cli, rebind);
}

static enum cli_exit run_release(const struct cli *cli) {
  return with_settings(cli, release);
}

static const struct cli_option print_options[] = {
    OPTION_CONFIG,
    {"json", NULL, "one JSON object a line", false, false},
    {0},
};

static const struct cli_option rebind_options[] = {
    OPTION_CONFIG,
    {"issuer", "ISSUER", "label or name of the issuer", true, false},
    {"subject", "SUBJECT", "to whom the username belongs from now on", true, false},
    {0},
};

static const struct cli_option release_options[] = {
    OPTION_CONFIG,
    {0},
};

const struct cli_verb cmd_binding_list = {
    "binding list", "", 0, 0, "print to whom usernames belong", print_options, run_print};
const struct cli_verb cmd_binding_show = {
    "binding show", "ROLE", 1, 1, "print to whom a username belongs", print_options, run_print};
const struct cli_verb cmd_binding_rebind = {
    "binding rebind", "ROLE", 1, 1, "give a username to a subject", rebind_options, run_rebind};
const struct cli_verb cmd_binding_release = {
    "binding release", "ROLE", 1, 1, "let a username belong to nobody", release_options,
    run_release};
