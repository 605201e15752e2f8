/*
 * cortexctl audit verify: is the audit trail as it was written?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <cortexauth/audit.h>

#include "common/out.h"
#include "trail_files.h"

static void print_finding(void *context, const struct cortex_finding *finding) {
  (void)context;
  if (finding->file != NULL)
    printf("%s:", finding->file);
  if (finding->line != 0)
    printf("%" PRIu64 ":", finding->line);
  if (finding->last_line > finding->line)
    printf(" (to line %" PRIu64 ")", finding->last_line);
  printf("%s%s: %s\n", finding->file != NULL ? " " : "", cortex_finding_name(finding->kind),
         finding->text);
}

static void put_finding(void *context, const struct cortex_finding *finding) {
  json_t *item = json_pack(
      "{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I}", "kind", cortex_finding_name(finding->kind),
      "break", cortex_finding_is_break(finding->kind), "text", out_text(finding->text), "file",
      finding->file != NULL ? out_text(finding->file) : json_null(), "line",
      (json_int_t)finding->line, "last_line", (json_int_t)finding->last_line, "seq",
      (json_int_t)finding->seq, "last_seq", (json_int_t)finding->last_seq);

  json_array_append_new(context, item);
}

static void print_summary(const struct cortex_audit_check *check,
                          const struct cortex_audit_summary *summary) {
  bool is_given = check->anchor_count > 0 || check->anchors_file != NULL;

  if (!summary->intact)
    printf("NOT intact: %" PRIu64 " break%s in %" PRIu64 " records\n", summary->breaks,
           summary->breaks == 1 ? "" : "s", summary->records);
  else if (summary->records == 0)
    printf("intact: no records\n");
  else
    printf("intact: %" PRIu64 " records, sequence %" PRIu64 " to %" PRIu64 "\nanchor of the end: "
           "%" PRIu64 ":%s\n",
           summary->records, summary->first_seq, summary->last_seq, summary->last_seq,
           summary->last_hash);
  if (is_given)
    printf("anchors met: %" PRIu64 "; older than the first record: %" PRIu64 "\n",
           summary->anchors_met, summary->anchors_earlier);
  if (!is_given || (summary->intact && summary->anchors_met == 0))
    printf("no anchor was %s: records cut from the end, or a chain written anew, would not show\n",
           is_given ? "met" : "given");
}

static json_t *make_summary(const struct cortex_audit_summary *summary, json_t *findings) {
  return json_pack("{s:b, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:O}", "intact", summary->intact,
                   "records", (json_int_t)summary->records, "first_seq",
                   (json_int_t)summary->first_seq, "last_seq", (json_int_t)summary->last_seq,
                   "last_hash", summary->last_hash, "breaks", (json_int_t)summary->breaks, "notes",
                   (json_int_t)summary->notes, "anchors_met", (json_int_t)summary->anchors_met,
                   "anchors_earlier", (json_int_t)summary->anchors_earlier, "findings", findings);
}

static enum cli_exit verify(const struct cli *cli, struct cortex_audit_check *check) {
  struct cortex_audit_summary summary;
  struct cortex_error error = CORTEX_ERROR_NONE;
  json_t *findings = cli_has(cli, "json") ? json_array() : NULL;
  bool printed = true;

  check->report = findings != NULL ? put_finding : print_finding;
  check->context = findings;
  if (cortex_audit_verify(check, &summary, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    json_decref(findings);
    return CLI_USAGE;
  }
  if (findings != NULL)
    printed = out_line(make_summary(&summary, findings));
  else
    print_summary(check, &summary);
  json_decref(findings);
  return !printed ? CLI_OUTSIDE : summary.intact ? CLI_DONE : CLI_NO;
}

/* The anchors of the command line; NULL, after a complaint, when one is wrong. */
static struct cortex_anchor *read_anchors(const struct cli *cli, size_t *count_out) {
  struct cortex_anchor *anchors = calloc(cli->value_count + 1, sizeof *anchors);
  const char *text;
  size_t cursor = 0;

  *count_out = 0;
  while (anchors != NULL && (text = cli_next(cli, "anchor", &cursor)) != NULL)
    if (!cortex_anchor_parse(text, &anchors[(*count_out)++])) {
      cli_misuse(cli, "--anchor: '%s' is not SEQ:HASH", text);
      free(anchors);
      return NULL;
    }
  return anchors;
}

/* The kept files, then the current one, which is named even when it is missing. */
static enum cli_exit verify_with_kept(const struct cli *cli, const char *file,
                                      struct cortex_audit_check *check) {
  struct trail_files files;
  enum cli_exit code;

  if (!trail_files_find(file, &files))
    return CLI_OUTSIDE;
  check->files = files.names;
  check->file_count = files.count;
  code = verify(cli, check);
  trail_files_clear(&files);
  return code;
}

static enum cli_exit verify_configured(const struct cli *cli, struct cortex_audit_check *check) {
  struct cortex_settings *settings = NULL;
  struct cortex_audit_options audit;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK) {
    cli_complain_error(&error);
    return CLI_USAGE;
  }
  cortex_audit_options_get(settings, &audit);
  code = verify_with_kept(cli, audit.file, check);
  cortex_settings_free(&settings);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct cortex_audit_check check = {.files = (const char *const *)cli->operands,
                                     .file_count = cli->operand_count,
                                     .anchors_file = cli_value(cli, "anchors")};
  struct cortex_anchor *anchors;
  enum cli_exit code;

  if (cli->operand_count > 0 && cli_has(cli, "config"))
    return cli_misuse(cli, "either --config or files, not both");
  anchors = read_anchors(cli, &check.anchor_count);
  if (anchors == NULL)
    return CLI_USAGE;
  check.anchors = anchors;
  code = cli->operand_count > 0 ? verify(cli, &check) : verify_configured(cli, &check);
  free(anchors);
  return code;
}

static const struct cli_option options[] = {
    {"config", "FILE", "verify its audit file and the kept ones (" CONFIG_DEFAULT ")", false,
     false},
    {"anchor", "SEQ:HASH", "this record had this hash; may be repeated", false, true},
    {"anchors", "FILE", "a file with anchors in its lines, such as syslog's", false, false},
    {"json", NULL, "print one JSON object", false, false},
    {0},
};

const struct cli_verb cmd_audit_verify = {"audit verify",
                                          "[FILE]...",
                                          0,
                                          SIZE_MAX,
                                          "verify the chain of the audit trail, oldest file first",
                                          options,
                                          run};
