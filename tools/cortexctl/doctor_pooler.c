/*
 * The pooler's part of cortexctl doctor: what a PgBouncer in front does to tokens.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hba.h"

#define BLANKS " \t\r\n"

/* What its file says, as far as tokens are concerned. */
struct pooler {
  bool asks_pam;
  unsigned line;       /* of auth_type */
  unsigned forwarding; /* a line of [databases] without a fixed user; 0: there is none */
};

/* A line of KEY = VALUE; false for anything else. Both are cut out of the line. */
static bool split(char *line, char **key_out, char **value_out) {
  char *equals = strchr(line, '=');

  if (equals == NULL || strchr(";#[%", *line) != NULL)
    return false;
  *equals = '\0';
  *key_out = line + strspn(line, BLANKS);
  *value_out = equals + 1 + strspn(equals + 1, BLANKS);
  (*key_out)[strcspn(*key_out, BLANKS)] = '\0';
  (*value_out)[strcspn(*value_out, "\r\n")] = '\0';
  return true;
}

static bool pooler_read(const char *path, struct pooler *pooler_out) {
  FILE *file = fopen(path, "re");
  bool in_databases = false;
  char *line = NULL, *key, *value;
  size_t room = 0;
  unsigned number = 0;

  *pooler_out = (struct pooler){.line = 0};
  if (file == NULL)
    return false;
  while (getline(&line, &room, file) > 0) {
    number++;
    if (*line == '[')
      in_databases = strncmp(line, "[databases]", 11) == 0;
    else if (!split(line, &key, &value))
      continue;
    else if (in_databases && strstr(value, "user=") == NULL)
      pooler_out->forwarding = number;
    else if (!in_databases && strcmp(key, "auth_type") == 0) {
      pooler_out->asks_pam = strncmp(value, "pam", 3) == 0;
      pooler_out->line = number;
    }
  }
  free(line);
  fclose(file);
  return true;
}

/* The pooler has a line of its own: it proves itself by its certificate, not with people's tokens.
 */
static bool is_let_in_by_certificate(const struct hba *hba) {
  size_t i;

  for (i = 0; i < hba->count; i++)
    if (strcmp(hba->rules[i].method, "cert") == 0 ||
        hba_option(&hba->rules[i], "clientcert") != NULL)
      return true;
  return false;
}

void doctor_pooler(struct doctor *doctor) {
  const char *path = doctor->pooler_file;
  struct pooler pooler;

  if (!pooler_read(path, &pooler) || !pooler.asks_pam)
    return;
  check_find(&doctor->check, CHECK_POOLER_TRUNCATES, (struct check_place){path, pooler.line, 0},
             "auth_type = pam");
  if (doctor->hba != NULL && pooler.forwarding != 0 && !is_let_in_by_certificate(doctor->hba))
    check_find(&doctor->check, CHECK_POOLER_FORWARDS,
               (struct check_place){path, pooler.forwarding, 0},
               "people's tokens are sent on to the server, which asks Cortex again");
}
