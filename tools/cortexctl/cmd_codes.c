/*
 * cortexctl codes: every reason code, what it means and how PAM sees it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <jansson.h>
#include <stdio.h>

#include "common/out.h"

struct class_entry {
  const char *name;
  const char *pam;
};

static const struct class_entry *class_of(enum cortex_reason reason) {
  static const struct class_entry entries[] = {
#define CLASS(symbol, name, pam, exit) {#name, #pam},
#include <cortexauth/class.def>
#undef CLASS
  };

  return &entries[cortex_reason_class(reason)];
}

static enum cli_exit print_json(void) {
  json_t *codes = json_array();
  int i;

  for (i = 0; i < CORTEX_REASONS; i++) {
    enum cortex_reason reason = (enum cortex_reason)i;

    json_array_append_new(
        codes, json_pack("{s:s, s:s, s:s, s:i, s:s}", "code", cortex_reason_name(reason), "class",
                         class_of(reason)->name, "pam", class_of(reason)->pam, "exit",
                         (int)cli_exit_of(reason), "sentence", cortex_reason_sentence(reason)));
  }
  return out_line(codes) ? CLI_DONE : CLI_OUTSIDE;
}

static enum cli_exit run(const struct cli *cli) {
  int i;

  if (cli_has(cli, "json"))
    return print_json();
  printf("%-24s %-11s %-21s %-4s %s\n", "CODE", "CLASS", "PAM", "EXIT", "MEANING");
  for (i = 0; i < CORTEX_REASONS; i++) {
    enum cortex_reason reason = (enum cortex_reason)i;

    printf("%-24s %-11s %-21s %-4d %s\n", cortex_reason_name(reason), class_of(reason)->name,
           class_of(reason)->pam, (int)cli_exit_of(reason), cortex_reason_sentence(reason));
  }
  return CLI_DONE;
}

static const struct cli_option options[] = {
    {"json", NULL, "print a JSON array", false, false},
    {0},
};

const struct cli_verb cmd_codes = {"codes", "", 0, 0, "list the reason codes of refusals",
                                   options, run};
