/*
 * cortexctl policy format, to-json and from-json: policies as text and in the other form.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <stdio.h>

#include "cedar_input.h"

static bool put_standard(void *context, const char *bytes, size_t len) {
  (void)context;
  return fwrite(bytes, 1, len, stdout) == len;
}

static const struct cedar_sink standard_output = {put_standard, NULL};

/* Text or JSON, whatever the name ends with: each command reads one form. */
typedef enum cedar_status add_call(struct cedar_store *, const struct cedar_source *,
                                   enum cedar_id_mode, struct cedar_error *);

static enum cli_exit convert(const struct cli *cli, add_call *add,
                             bool (*print)(const struct cedar_store *)) {
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_store *store = NULL;
  struct text_file file;
  struct cedar_source source;
  enum cli_exit code = CLI_USAGE;

  if (!text_file_read(cli->operands[0], &file))
    return CLI_USAGE;
  source = cedar_input_source(&file);
  if (cedar_store_new(NULL, &store) != CEDAR_OK) {
    cli_complain("out of memory");
    code = CLI_OUTSIDE;
  } else if (add(store, &source, CEDAR_ID_POSITION, &error) != CEDAR_OK ||
             cedar_store_seal(store, &error) != CEDAR_OK) {
    cedar_input_complain(&error);
  } else {
    code = print(store) ? CLI_DONE : CLI_OUTSIDE;
  }
  cedar_store_free(&store);
  text_file_clear(&file);
  return code;
}

static bool print_json(const struct cedar_store *store) {
  return cedar_store_print_json(store, &standard_output) == CEDAR_OK && putchar('\n') != EOF;
}

static bool print_text(const struct cedar_store *store) {
  uint32_t i, count = cedar_store_policy_count(store);

  for (i = 0; i < count; i++)
    if ((i > 0 && putchar('\n') == EOF) ||
        cedar_policy_print(store, i, &standard_output) != CEDAR_OK || putchar('\n') == EOF)
      return false;
  return true;
}

static enum cli_exit run_to_json(const struct cli *cli) {
  return convert(cli, cedar_store_add_policies, print_json);
}

static enum cli_exit run_from_json(const struct cli *cli) {
  return convert(cli, cedar_store_add_policies_json, print_text);
}

static enum cli_exit run_format(const struct cli *cli) {
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_source source;
  struct text_file file;
  enum cedar_status status;

  if (!text_file_read(cli->operands[0], &file))
    return CLI_USAGE;
  source = cedar_input_source(&file);
  status = cedar_policies_format(&source, &standard_output, &error);
  if (status != CEDAR_OK && error.status != CEDAR_OK)
    cedar_input_complain(&error);
  text_file_clear(&file);
  if (status == CEDAR_OK)
    return CLI_DONE;
  return error.status != CEDAR_OK ? CLI_USAGE : CLI_OUTSIDE;
}

static const struct cli_option options[] = {{0}};

const struct cli_verb cmd_policy_format = {
    "policy format", "FILE|-",  1, 1, "lay Cedar policies out anew, comments kept",
    options,         run_format};
const struct cli_verb cmd_policy_to_json = {
    "policy to-json", "FILE|-",   1, 1, "print Cedar policies in the JSON format",
    options,          run_to_json};
const struct cli_verb cmd_policy_from_json = {
    "policy from-json", "FILE|-", 1, 1, "print policies in the JSON format as Cedar text", options,
    run_from_json};
