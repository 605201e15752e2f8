/*
 * cortexctl validate: do the policies fit a schema?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <jansson.h>
#include <string.h>

#include "cedar_input.h"
#include "common/out.h"

static json_t *make_finding(const struct cedar_finding *finding) {
  return json_pack("{s:o, s:o, s:I, s:I, s:o}", "policy",
                   out_bytes(finding->policy_id.ptr, finding->policy_id.len), "file",
                   out_bytes(finding->source.ptr, finding->source.len), "line",
                   (json_int_t)finding->line, "column", (json_int_t)finding->column, "message",
                   out_text(finding->message));
}

static json_t *make_list(const struct cedar_finding *findings, uint32_t count) {
  json_t *list = json_array();
  uint32_t i;

  for (i = 0; i < count; i++)
    json_array_append_new(list, make_finding(&findings[i]));
  return list;
}

static enum cli_exit answer(json_t *errors, json_t *warnings) {
  bool valid = json_array_size(errors) == 0;

  if (!out_line(
          json_pack("{s:b, s:o, s:o}", "valid", valid, "errors", errors, "warnings", warnings)))
    return CLI_OUTSIDE;
  return valid ? CLI_DONE : CLI_NO;
}

/* A policy that does not parse is an invalid policy, not a bad call. */
static enum cli_exit answer_parse_error(const struct cedar_error *error) {
  const struct cedar_finding finding = {.source = {error->source, strlen(error->source)},
                                        .line = error->line,
                                        .column = error->column,
                                        .policy_id = {"", 0},
                                        .message = error->message};

  if (error->status == CEDAR_NOMEM) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  return answer(make_list(&finding, 1), json_array());
}

static enum cli_exit validate_store(const struct cedar_store *store,
                                    const struct cedar_schema *schema) {
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_validation *validation = NULL;
  struct cedar_findings findings;
  enum cli_exit code;

  if (cedar_validate(store, schema, NULL, &validation, &error) != CEDAR_OK) {
    cedar_input_complain(&error);
    return error.status == CEDAR_NOMEM ? CLI_OUTSIDE : CLI_USAGE;
  }
  findings = cedar_validation_findings(validation);
  code = answer(make_list(findings.errors, findings.error_count),
                make_list(findings.warnings, findings.warning_count));
  cedar_validation_free(&validation);
  return code;
}

static enum cli_exit validate_file(const struct cli *cli, const struct cedar_schema *schema,
                                   const struct text_file *file) {
  const struct cedar_source source = cedar_input_source(file);
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_store *store = NULL;
  enum cli_exit code = CLI_USAGE;

  if (cedar_store_new(NULL, &store) != CEDAR_OK) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  if (cedar_input_add_policies(store, &source, &error) != CEDAR_OK)
    code = answer_parse_error(&error);
  else if (cedar_input_add_links(store, cli_value(cli, "links")))
    code = validate_store(store, schema);
  cedar_store_free(&store);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct cedar_schema *schema = cedar_input_schema(cli_value(cli, "schema"));
  struct text_file policies;
  enum cli_exit code = CLI_USAGE;

  if (schema != NULL && text_file_read(cli_value(cli, "policies"), &policies)) {
    code = validate_file(cli, schema, &policies);
    text_file_clear(&policies);
  }
  cedar_schema_free(&schema);
  return code;
}

static const struct cli_option options[] = {
    {"policies", "FILE", "policies; a name ending in .json: the JSON format", true, false},
    {"schema", "FILE", "the schema; a name ending in .json: the JSON form", true, false},
    {"links", "FILE", "template links, JSON", false, false},
    {0},
};

const struct cli_verb cmd_validate = {"validate", "", 0, 0, "check Cedar policies against a schema",
                                      options,    run};
