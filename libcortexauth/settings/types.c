/*
 * The types of values in cortex.conf.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "settings/table.h"
#include "util/ini.h"
#include "util/private_key.h"
#include "util/text.h"

#define REFUSE(...) cx_error_set(error, CORTEX_CONFIG_INVALID, __VA_ARGS__)

static void clear_text(void *member) {
  char **text = member;

  free(*text);
  *text = NULL;
}

static void clear_nothing(void *member) {
  (void)member;
}

static enum cortex_reason store_text(char **member, const char *text, struct cortex_error *error) {
  *member = strdup(text);
  return *member != NULL ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason parse_text(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  return reason == CORTEX_OK ? store_text(member, value, error) : reason;
}

static enum cortex_reason parse_path(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);
  char path[CX_INI_LINE_MAX];
  int len;

  if (reason != CORTEX_OK)
    return reason;
  if (value[0] == '/')
    return store_text(member, value, error);
  len = snprintf(path, sizeof path, "%s/%s", folder, value);
  if (len < 0 || (size_t)len >= sizeof path)
    return REFUSE("the path is too long");
  return store_text(member, path, error);
}

/* A login must not find out later that the operator's key cannot be used. */
static enum cortex_reason parse_private_key(char *value, const char *folder, void *member,
                                            struct cortex_error *error) {
  enum cortex_reason reason = parse_path(value, folder, member, error);

  return reason == CORTEX_OK ? cx_private_key_check(*(char **)member, CX_OPENS_TOKENS, error)
                             : reason;
}

static enum cortex_reason parse_saml_private_key(char *value, const char *folder, void *member,
                                                 struct cortex_error *error) {
  enum cortex_reason reason = parse_path(value, folder, member, error);

  return reason == CORTEX_OK ? cx_private_key_check(*(char **)member, CX_OPENS_ASSERTIONS, error)
                             : reason;
}

static enum cortex_reason parse_url(char *value, const char *folder, void *member,
                                    struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  if (reason != CORTEX_OK)
    return reason;
  if (!cx_text_is_trusted_url(value))
    return REFUSE("expected an https URL, or http to a loopback host");
  return store_text(member, value, error);
}

static enum cortex_reason parse_list(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  char *cursor = value, *item = NULL;
  enum cortex_reason reason;

  (void)folder;
  while (cursor != NULL) {
    reason = cx_ini_split(&cursor, &item, error);
    if (reason != CORTEX_OK)
      return reason;
    if (!cx_list_append(member, item, strlen(item)))
      return cx_error_memory(error);
  }
  return CORTEX_OK;
}

/* A star that stands elsewhere would be taken for a part of one name, and protect nothing. */
static enum cortex_reason parse_protected(char *value, const char *folder, void *member,
                                          struct cortex_error *error) {
  const struct cx_list *list = member;
  enum cortex_reason reason = parse_list(value, folder, member, error);
  const char *star;
  size_t i;

  for (i = 0; reason == CORTEX_OK && i < list->count; i++) {
    star = strchr(list->items[i], '*');
    if (star != NULL && star[1] != '\0')
      return REFUSE("\"%s\" has a \"*\" that is not at its end", list->items[i]);
  }
  return reason;
}

static void clear_list(void *member) {
  cx_list_clear(member);
}

/* A list of names out of those that are known. */
static enum cortex_reason parse_known(char *value, const char *folder, void *member,
                                      const char *known, struct cortex_error *error) {
  struct cx_list *list = member;
  enum cortex_reason reason = parse_list(value, folder, member, error);
  size_t i;

  for (i = 0; reason == CORTEX_OK && i < list->count; i++)
    if (cx_text_place(known, list->items[i]) < 0)
      return REFUSE("\"%s\" is not one of %s", list->items[i], known);
  return reason;
}

static enum cortex_reason parse_algorithms(char *value, const char *folder, void *member,
                                           struct cortex_error *error) {
  return parse_known(value, folder, member,
                     "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA", error);
}

/* RFC 9231 2.3.2, 2.3.6: the names of JWS for the same keys and hashes, which read better than URIs. */
static enum cortex_reason parse_saml_algorithms(char *value, const char *folder, void *member,
                                                struct cortex_error *error) {
  return parse_known(value, folder, member, "RS256, RS384, RS512, ES256, ES384, ES512", error);
}

static enum cortex_reason choose(char *value, const char *names, int *index_out,
                                 struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);
  int index;

  if (reason != CORTEX_OK)
    return reason;
  index = cx_text_place(names, value);
  if (index < 0)
    return REFUSE("expected one of: %s", names);
  *index_out = index;
  return CORTEX_OK;
}

static enum cortex_reason parse_bool(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  int index = 0;
  enum cortex_reason reason = choose(value, "no, yes", &index, error);

  (void)folder;
  *(bool *)member = index == 1;
  return reason;
}

static enum cortex_reason parse_case(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  int index = 0;
  enum cortex_reason reason = choose(value, "exact, lower", &index, error);

  (void)folder;
  *(bool *)member = index == 1;
  return reason;
}

static enum cortex_reason parse_token_use(char *value, const char *folder, void *member,
                                          struct cortex_error *error) {
  static const enum cx_token_use uses[] = {CX_TOKEN_ANY, CX_TOKEN_ID, CX_TOKEN_ACCESS};
  int index = 0;
  enum cortex_reason reason = choose(value, "any, id, access", &index, error);

  (void)folder;
  *(enum cx_token_use *)member = uses[index];
  return reason;
}

/* A word of a labelled section, which keeps the text alone. */
static enum cortex_reason check_word(char *value, const char *names, struct cortex_error *error) {
  int index = 0;

  return choose(value, names, &index, error);
}

static enum cortex_reason parse_directory_kind(char *value, const char *folder, void *member,
                                               struct cortex_error *error) {
  (void)folder;
  (void)member;
  return check_word(value, "file, ldap, scim", error);
}

static enum cortex_reason parse_bind(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  (void)folder;
  (void)member;
  return check_word(value, "simple, gssapi, external", error);
}

static enum cortex_reason parse_member_value(char *value, const char *folder, void *member,
                                             struct cortex_error *error) {
  (void)folder;
  (void)member;
  return check_word(value, "dn, name", error);
}

static enum cortex_reason parse_facility(char *value, const char *folder, void *member,
                                         struct cortex_error *error) {
  static const char names[] = "authpriv, auth, daemon, user, local0, local1, local2, local3, "
                              "local4, local5, local6, local7";
  static const int facilities[] = {LOG_AUTHPRIV, LOG_AUTH,   LOG_DAEMON, LOG_USER,
                                   LOG_LOCAL0,   LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                                   LOG_LOCAL4,   LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
  int index = 0;
  enum cortex_reason reason = choose(value, names, &index, error);

  (void)folder;
  *(int *)member = LOG_FAC(facilities[index]);
  return reason;
}

static enum cortex_reason parse_duration(char *value, const char *folder, void *member,
                                         struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  if (reason == CORTEX_OK &&
      (!cx_text_parse_duration(value, member) || *(int64_t *)member > CX_SETTINGS_DURATION_MAX))
    return REFUSE("expected a duration such as 90, 10m or 1d2h30m10s");
  return reason;
}

static enum cortex_reason parse_skew(char *value, const char *folder, void *member,
                                     struct cortex_error *error) {
  enum cortex_reason reason = parse_duration(value, folder, member, error);

  if (reason == CORTEX_OK && *(int64_t *)member > 600)
    return REFUSE("the clock may be off by at most 10m");
  return reason;
}

/* 0 would not mean "without end": each session would be over as it begins. */
static enum cortex_reason parse_session_length(char *value, const char *folder, void *member,
                                               struct cortex_error *error) {
  enum cortex_reason reason = parse_duration(value, folder, member, error);

  if (reason == CORTEX_OK && *(int64_t *)member == 0)
    return REFUSE("a session is longer than 0; expected a duration such as 8h");
  return reason;
}

static enum cortex_reason parse_count(char *value, const char *folder, void *member,
                                      struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  if (reason == CORTEX_OK &&
      (!cx_text_parse_count(value, 1000000000, member) || *(int64_t *)member == 0))
    return REFUSE("expected a whole number from 1 to 1000000000");
  return reason;
}

/* No "/" or ".": these set a namespace apart from the name behind it. */
static enum cortex_reason parse_namespace(char *value, const char *folder, void *member,
                                          struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);

  (void)folder;
  if (reason != CORTEX_OK)
    return reason;
  if (strpbrk(value, "/.") != NULL || strlen(value) > 32 ||
      cx_text_has_control(value, strlen(value)))
    return REFUSE("a namespace has at most 32 bytes, no \"/\", \".\" or control character");
  return store_text(member, value, error);
}

const struct cx_type cx_type_text = {"text", parse_text, clear_text};
const struct cx_type cx_type_path = {"path", parse_path, clear_text};
const struct cx_type cx_type_private_key = {"path", parse_private_key, clear_text};
const struct cx_type cx_type_saml_private_key = {"path", parse_saml_private_key, clear_text};
const struct cx_type cx_type_url = {"url", parse_url, clear_text};
const struct cx_type cx_type_list = {"list", parse_list, clear_list};
const struct cx_type cx_type_protected = {"list", parse_protected, clear_list};
const struct cx_type cx_type_algorithms = {"list", parse_algorithms, clear_list};
const struct cx_type cx_type_saml_algorithms = {"list", parse_saml_algorithms, clear_list};
const struct cx_type cx_type_bool = {"boolean", parse_bool, clear_nothing};
const struct cx_type cx_type_case = {"exact | lower", parse_case, clear_nothing};
const struct cx_type cx_type_token_use = {"id | access | any", parse_token_use, clear_nothing};
const struct cx_type cx_type_directory_kind = {"file | ldap | scim", parse_directory_kind,
                                               clear_nothing};
const struct cx_type cx_type_bind = {"simple | gssapi | external", parse_bind, clear_nothing};
const struct cx_type cx_type_member_value = {"dn | name", parse_member_value, clear_nothing};
const struct cx_type cx_type_facility = {"facility", parse_facility, clear_nothing};
const struct cx_type cx_type_duration = {"duration", parse_duration, clear_nothing};
const struct cx_type cx_type_session_length = {"duration", parse_session_length, clear_nothing};
const struct cx_type cx_type_skew = {"duration", parse_skew, clear_nothing};
const struct cx_type cx_type_count = {"number", parse_count, clear_nothing};
const struct cx_type cx_type_namespace = {"name", parse_namespace, clear_text};
