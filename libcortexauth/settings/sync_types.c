/*
 * The types of values in sections that only cortex-sync reads.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "settings/table.h"
#include "util/ini.h"
#include "util/text.h"

#define REFUSE(...) cx_error_set(error, CORTEX_CONFIG_INVALID, __VA_ARGS__)

/* The value is kept as its text; nothing is made of it here. */
static void clear_nothing(void *member) {
  (void)member;
}

static enum cortex_reason parse_role_kind(char *value, const char *folder, void *member,
                                          struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  (void)member;
  if (reason == CORTEX_OK && strcmp(value, "group") != 0 && strcmp(value, "login") != 0 &&
      strcmp(value, "people") != 0)
    return REFUSE("expected one of: group, login, people");
  return reason;
}

static enum cortex_reason parse_role_limit(char *value, const char *folder, void *member,
                                           struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);
  int64_t count;

  (void)folder;
  (void)member;
  if (reason == CORTEX_OK && strcmp(value, "unlimited") != 0 &&
      !cx_text_parse_count(value, 1000000, &count))
    return REFUSE("expected a whole number from 0 to 1000000, or unlimited");
  return reason;
}

/* The text has the form, where 9 stands for any digit; the rest of it is left in *text. */
static bool skip_form(const char **text, const char *form) {
  const char *at = *text;

  for (; *form != '\0'; form++, at++)
    if (*form == '9' ? *at < '0' || *at > '9' : *at != *form)
      return false;
  *text = at;
  return true;
}

/* The two digits are a number from first to last. */
static bool is_between(const char *digits, int first, int last) {
  int number = (digits[0] - '0') * 10 + digits[1] - '0';

  return first <= number && number <= last;
}

/* A day that the calendar has: what the server cannot read would stop the whole run there. */
static bool is_day(const char *text) {
  static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool is_century = text[2] == '0' && text[3] == '0';
  int quarter =
      is_century ? (text[0] - '0') * 10 + text[1] - '0' : (text[2] - '0') * 10 + text[3] - '0';
  int month = (text[5] - '0') * 10 + text[6] - '0';

  return memcmp(text, "0000", 4) != 0 && month >= 1 && month <= 12 &&
         is_between(text + 8, 1, days[month - 1] + (month == 2 && quarter % 4 == 0));
}

static bool is_clock(const char *text, int hours) {
  return is_between(text, 0, hours) && is_between(text + 3, 0, 59);
}

/* RFC 3339 5.6: a date, or a date and a time with its offset; so no setting of a server matters. */
static bool is_time(const char *text) {
  const char *day = text, *clock, *offset;

  if (!skip_form(&text, "9999-99-99") || !is_day(day))
    return false;
  if (*text == '\0')
    return true;
  clock = text + 1;
  if (!skip_form(&text, "T99:99:99") || !is_clock(clock, 23) || !is_between(clock + 6, 0, 59))
    return false;
  offset = text + 1;
  return strcmp(text, "Z") == 0 || ((skip_form(&text, "+99:99") || skip_form(&text, "-99:99")) &&
                                    *text == '\0' && is_clock(offset, 15));
}

static enum cortex_reason parse_role_time(char *value, const char *folder, void *member,
                                          struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  (void)member;
  if (reason == CORTEX_OK && strcmp(value, "infinity") != 0 && !is_time(value))
    return REFUSE("expected 2027-01-31, 2027-01-31T12:00:00Z or infinity");
  return reason;
}

/* NAME=VALUE; a name of one part: those with a dot belong to modules, which may trust them. */
static enum cortex_reason parse_role_setting(char *value, const char *folder, void *member,
                                             struct cortex_error *error) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  enum cortex_reason reason = cx_ini_unquote(value, error);
  size_t len;

  (void)folder;
  (void)member;
  if (reason != CORTEX_OK)
    return reason;
  len = strspn(value, letters);
  if (len == 0 || len > 63 || value[len] != '=')
    return REFUSE("expected SETTING=VALUE, or SETTING= for the server's own value");
  if (cx_text_has_control(value, strlen(value)))
    return REFUSE("a setting holds no control character");
  return CORTEX_OK;
}

/* PROFILE: ROLE, ROLE */
static enum cortex_reason parse_profile_grant(char *value, const char *folder, void *member,
                                              struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);
  const char *colon;

  (void)folder;
  (void)member;
  if (reason != CORTEX_OK)
    return reason;
  colon = strchr(value, ':');
  if (colon == NULL || colon == value || colon[1 + strspn(colon + 1, " \t")] == '\0')
    return REFUSE("expected PROFILE: ROLE, ROLE");
  return CORTEX_OK;
}

/* Privileges of one kind of object, in capitals as SQL writes them. */
static enum cortex_reason parse_privileges(char *value, struct cx_list *list, const char *known,
                                           struct cortex_error *error) {
  char *cursor = value, *item = NULL;
  enum cortex_reason reason;

  while (cursor != NULL) {
    reason = cx_ini_split(&cursor, &item, error);
    if (reason != CORTEX_OK)
      return reason;
    if (cx_text_place(known, item) < 0)
      return REFUSE("\"%s\" is no privilege on these objects", item);
    if (!cx_list_append(list, item, strlen(item)))
      return cx_error_memory(error);
  }
  return CORTEX_OK;
}

static void clear_list(void *member) {
  cx_list_clear(member);
}

#define PRIVILEGES(kind, known)                                                                    \
  static enum cortex_reason parse_##kind(char *value, const char *folder, void *member,            \
                                         struct cortex_error *error) {                             \
    (void)folder;                                                                                  \
    return parse_privileges(value, member, known, error);                                          \
  }                                                                                                \
  const struct cx_type cx_type_##kind##_privileges = {"list", parse_##kind, clear_list}

PRIVILEGES(database, "CONNECT, TEMPORARY, CREATE");
PRIVILEGES(schema, "USAGE, CREATE");
PRIVILEGES(table, "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER");
PRIVILEGES(sequence, "USAGE, SELECT, UPDATE");
PRIVILEGES(function, "EXECUTE");

const struct cx_type cx_type_role_kind = {"group | login | people", parse_role_kind, clear_nothing};
const struct cx_type cx_type_role_limit = {"number | unlimited", parse_role_limit, clear_nothing};
const struct cx_type cx_type_role_time = {"time", parse_role_time, clear_nothing};
const struct cx_type cx_type_role_setting = {"SETTING=VALUE", parse_role_setting, clear_nothing};
const struct cx_type cx_type_profile_grant = {"PROFILE: ROLES", parse_profile_grant, clear_nothing};
