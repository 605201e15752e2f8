/*
 * What a [directory "LABEL"] section needs, by its kind.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "settings/directory.h"

#include <string.h>
#include <strings.h>

#include "settings/section.h"
#include "util/text.h"

static const char *value_of(const struct cx_section_check *checking, const char *key) {
  return cortex_section_value(checking->section, key);
}

static bool has_scheme(const char *url, const char *scheme) {
  return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* The part between scheme and port is this host. */
static bool is_loopback(const char *url) {
  static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
  const char *host = strstr(url, "://") + 3;
  size_t len, i;

  for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
    len = strlen(hosts[i]);
    if (strncasecmp(host, hosts[i], len) == 0 && strchr(":/", host[len]) != NULL)
      return true;
  }
  return false;
}

static enum cortex_reason check_ldap_url(const struct cx_section_check *checking, const char *url) {
  const char *starttls = value_of(checking, "starttls");

  if (has_scheme(url, "ldaps://") || has_scheme(url, "ldapi://"))
    return CORTEX_OK;
  if (!has_scheme(url, "ldap://"))
    return cx_section_refuse(checking, "url", "expected ldap://, ldaps:// or ldapi://");
  if (strcmp(starttls, "no") == 0 && !is_loopback(url))
    return cx_section_refuse(checking, "starttls", "without it only this host may be asked by ldap://");
  return CORTEX_OK;
}

/* BASE?SCOPE?FILTER */
static bool is_search(const char *text) {
  const char *scope = strchr(text, '?');
  size_t len = scope != NULL ? strcspn(scope + 1, "?") : 0;

  return len == 0 ||
         (len == 3 && (strncmp(scope + 1, "sub", 3) == 0 || strncmp(scope + 1, "one", 3) == 0)) ||
         (len == 4 && strncmp(scope + 1, "base", 4) == 0);
}

static enum cortex_reason check_searches(const struct cx_section_check *checking, const char *key) {
  const char *text;
  size_t cursor = 0;

  while ((text = cortex_section_next(checking->section, key, &cursor)) != NULL)
    if (!is_search(text))
      return cx_section_refuse(checking, key, "expected BASE?SCOPE?FILTER with scope sub, one or base");
  return CORTEX_OK;
}

static enum cortex_reason check_ldap(const struct cx_section_check *checking) {
  static const char *const keys[] = {"url", "users", "groups", "username_attribute"};
  char urls[4096], *url, *rest = NULL;
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (value_of(checking, keys[i]) == NULL)
      return cx_section_refuse(checking, keys[i], "kind = ldap needs this key");
  if (value_of(checking, "bind_dn") != NULL && value_of(checking, "password_file") == NULL)
    return cx_section_refuse(checking, "bind_dn", "password_file is missing");
  if (strlen(value_of(checking, "url")) >= sizeof urls)
    return cx_section_refuse(checking, "url", "the list is too long");
  memcpy(urls, value_of(checking, "url"), strlen(value_of(checking, "url")) + 1);
  for (url = strtok_r(urls, "\n", &rest); reason == CORTEX_OK && url != NULL;
       url = strtok_r(NULL, "\n", &rest))
    reason = check_ldap_url(checking, url);
  if (reason == CORTEX_OK)
    reason = check_searches(checking, "users");
  if (reason == CORTEX_OK)
    reason = check_searches(checking, "groups");
  return reason;
}

static enum cortex_reason check_scim(const struct cx_section_check *checking) {
  const char *url = value_of(checking, "url");

  if (url == NULL || value_of(checking, "token_file") == NULL)
    return cx_section_refuse(checking, url == NULL ? "url" : "token_file", "kind = scim needs this key");
  if (strchr(url, '\n') != NULL || !cx_text_is_trusted_url(url))
    return cx_section_refuse(checking, "url", "expected one https URL, or http to a loopback host");
  return CORTEX_OK;
}

static enum cortex_reason check_file(const struct cx_section_check *checking) {
  return value_of(checking, "path") != NULL
             ? CORTEX_OK
             : cx_section_refuse(checking, "path", "kind = file needs this key");
}

static enum cortex_reason check_directory(const struct cx_section_check *checking) {
  const char *kind = value_of(checking, "kind");

  if (strcmp(kind, "ldap") == 0)
    return check_ldap(checking);
  return strcmp(kind, "scim") == 0 ? check_scim(checking) : check_file(checking);
}

enum cortex_reason cx_directories_check(const struct cortex_settings *settings,
                                        struct cortex_error *error) {
  struct cx_section_check checking = {settings, NULL, error};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; reason == CORTEX_OK && i < settings->section_count; i++) {
    checking.section = &settings->sections[i];
    if (strcmp(checking.section->kind, "directory") == 0)
      reason = check_directory(&checking);
  }
  return reason;
}
