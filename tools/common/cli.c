/*
 * Command line of the programs: verbs and options as tables, usage printed from them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "common/cli.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 24
#define HELP_INDENT 26
#define VAL_HELP 1
#define VAL_VERSION 2
#define VAL_FIRST 256

/* Set once, before anything can complain. */
static char program_name[32];

/* ---- messages ---- */

/* C1 controls, which a terminal obeys too, are C2 80 to C2 9F. */
void cli_flatten(char *text) {
  for (; *text != '\0'; text++) {
    bool is_c1 = (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] >= 0x80 &&
                 (unsigned char)text[1] < 0xa0;

    if ((unsigned char)*text < 0x20 || *text == 0x7f || is_c1)
      *text = '?';
    if (is_c1)
      *++text = '?';
  }
}

__attribute__((format(printf, 2, 0))) static void print_message(const char *prefix,
                                                                const char *format, va_list args) {
  char text[1024];

  if (vsnprintf(text, sizeof text, format, args) < 0)
    return;
  cli_flatten(text);
  fprintf(stderr, "%s%s%s\n", prefix, *prefix == '\0' ? "" : ": ", text);
}

void cli_complain(const char *format, ...) {
  va_list args;

  va_start(args, format);
  print_message(program_name, format, args);
  va_end(args);
}

static void print_hint(const struct cli_verb *verb) {
  bool named = verb != NULL && *verb->name != '\0';

  fprintf(stderr, "Try '%s%s%s --help' for more information.\n", program_name, named ? " " : "",
          named ? verb->name : "");
}

enum cli_exit cli_misuse(const struct cli *cli, const char *format, ...) {
  va_list args;

  va_start(args, format);
  print_message(program_name, format, args);
  va_end(args);
  print_hint(cli->verb);
  return CLI_USAGE;
}

static void print_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print_plain(const char *format, ...) {
  va_list args;

  va_start(args, format);
  print_message("", format, args);
  va_end(args);
}

void cli_complain_error(const struct cortex_error *error) {
  char text[sizeof error->source + sizeof error->message + 32];

  cortex_error_format(error, text, sizeof text);
  if (*error->source != '\0')
    print_plain("%s", text);
  else
    cli_complain("%s", text);
}

enum cli_exit cli_exit_of(enum cortex_reason reason) {
  static const enum cli_exit codes[] = {
#define CLASS(symbol, name, pam, exit) (enum cli_exit)(exit),
#include <cortexauth/class.def>
#undef CLASS
  };

  return codes[cortex_reason_class(reason)];
}

/* ---- help ---- */

static void print_option(const char *name, const char *value, const char *help) {
  char left[64];
  int len = snprintf(left, sizeof left, "  --%s%s%s", name, value == NULL ? "" : " ",
                     value == NULL ? "" : value);

  if (len < HELP_INDENT - 1)
    printf("%-*s%s\n", HELP_INDENT, left, help);
  else
    printf("%s\n%*s%s\n", left, HELP_INDENT, "", help);
}

static void print_verb_help(const struct cli_verb *verb) {
  const struct cli_option *option;

  printf("Usage: %s%s%s [OPTION]...%s%s\n%c%s.\n\nOptions:\n", program_name,
         *verb->name == '\0' ? "" : " ", verb->name, *verb->operands == '\0' ? "" : " ",
         verb->operands, toupper((unsigned char)verb->summary[0]), verb->summary + 1);
  for (option = verb->options; option->name != NULL; option++)
    print_option(option->name, option->value, option->help);
  print_option("help", NULL, "print this help and exit");
  print_option("version", NULL, "print the version and exit");
}

static void print_program_help(const struct cli_program *program) {
  const struct cli_verb *const *verb;

  printf("Usage: %s COMMAND [OPTION]...\n%s.\n\nCommands:\n", program->name, program->summary);
  for (verb = program->verbs; *verb != NULL; verb++)
    printf("  %-17s %s\n", (*verb)->name, (*verb)->summary);
  printf("\n'%s help COMMAND' explains a command; all of it is in %s.\n"
         "Exit status: 0 yes or done, 1 a clean no, 2 wrong usage or a bad input file,\n"
         "3 something outside failed.\n",
         program->name, program->manual);
}

static void print_version(void) {
  printf("%s (%s) %s\n", program_name, PACKAGE_NAME, PACKAGE_VERSION);
}

/* ---- parsing ---- */

const char *cli_next(const struct cli *cli, const char *name, size_t *cursor) {
  while (*cursor < cli->value_count) {
    const char **pair = &cli->values[2 * (*cursor)++];

    if (strcmp(pair[0], name) == 0)
      return pair[1];
  }
  return NULL;
}

const char *cli_value(const struct cli *cli, const char *name) {
  size_t cursor = 0;

  return cli_next(cli, name, &cursor);
}

const char *cli_value_or(const struct cli *cli, const char *name, const char *otherwise) {
  const char *value = cli_value(cli, name);

  return value != NULL ? value : otherwise;
}

bool cli_has(const struct cli *cli, const char *name) {
  return cli_value(cli, name) != NULL;
}

bool cli_number(const struct cli *cli, const char *name, int64_t least, int64_t most,
                int64_t *number_out) {
  const char *text = cli_value(cli, name);
  const char *digits;
  char *end;
  intmax_t number;

  if (text == NULL)
    return true;
  digits = *text == '-' ? text + 1 : text;
  errno = 0;
  number = strtoimax(text, &end, 10);
  if (*digits < '0' || *digits > '9' || *end != '\0' || errno != 0 || number < least ||
      number > most) {
    cli_misuse(cli, "--%s: '%s' is not a whole number from %" PRId64 " to %" PRId64, name, text,
               least, most);
    return false;
  }
  *number_out = number;
  return true;
}

bool cli_address(const struct cli *cli, const char *name) {
  unsigned char room[sizeof(struct in6_addr)];
  const char *text = cli_value(cli, name);

  if (text == NULL || inet_pton(AF_INET, text, room) == 1 || inet_pton(AF_INET6, text, room) == 1)
    return true;
  cli_misuse(cli, "--%s: '%s' is no IP address", name, text);
  return false;
}

/* The table in getopt's form; val is VAL_FIRST plus the place in our table. */
static void make_long_options(const struct cli_verb *verb, struct option *table) {
  size_t i;

  for (i = 0; i < OPTIONS_MAX && verb->options[i].name != NULL; i++)
    table[i] = (struct option){verb->options[i].name,
                               verb->options[i].value == NULL ? no_argument : required_argument,
                               NULL, VAL_FIRST + (int)i};
  table[i++] = (struct option){"help", no_argument, NULL, VAL_HELP};
  table[i++] = (struct option){"version", no_argument, NULL, VAL_VERSION};
  table[i] = (struct option){NULL, 0, NULL, 0};
}

static bool names_a_file(const struct cli_option *option) {
  return option->value != NULL &&
         (strcmp(option->value, "FILE") == 0 || strcmp(option->value, "DIR") == 0);
}

static bool put_value(struct cli *cli, const struct cli_option *option, const char *value) {
  if (!option->repeatable && cli_has(cli, option->name)) {
    cli_misuse(cli, "--%s is given twice", option->name);
    return false;
  }
  /* a variable of the shell that is not set: no message about the file could name it */
  if (*value == '\0' && names_a_file(option)) {
    cli_misuse(cli, "--%s: the name is empty", option->name);
    return false;
  }
  cli->values[2 * cli->value_count] = option->name;
  cli->values[2 * cli->value_count + 1] = value;
  cli->value_count++;
  return true;
}

static bool takes_command(const struct cli_verb *verb) {
  return strstr(verb->operands, "-- ") != NULL;
}

/* As put_value of options: no message about such a file or folder could name it. */
static bool has_nameless_file(const struct cli *cli) {
  const char *what = cli->verb->operands;
  size_t i;

  if (strstr(what, "FILE") != NULL || strstr(what, "DIR") != NULL)
    for (i = 0; i < cli->operand_count; i++)
      if (*cli->operands[i] == '\0')
        return true;
  return false;
}

static bool check_demands(const struct cli *cli) {
  const struct cli_verb *verb = cli->verb;
  const struct cli_option *option;

  for (option = verb->options; option->name != NULL; option++)
    if (option->required && !cli_has(cli, option->name)) {
      cli_misuse(cli, "--%s %s is needed", option->name, option->value);
      return false;
    }
  if (cli->operand_count < verb->least) {
    cli_misuse(cli, "%s is missing", verb->operands);
    return false;
  }
  if (cli->operand_count > verb->most) {
    cli_misuse(cli, "unexpected argument '%s'", cli->operands[verb->most]);
    return false;
  }
  if (has_nameless_file(cli)) {
    cli_misuse(cli, "%s: the name is empty", verb->operands);
    return false;
  }
  if (takes_command(verb) && (cli->command == NULL || *cli->command == NULL)) {
    cli_misuse(cli, "'--' and a command are missing");
    return false;
  }
  return true;
}

/* argv[0] is the program's name, for getopt's own messages. */
static enum cli_exit parse_and_run(struct cli *cli, int argc, char **argv) {
  struct option table[OPTIONS_MAX + 3];
  int val;

  make_long_options(cli->verb, table);
  optind = 1;
  while ((val = getopt_long(argc, argv, "", table, NULL)) != -1) {
    if (val == VAL_HELP) {
      print_verb_help(cli->verb);
      return CLI_DONE;
    }
    if (val == VAL_VERSION) {
      print_version();
      return CLI_DONE;
    }
    if (val < VAL_FIRST) {
      print_hint(cli->verb);
      return CLI_USAGE;
    }
    if (!put_value(cli, &cli->verb->options[val - VAL_FIRST], optarg == NULL ? "" : optarg))
      return CLI_USAGE;
  }
  cli->operands = argv + optind;
  cli->operand_count = (size_t)(argc - optind);
  return check_demands(cli) ? cli->verb->run(cli) : CLI_USAGE;
}

/* How many words of argv name this verb; 0 when they do not. */
static int match_verb(const struct cli_verb *verb, int argc, char **argv) {
  const char *blank = strchr(verb->name, ' ');
  size_t first = blank == NULL ? strlen(verb->name) : (size_t)(blank - verb->name);

  if (strlen(argv[1]) != first || strncmp(argv[1], verb->name, first) != 0)
    return 0;
  if (blank == NULL)
    return 1;
  return argc > 2 && strcmp(argv[2], blank + 1) == 0 ? 2 : 0;
}

/* True when some command of two words begins with this one. */
static bool is_first_word(const struct cli_program *program, const char *word) {
  const struct cli_verb *const *verb;
  size_t len = strlen(word);

  for (verb = program->verbs; *verb != NULL; verb++)
    if (strncmp((*verb)->name, word, len) == 0 && (*verb)->name[len] == ' ')
      return true;
  return false;
}

static enum cli_exit refuse_command(const struct cli_program *program, int argc, char **argv) {
  if (!is_first_word(program, argv[1]))
    cli_complain("unknown command '%s'", argv[1]);
  else if (argc > 2)
    cli_complain("unknown command '%s %s'", argv[1], argv[2]);
  else
    cli_complain("'%s' needs a second word", argv[1]);
  print_hint(NULL);
  return CLI_USAGE;
}

/* Keeps another program's command line away from getopt; gives how many arguments are ours. */
static int split_command(struct cli *cli, int argc, char **argv) {
  int i;

  for (i = 1; takes_command(cli->verb) && i < argc; i++)
    if (strcmp(argv[i], "--") == 0) {
      cli->command = argv + i + 1;
      argv[i] = NULL;
      return i;
    }
  return argc;
}

static enum cli_exit run_verb(const struct cli_verb *verb, int words, int argc, char **argv) {
  struct cli cli = {.verb = verb};
  enum cli_exit code;

  argv += words;
  argv[0] = program_name;
  argc = split_command(&cli, argc - words, argv);
  cli.values = calloc(2 * (size_t)argc, sizeof *cli.values);
  if (cli.values == NULL) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  code = parse_and_run(&cli, argc, argv);
  free(cli.values);
  return code;
}

/* "help" and "help COMMAND", the same as --help. */
static enum cli_exit explain_command(const struct cli_program *program, int argc, char **argv) {
  const struct cli_verb *const *verb;

  if (argc < 2) {
    print_program_help(program);
    return CLI_DONE;
  }
  for (verb = program->verbs; *verb != NULL; verb++)
    if (match_verb(*verb, argc, argv) == argc - 1) {
      print_verb_help(*verb);
      return CLI_DONE;
    }
  return refuse_command(program, argc, argv);
}

static enum cli_exit dispatch(const struct cli_program *program, int argc, char **argv) {
  const struct cli_verb *const *verb;

  if (argc > 0 && *(*program->verbs)->name == '\0')
    return run_verb(*program->verbs, 0, argc, argv);
  if (argc < 2) {
    cli_complain("a command is needed");
    print_hint(NULL);
    return CLI_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0) {
    print_program_help(program);
    return CLI_DONE;
  }
  if (strcmp(argv[1], "help") == 0)
    return explain_command(program, argc - 1, argv + 1);
  if (strcmp(argv[1], "--version") == 0) {
    print_version();
    return CLI_DONE;
  }
  for (verb = program->verbs; *verb != NULL; verb++) {
    int words = match_verb(*verb, argc, argv);

    if (words > 0)
      return run_verb(*verb, words, argc, argv);
  }
  return refuse_command(program, argc, argv);
}

int cli_main(const struct cli_program *program, int argc, char **argv) {
  enum cli_exit code;

  snprintf(program_name, sizeof program_name, "%s", program->name);
  code = dispatch(program, argc, argv);
  errno = 0;
  /* A result that did not reach its reader is not a result. */
  if ((fflush(stdout) != 0 || ferror(stdout)) && code != CLI_USAGE) {
    cli_complain("standard output: %s", errno != 0 ? strerror(errno) : "not all of it was written");
    code = CLI_OUTSIDE;
  }
  return (int)code;
}
