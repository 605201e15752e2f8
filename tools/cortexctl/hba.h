/*
 * The lines of pg_hba.conf as the server reads them, and which of them a login meets.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_HBA_H
#define CORTEXCTL_HBA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Strings are borrowed from the rows; lists are JSON arrays of strings. */
struct hba_rule {
  const char *file; /* NULL: the server's main one */
  unsigned line;
  const char *type;
  const json_t *databases;
  const json_t *users;
  const char *address; /* NULL: a Unix socket */
  const char *netmask;
  const char *method;
  const json_t *options;
  const char *error; /* NULL: it can be read */
};

struct hba {
  json_t *rows;
  struct hba_rule *rules; /* in the order the server asks them, broken ones too */
  size_t count;
};

/* Takes the rows of pg_hba_file_rules, as objects, also on failure; NULL without memory. */
struct hba *hba_new(json_t *rows);
void hba_free(struct hba **hba);

/* The value of an option, such as "pamservice"; NULL: it is not given. */
const char *hba_option(const struct hba_rule *rule, const char *name);

/* A role as pg_hba.conf meets it. */
struct hba_role {
  const char *name;
  const json_t *groups; /* NULL: none is known */
};

bool hba_has(const json_t *list, const char *item);
bool hba_fits_user(const struct hba_rule *rule, const struct hba_role *role);
bool hba_fits_database(const struct hba_rule *rule, const char *database, const char *role);

/* Every connection of the type and address of other is one of rule too; and: some are. */
bool hba_covers(const struct hba_rule *rule, const struct hba_rule *other);
bool hba_overlaps(const struct hba_rule *rule, const struct hba_rule *other);

/* Every database, and every user, that other names, is one of rule too. */
bool hba_covers_databases(const struct hba_rule *rule, const struct hba_rule *other);
bool hba_covers_users(const struct hba_rule *rule, const struct hba_rule *other);

#endif
