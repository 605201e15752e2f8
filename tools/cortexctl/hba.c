/*
 * The lines of pg_hba.conf as the server reads them, and which of them a login meets.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "hba.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *row, const char *member) {
  return json_string_value(json_object_get(row, member));
}

struct hba *hba_new(json_t *rows) {
  struct hba *hba = calloc(1, sizeof *hba);
  const json_t *row;
  size_t i;

  if (hba != NULL)
    hba->rules = calloc(json_array_size(rows) + 1, sizeof *hba->rules);
  if (hba == NULL || hba->rules == NULL) {
    json_decref(rows);
    free(hba);
    return NULL;
  }
  hba->rows = rows;
  hba->count = json_array_size(rows);
  json_array_foreach(rows, i, row) {
    hba->rules[i] = (struct hba_rule){
        .file = text_of(row, "file_name"),
        .line = (unsigned)json_integer_value(json_object_get(row, "line_number")),
        .type = text_of(row, "type") != NULL ? text_of(row, "type") : "",
        .databases = json_object_get(row, "database"),
        .users = json_object_get(row, "user_name"),
        .address = text_of(row, "address"),
        .netmask = text_of(row, "netmask"),
        .method = text_of(row, "auth_method") != NULL ? text_of(row, "auth_method") : "",
        .options = json_object_get(row, "options"),
        .error = text_of(row, "error"),
    };
  }
  return hba;
}

void hba_free(struct hba **hba) {
  if (*hba == NULL)
    return;
  json_decref((*hba)->rows);
  free((*hba)->rules);
  free(*hba);
  *hba = NULL;
}

const char *hba_option(const struct hba_rule *rule, const char *name) {
  size_t i, len = strlen(name);
  const json_t *option;

  json_array_foreach(rule->options, i, option) {
    const char *text = json_string_value(option);

    if (text != NULL && strncmp(text, name, len) == 0 && text[len] == '=')
      return text + len + 1;
  }
  return NULL;
}

/* ---- names ---- */

bool hba_has(const json_t *list, const char *item) {
  const json_t *entry;
  size_t i;

  json_array_foreach(list, i, entry) {
    if (json_string_value(entry) != NULL && strcmp(json_string_value(entry), item) == 0)
      return true;
  }
  return false;
}

/* "+group" fits its members; a pattern (since 16) may fit anybody. */
bool hba_fits_user(const struct hba_rule *rule, const struct hba_role *role) {
  const json_t *entry;
  size_t i;

  json_array_foreach(rule->users, i, entry) {
    const char *text = json_string_value(entry);

    if (text == NULL)
      continue;
    if (strcmp(text, "all") == 0 || strcmp(text, role->name) == 0 || *text == '/')
      return true;
    if (*text == '+' && (strcmp(text + 1, role->name) == 0 || hba_has(role->groups, text + 1)))
      return true;
  }
  return false;
}

bool hba_fits_database(const struct hba_rule *rule, const char *database, const char *role) {
  const json_t *entry;
  size_t i;

  json_array_foreach(rule->databases, i, entry) {
    const char *text = json_string_value(entry);

    if (text == NULL || strcmp(text, "replication") == 0)
      continue;
    if (strcmp(text, "all") == 0 || strcmp(text, database) == 0 || *text == '/' ||
        strncmp(text, "same", 4) == 0)
      return strcmp(text, "sameuser") != 0 || strcmp(database, role) == 0;
  }
  return false;
}

static bool covers_names(const json_t *list, const json_t *other) {
  const json_t *entry;
  size_t i;

  if (hba_has(list, "all"))
    return true;
  json_array_foreach(other, i, entry) {
    if (json_string_value(entry) == NULL || !hba_has(list, json_string_value(entry)))
      return false;
  }
  return true;
}

bool hba_covers_databases(const struct hba_rule *rule, const struct hba_rule *other) {
  return covers_names(rule->databases, other->databases);
}

bool hba_covers_users(const struct hba_rule *rule, const struct hba_rule *other) {
  return covers_names(rule->users, other->users);
}

/* ---- types and addresses ---- */

static bool covers_type(const char *type, const char *other) {
  if (strcmp(type, "local") == 0 || strcmp(other, "local") == 0)
    return strcmp(type, other) == 0;
  return strcmp(type, "host") == 0 || strcmp(type, other) == 0;
}

struct network {
  unsigned char address[16];
  unsigned char mask[16];
  size_t len; /* 0: a name, or none */
};

static struct network read_network(const struct hba_rule *rule) {
  struct network network = {.len = 0};

  if (rule->address == NULL || rule->netmask == NULL)
    return network;
  if (inet_pton(AF_INET, rule->address, network.address) == 1 &&
      inet_pton(AF_INET, rule->netmask, network.mask) == 1)
    network.len = 4;
  else if (inet_pton(AF_INET6, rule->address, network.address) == 1 &&
           inet_pton(AF_INET6, rule->netmask, network.mask) == 1)
    network.len = 16;
  return network;
}

static bool covers_address(const struct hba_rule *rule, const struct hba_rule *other) {
  const struct network own = read_network(rule), its = read_network(other);
  size_t i;

  if (rule->address == NULL || other->address == NULL)
    return rule->address == other->address;
  if (strcmp(rule->address, "all") == 0)
    return true;
  if (own.len == 0 || own.len != its.len)
    return strcmp(rule->address, other->address) == 0;
  for (i = 0; i < own.len; i++)
    if ((own.mask[i] & ~its.mask[i]) != 0 ||
        (own.address[i] & own.mask[i]) != (its.address[i] & own.mask[i]))
      return false;
  return true;
}

bool hba_covers(const struct hba_rule *rule, const struct hba_rule *other) {
  return covers_type(rule->type, other->type) && covers_address(rule, other);
}

bool hba_overlaps(const struct hba_rule *rule, const struct hba_rule *other) {
  return (covers_type(rule->type, other->type) || covers_type(other->type, rule->type)) &&
         (covers_address(rule, other) || covers_address(other, rule));
}
