/*
 * explain --reference: a recorded decision, and what the policy says of it today.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cortexauth/audit.h>
#include <cortexauth/identity.h>

#include "explain.h"
#include "trail_files.h"

static const char *or_unknown(const char *text) {
  return text != NULL ? text : "(not recorded)";
}

static void print_verdict(const struct cortex_record *record) {
  char until[EXPLAIN_TIME], levels[EXPLAIN_LEVELS];

  if (record->effect == CORTEX_ALLOW)
    explain_fact("recorded", "allow: %s, until %s", explain_levels(record->levels, levels),
                 explain_time(record->session_until, until));
  else
    explain_fact("recorded", "deny: %s (%s)", cortex_reason_name(record->reason),
                 cortex_reason_sentence(record->reason));
  if (record->detail != NULL)
    explain_fact("", "%s", record->detail);
}

static void print_record(const char *file, const struct cortex_audit_entry *entry) {
  const struct cortex_record *record = cortex_audit_entry_record(entry);
  char when[EXPLAIN_TIME];

  explain_fact("record", "%s:%" PRIu64 ", sequence %" PRIu64 ", %s", file,
               cortex_audit_entry_line(entry), cortex_audit_entry_seq(entry),
               explain_time(record->time / 1000000, when));
  explain_fact("asked", "service %s as role %s, database %s, from %s", or_unknown(record->service),
               or_unknown(record->role), or_unknown(record->database),
               record->address != NULL ? record->address : "this host");
  if (record->username != NULL) {
    explain_fact("who", "%s (subject %s of %s)", record->username, or_unknown(record->subject),
                 or_unknown(record->issuer));
    explain_list("groups", record->groups, record->group_count, "none");
  }
  print_verdict(record);
  if (record->policy_count > 0)
    explain_list("policies", record->policies, record->policy_count, "");
}

/* The names as they were when the policy was asked: namespaces are in them already. */
static struct cortex_identity *recall_identity(const struct cortex_record *record) {
  struct cortex_identity *identity = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_identity_claim(record->username, record->groups, record->group_count, &identity,
                            &error) != CORTEX_OK)
    cli_complain_error(&error);
  return identity;
}

static void print_caveats(const struct cortex_record *record, const struct cortex_policy *policy) {
  const char *digest = cortex_policy_digest(policy);

  if (record->policy_digest == NULL)
    explain_fact("policy", "the record does not say which policy was asked; today's is asked now");
  else if (strcmp(record->policy_digest, digest) == 0)
    explain_fact("policy", "unchanged since");
  else
    explain_fact("policy", "CHANGED since (then %.12s, now %.12s): what follows is today's answer",
                 record->policy_digest, digest);
  explain_fact("not kept", "claims, scopes, authentication methods and times of the credential:");
  explain_fact("", "conditions that read them are judged as if they were absent");
}

/* The record's own answer counts; asking again only says why. */
static enum cli_exit ask_again(const struct cortex_settings *settings,
                               const struct cortex_record *record) {
  struct cortex_identity *identity = recall_identity(record);
  struct cortex_policy *policy = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  const struct cortex_question question = {.identity = identity,
                                           .service = record->service,
                                           .role = record->role,
                                           .database = record->database,
                                           .address = record->address,
                                           .now = record->time};
  enum cli_exit recorded = record->effect == CORTEX_ALLOW ? CLI_DONE : CLI_NO, code = CLI_USAGE;

  if (identity == NULL || cortex_policy_load(settings, &policy, &error) != CORTEX_OK) {
    cli_complain_error(&error);
  } else {
    print_caveats(record, policy);
    code = explain_question(policy, &question);
    if (code != CLI_OUTSIDE && code != recorded)
      printf(
          "\nThis is not what was recorded: the policy changed, or it reads what is not kept.\n");
    code = code == CLI_OUTSIDE ? code : recorded;
  }
  cortex_policy_free(&policy);
  cortex_identity_free(&identity);
  return code;
}

static bool was_policy_asked(const struct cortex_record *record) {
  enum cortex_reason_class class = cortex_reason_class(record->reason);

  return record->username != NULL && record->service != NULL &&
         (class == CORTEX_CLASS_OK || class == CORTEX_CLASS_POLICY);
}

static bool is_asked_for(const struct cli *cli, const char *option, const char *recorded) {
  const char *wanted = cli_value(cli, option);

  if (wanted == NULL || (recorded != NULL && strcmp(wanted, recorded) == 0))
    return true;
  cli_complain("--%s: the record is about %s", option, or_unknown(recorded));
  return false;
}

static enum cli_exit explain_entry(const struct cli *cli, const struct cortex_settings *settings,
                                   const char *file, const struct cortex_audit_entry *entry) {
  const struct cortex_record *record = cortex_audit_entry_record(entry);

  if (record->event != CORTEX_EVENT_LOGIN) {
    cli_complain("%s:%" PRIu64 ": the record is no login but %s", file,
                 cortex_audit_entry_line(entry), cortex_event_name(record->event));
    return CLI_USAGE;
  }
  if (!is_asked_for(cli, "service", record->service) || !is_asked_for(cli, "role", record->role) ||
      !is_asked_for(cli, "database", record->database))
    return CLI_USAGE;
  print_record(file, entry);
  if (was_policy_asked(record))
    return ask_again(settings, record);
  explain_fact("policy", "%s",
               record->policy_count > 0 ? "had permitted it: the login ended after that"
                                        : "was not asked: the login ended before");
  return record->effect == CORTEX_ALLOW ? CLI_DONE : CLI_NO;
}

/* Newest file first: most questions are about today. */
static struct cortex_audit_entry *find_entry(const struct trail_files *files, const char *reference,
                                             const char **file_out) {
  struct cortex_audit_entry *entry = NULL;
  size_t i;

  for (i = files->count; i-- > 0 && entry == NULL;) {
    struct cortex_error error = CORTEX_ERROR_NONE;

    *file_out = files->names[i];
    if (cortex_audit_find(*file_out, reference, &entry, &error) != CORTEX_OK)
      cli_complain_error(&error);
  }
  return entry;
}

enum cli_exit explain_reference(const struct cli *cli, const struct cortex_settings *settings) {
  const char *reference = cli_value(cli, "reference"), *file = NULL;
  struct cortex_audit_options audit;
  struct cortex_audit_entry *entry;
  struct trail_files files;
  enum cli_exit code = CLI_USAGE;

  cortex_audit_options_get(settings, &audit);
  if (!trail_files_find(audit.file, &files))
    return CLI_OUTSIDE;
  entry = find_entry(&files, reference, &file);
  if (entry == NULL)
    cli_complain("%s: no record has the reference '%s'", audit.file, reference);
  else
    code = explain_entry(cli, settings, file, entry);
  cortex_audit_entry_free(&entry);
  trail_files_clear(&files);
  return code;
}
