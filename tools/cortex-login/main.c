/*
 * cortex-login: a token for a person or a job, handed to a client of PostgreSQL.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "login.h"
#include "wipe.h"

/* "cortex-login --passfile FILE" is "cortex-login token --passfile FILE". */
static bool is_token_option(const char *word) {
  return strncmp(word, "--", 2) == 0 && word[2] != '\0' && strcmp(word, "--help") != 0 &&
         strcmp(word, "--version") != 0;
}

static char **insert_token(int argc, char **argv) {
  static char word[] = "token";
  char **longer = calloc((size_t)argc + 2, sizeof *longer);

  if (longer != NULL) {
    longer[0] = argv[0];
    longer[1] = word;
    memcpy(longer + 2, argv + 1, (size_t)argc * sizeof *argv); /* with the NULL at the end */
  }
  return longer;
}

int main(int argc, char **argv) {
  static const struct cli_verb *const verbs[] = {&cmd_token, &cmd_exec, &cmd_status, &cmd_logout,
                                                 NULL};
  static const struct cli_program program = {
      "cortex-login", "cortex-login(1)",
      "Get a token from an identity provider and log in to PostgreSQL with it", verbs};
  char **longer = argc > 1 && is_token_option(argv[1]) ? insert_token(argc, argv) : NULL;
  int code;

  wipe_everywhere();
  code = longer != NULL ? cli_main(&program, argc + 1, longer) : cli_main(&program, argc, argv);
  free(longer);
  return code;
}
