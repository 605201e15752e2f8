/*
 * cortexctl status: what logins find of each issuer's keys, and how the refresh does.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cortexauth/clock.h>

#include "common/out.h"
#include "issuer_status.h"

/* ---- for people ---- */

static void print_span(const char *before, int64_t seconds, const char *after) {
  if (seconds < 120)
    printf("%s%" PRId64 " s%s", before, seconds, after);
  else if (seconds < 7200)
    printf("%s%" PRId64 " min%s", before, seconds / 60, after);
  else
    printf("%s%" PRId64 " h%s", before, seconds / 3600, after);
}

static void print_refresh(const struct issuer_status *status) {
  if (status->age >= 0)
    print_span(", fetched ", status->age, " ago");
  if (status->is_late)
    print_span(", refresh late for ", status->now - status->state.next, "");
  else if (status->state.next > 0)
    print_span(", next refresh in ",
               status->state.next > status->now ? status->state.next - status->now : 0, "");
  if (status->is_requested)
    printf(", a login asks for a refresh");
}

static void print_ends(const struct issuer_status *status) {
  if (status->found.valid_until > 0)
    print_span(", metadata valid for ", status->found.valid_until - status->now, "");
  if (status->found.certificate_until > status->now)
    print_span(", certificate for ", status->found.certificate_until - status->now, "");
  else if (status->found.certificate_until > 0)
    print_span(", certificate ended ", status->now - status->found.certificate_until, " ago");
}

static void print_text(const struct issuer_status *status) {
  const char *label = cortex_issuer_label(status->issuer);

  if (status->reason != CORTEX_OK)
    printf("%s: %s: %s", label, cortex_reason_name(status->reason), status->error.message);
  else
    printf("%s: %zu usable key%s, %zu weak, %zu other", label, status->found.count.usable,
           status->found.count.usable == 1 ? "" : "s", status->found.count.weak, status->found.count.other);
  if (status->reason == CORTEX_OK)
    print_ends(status);
  if (status->is_fetched)
    print_refresh(status);
  else
    printf(", from the operator's file");
  putchar('\n');
  if (status->state.failures > 0)
    printf("%s: failed %" PRId64 " time%s, last: %s\n", label, status->state.failures,
           status->state.failures == 1 ? "" : "s", status->state.error);
}

/* ---- for programs ---- */

static json_t *make_time(int64_t seconds) {
  return seconds > 0 ? json_integer(seconds) : json_null();
}

static json_t *make_entry(const struct issuer_status *status) {
  const bool is_saml = strcmp(cortex_issuer_kind(status->issuer), "saml") == 0;
  const char *name = cortex_issuer_value(status->issuer, is_saml ? "idp_entity_id" : "issuer");
  json_t *entry = json_pack(
      "{s:o, s:s, s:s?, s:s, s:b, s:s, s:{s:I, s:I, s:I}}", "label",
      out_text(cortex_issuer_label(status->issuer)), "kind", cortex_issuer_kind(status->issuer),
      "issuer", name, "source", status->is_fetched ? "fetched" : "file", "ok",
      issuer_status_is_well(status), "state", cortex_reason_name(status->reason), "keys", "usable",
      (json_int_t)status->found.count.usable, "weak", (json_int_t)status->found.count.weak, "other",
      (json_int_t)status->found.count.other);

  if (name == NULL && *status->found.name != '\0')
    json_object_set_new(entry, "issuer", out_text(status->found.name));
  if (is_saml) {
    json_object_set_new(entry, "valid_until", make_time(status->found.valid_until));
    json_object_set_new(entry, "certificate_until", make_time(status->found.certificate_until));
  }
  if (entry == NULL || !status->is_fetched)
    return entry;
  json_object_set_new(entry, "age", status->age >= 0 ? json_integer(status->age) : json_null());
  json_object_set_new(entry, "next_refresh", make_time(status->state.next));
  json_object_set_new(entry, "late", json_boolean(status->is_late));
  json_object_set_new(entry, "failures", json_integer(status->state.failures));
  json_object_set_new(entry, "last_error",
                      *status->state.error != '\0' ? out_text(status->state.error) : json_null());
  json_object_set_new(entry, "requested", json_boolean(status->is_requested));
  return entry;
}

static enum cli_exit report(const struct cli *cli, const struct cortex_settings *settings,
                            const struct requests *requests) {
  const struct cortex_issuer *issuer;
  json_t *entries = json_array();
  bool all_well = true, printed = true;
  struct issuer_status status;
  size_t i;

  for (i = 0; (issuer = cortex_settings_issuer(settings, i)) != NULL; i++) {
    issuer_status_look(settings, issuer, requests, &status);
    all_well = all_well && issuer_status_is_well(&status);
    if (cli_has(cli, "json"))
      json_array_append_new(entries, make_entry(&status));
    else
      print_text(&status);
  }
  if (cli_has(cli, "json"))
    printed = out_line(json_pack("{s:b, s:O}", "ok", all_well, "issuers", entries));
  json_decref(entries);
  if (!printed)
    return CLI_OUTSIDE;
  return all_well ? CLI_DONE : CLI_NO;
}

static enum cli_exit run(const struct cli *cli) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;
  struct requests requests;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK) {
    cli_complain_error(&error);
    return CLI_USAGE;
  }
  if (!requests_open(settings, false, &requests)) {
    cli_complain("out of memory");
    code = CLI_OUTSIDE;
  } else {
    code = report(cli, settings, &requests);
  }
  requests_close(&requests);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"json", NULL, "one JSON object for programs", false, false},
    {0},
};

const struct cli_verb cmd_status = {
    "status", "", 0, 0, "say what logins find of each issuer's keys", options, run};
