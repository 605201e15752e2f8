/*
 * cortexctl service render: the PAM file and the pg_hba.conf lines of a service.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/decision.h>
#include <cortexauth/settings.h>

#include "just_in_time.h"
#include "pam_file.h"

/* Words that pg_hba.conf takes for something else than a database of that name. */
static const char *const database_words[] = {"all", "sameuser", "samerole", "samegroup",
                                             "replication"};

/* A name as pg_hba.conf reads it back; false: no quoting makes it one. */
static bool put_database(const char *name, char *text, size_t size) {
  bool plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               strlen(name);
  size_t i;

  for (i = 0; i < sizeof database_words / sizeof database_words[0]; i++)
    plain = plain && strcmp(name, database_words[i]) != 0;
  for (i = 0; name[i] != '\0'; i++)
    if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '"')
      return false;
  /* From PostgreSQL 16 on a regular expression, in quotes as well. */
  if (name[0] == '/')
    return false;
  return snprintf(text, size, plain ? "%s" : "\"%s\"", name) < (int)size;
}

/*
 * The argument config= as Linux-PAM reads it back, with the blank before it; false: neither as it
 * is nor in brackets can it stand there. The module takes an absolute path only: PostgreSQL's
 * processes have a folder of their own.
 */
static bool put_config(const char *config, char *text, size_t size) {
  char absolute[PATH_MAX];
  size_t i;

  if (strcmp(config, CONFIG_DEFAULT) == 0)
    return snprintf(text, size, "%s", "") == 0;
  if (*config != '/' && realpath(config, absolute) != NULL)
    config = absolute;
  for (i = 0; config[i] != '\0'; i++)
    if ((unsigned char)config[i] < 0x20 || strchr("#\\]", config[i]) != NULL)
      return false;
  return snprintf(text, size, strchr(config, ' ') != NULL ? " [config=%s]" : " config=%s", config) <
         (int)size;
}

static void print_pam(const char *config, const char *pam_name, const char *service) {
  printf("# /etc/pam.d/%s\n", pam_name);
  printf("auth     required  pam_cortex.so service=%s%s\n", service, config);
  printf("account  required  pam_cortex.so service=%s%s\n", service, config);
}

/* The line by which a login's role is made, above all that could take it for somebody else. */
static void print_maker(const struct cortex_settings *settings, int width, int user_width) {
  char name[256], database[256], server[256];

  if (!jit_word(settings, "dbname", name, sizeof name) ||
      !put_database(name, database, sizeof database) ||
      !jit_word(settings, "requirepeer", server, sizeof server))
    return;
  printf("# roles are made by this line, and this one of pg_ident.conf: cortex  %s  cortex_jit\n",
         server);
  printf("%-8s  %-*s  %-*s  %-12s  %s\n", "local", width, database, user_width, "cortex_jit", "",
         "peer map=cortex");
}

/* In this order: the first line that fits decides. */
static void print_hba(const struct cortex_settings *settings, const char *pam_name,
                      const char *database) {
  int width = (int)strlen(database) > 11 ? (int)strlen(database) : 11;
  int user_width = 15;

  printf("\n# pg_hba.conf, in this order\n");
  printf("# %-6s  %-*s  %-*s  %-12s  %s\n", "TYPE", width, "DATABASE", user_width, "USER",
         "ADDRESS", "METHOD");
  print_maker(settings, width, user_width);
  printf("%-8s  %-*s  %-*s  %-12s  %s\n", "local", width, "all", user_width, "postgres", "",
         "peer");
  printf("%-8s  %-*s  %-*s  %-12s  %s\n", "local", width, "replication", user_width, "postgres", "",
         "peer");
  printf("# replication and monitoring come here, above all that is Cortex's, such as\n");
  printf("# hostssl  replication  replicator  10.0.0.0/8  scram-sha-256\n");
  printf("# hostssl  postgres     monitoring  10.0.0.0/8  scram-sha-256\n");
  printf("%-8s  %-*s  %-*s  %-12s  pam pamservice=%s\n", "hostssl", width, database, user_width,
         jit_is_on(settings) ? "all" : "+cortex_managed", "all", pam_name);
  printf("# the lines of other services come here\n");
  printf("%-8s  %-*s  %-*s  %-12s  %s\n", "local", width, "all", user_width, "all", "", "reject");
  printf("%-8s  %-*s  %-*s  %-12s  %s\n", "host", width, "all", user_width, "all", "all", "reject");
}

static enum cli_exit render(const char *config, const struct cortex_settings *settings,
                            const struct cortex_service *service) {
  char pam_name[256], database[256], argument[PATH_MAX + sizeof " [config=]"];

  if (!pam_file_name(service->name, pam_name, sizeof pam_name)) {
    cli_complain("the service's name \"%s\" cannot be that of a file in /etc/pam.d", service->name);
    return CLI_USAGE;
  }
  if (!put_database(service->database, database, sizeof database)) {
    cli_complain("the database's name \"%s\" cannot stand in pg_hba.conf", service->database);
    return CLI_USAGE;
  }
  if (!put_config(config, argument, sizeof argument)) {
    cli_complain("the configuration's path %s cannot stand in a PAM file", config);
    return CLI_USAGE;
  }
  print_pam(argument, pam_name, service->name);
  print_hba(settings, pam_name, database);
  return CLI_DONE;
}

static enum cli_exit run(const struct cli *cli) {
  const char *config = cli_value_or(cli, "config", CONFIG_DEFAULT);
  struct cortex_settings *settings = NULL;
  struct cortex_policy *policy = NULL;
  struct cortex_service service;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (cortex_settings_load(config, &settings, &error) != CORTEX_OK ||
      cortex_policy_load(settings, &policy, &error) != CORTEX_OK)
    cli_complain_error(&error);
  else if (!cortex_policy_find_service(policy, cli->operands[0], &service))
    cli_complain("the entities file has no Service::\"%s\"", cli->operands[0]);
  else
    code = render(config, settings, &service);
  cortex_policy_free(&policy);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {0},
};

const struct cli_verb cmd_service_render = {
    "service render", "NAME", 1, 1, "print a service's PAM file and pg_hba.conf lines",
    options,          run};
