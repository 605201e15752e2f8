/*
 * Command line of the programs: verbs and options as tables, usage printed from them.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_CLI_H
#define TOOLS_COMMON_CLI_H

#include <cortexauth/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The same in every program (cortexctl(8), EXIT STATUS). */
enum cli_exit {
  CLI_DONE = 0,   /* yes, or done */
  CLI_NO = 1,     /* a clean no: denied, invalid, differs */
  CLI_USAGE = 2,  /* wrong usage, or a bad input file */
  CLI_OUTSIDE = 3 /* something outside failed */
};

/* A long option. Tables end with an entry whose name is NULL. */
struct cli_option {
  const char *name;
  const char *value; /* what its value is called; NULL: takes none */
  const char *help;
  bool required;
  bool repeatable;
};

struct cli;

/* A command. */
struct cli_verb {
  const char *name; /* one word or two, such as "audit verify"; "" for a program without commands */
  const char *operands; /* as usage shows them; "" for none; "-- COMMAND" in them is demanded */
  size_t least;         /* operands */
  size_t most;
  const char *summary;
  const struct cli_option *options;
  enum cli_exit (*run)(const struct cli *cli);
};

struct cli_program {
  const char *name;
  const char *manual; /* as help names it, "cortexctl(8)" */
  const char *summary;
  const struct cli_verb *const *verbs; /* ends with NULL */
};

/* What was asked for; lives while the command runs. */
struct cli {
  const struct cli_verb *verb;
  const char *
      *values; /* in pairs: name of the option as in the table, its value ("" when it takes none) */
  size_t value_count;
  char *const *operands;
  size_t operand_count;
  char *const *command; /* what follows "--", ends with NULL; NULL unless the verb takes one */
};

/* Parses, runs, flushes standard output; gives what main returns. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* The value of an option; NULL when it was not given. */
const char *cli_value(const struct cli *cli, const char *name);
const char *cli_value_or(const struct cli *cli, const char *name, const char *otherwise);
bool cli_has(const struct cli *cli, const char *name);

/* The next value of a repeatable option, from *cursor (start with 0) on; NULL after the last. */
const char *cli_next(const struct cli *cli, const char *name, size_t *cursor);

/*
 * A whole number between least and most, with a complaint otherwise.
 *   out  number_out: left alone when the option was not given
 */
bool cli_number(const struct cli *cli, const char *name, int64_t least, int64_t most,
                int64_t *number_out);

/* False, after a complaint, when what the option was given is no IP address. */
bool cli_address(const struct cli *cli, const char *name);

/* Control characters become "?": nothing in a text may be obeyed by a terminal. */
void cli_flatten(char *text);

/* "PROGRAM: text" on standard error, in one line; control characters become "?". */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, then where to find help; gives CLI_USAGE. */
enum cli_exit cli_misuse(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An error of the library: "FILE:LINE:COLUMN: what", or as cli_complain without a file. */
void cli_complain_error(const struct cortex_error *error);

/* The exit code that fits a reason. */
enum cli_exit cli_exit_of(enum cortex_reason reason);

#endif
