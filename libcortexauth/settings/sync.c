/*
 * What the sections of cortex-sync say together: [role], [database], [profile].
 * SPDX-License-Identifier: PostgreSQL
 */
#include "settings/sync.h"

#include <string.h>
#include <strings.h>

#include "settings/section.h"

static bool has_section(const struct cx_section_check *checking, const char *kind, const char *label,
                        size_t len) {
  size_t i;

  for (i = 0; i < checking->settings->section_count; i++) {
    const struct cortex_section *section = &checking->settings->sections[i];

    if (strcmp(section->kind, kind) == 0 && strlen(section->label) == len &&
        strncmp(section->label, label, len) == 0)
      return true;
  }
  return false;
}

static enum cortex_reason check_clusters(const struct cx_section_check *checking) {
  const char *label = cortex_section_value(checking->section, "cluster");
  size_t len;

  for (; label != NULL && *label != '\0'; label += len + (label[len] == '\n')) {
    len = strcspn(label, "\n");
    if (!has_section(checking, "cluster", label, len))
      return cx_section_refuse(checking, "cluster", "there is no [cluster] of this label");
  }
  return CORTEX_OK;
}

/* One list has an item of the other; no list at all means everywhere. */
static bool overlaps(const char *left, const char *right) {
  const char *at, *other;
  size_t len, size;

  if (left == NULL || right == NULL)
    return true;
  for (at = left; *at != '\0'; at += len + (at[len] == '\n')) {
    len = strcspn(at, "\n");
    for (other = right; *other != '\0'; other += size + (other[size] == '\n')) {
      size = strcspn(other, "\n");
      if (size == len && strncmp(at, other, len) == 0)
        return true;
    }
  }
  return false;
}

static const char *name_of(const struct cortex_section *section) {
  const char *name = cortex_section_value(section, "name");

  if (strcmp(section->kind, "role") == 0 &&
      strcmp(cortex_section_value(section, "kind"), "people") == 0)
    return "";
  return name != NULL ? name : section->label;
}

/* Two rules for one role, or one database, would undo each other's work. */
static enum cortex_reason check_alone(const struct cx_section_check *checking) {
  const struct cortex_section *section = checking->section, *other;

  for (other = checking->settings->sections; other < section; other++)
    if (strcmp(other->kind, section->kind) == 0 && strcmp(name_of(other), name_of(section)) == 0 &&
        overlaps(cortex_section_value(other, "cluster"), cortex_section_value(section, "cluster")))
      return cx_section_refuse(checking, strcmp(name_of(section), "") == 0 ? "kind" : "name",
                    "an earlier section stands for the same");
  return CORTEX_OK;
}

/* SETTING=VALUE, each setting once. */
static enum cortex_reason check_set(const struct cx_section_check *checking) {
  const char *value, *other;
  size_t cursor = 0, before, len;

  while ((value = cortex_section_next(checking->section, "set", &cursor)) != NULL) {
    len = strcspn(value, "=") + 1;
    before = 0;
    while ((other = cortex_section_next(checking->section, "set", &before)) != value)
      if (strncasecmp(other, value, len) == 0)
        return cx_section_refuse(checking, "set", "a setting stands twice");
  }
  return CORTEX_OK;
}

/* PostgreSQL asks these of a role that logs in, and of no other. */
static enum cortex_reason check_role(const struct cx_section_check *checking) {
  static const char *const of_logins[] = {"inherit", "connection_limit", "valid_until", "set"};
  const char *kind = cortex_section_value(checking->section, "kind");
  size_t i;

  for (i = 0; strcmp(kind, "group") == 0 && i < sizeof of_logins / sizeof of_logins[0]; i++)
    if (cortex_section_value(checking->section, of_logins[i]) != NULL)
      return cx_section_refuse(checking, of_logins[i], "a group role does not log in: the key has no effect");
  if (strcmp(kind, "people") == 0 && cortex_section_value(checking->section, "name") != NULL)
    return cx_section_refuse(checking, "name", "kind = people stands for everybody's own role");
  return check_set(checking);
}

static enum cortex_reason check_database(const struct cx_section_check *checking) {
  static const char *const levels[] = {"read", "write", "admin"};
  const char *grant;
  size_t cursor = 0, len, i;

  while ((grant = cortex_section_next(checking->section, "grant", &cursor)) != NULL) {
    len = strcspn(grant, ":");
    for (i = 0; i < sizeof levels / sizeof levels[0]; i++)
      if (strlen(levels[i]) == len && strncmp(levels[i], grant, len) == 0)
        break;
    if (i == sizeof levels / sizeof levels[0] && !has_section(checking, "profile", grant, len))
      return cx_section_refuse(checking, "grant", "there is no [profile] of this label");
  }
  if (cortex_section_value(checking->section, "grant") != NULL &&
      cortex_section_value(checking->section, "schemas") == NULL)
    return cx_section_refuse(checking, "grant", "schemas is missing: it says on what");
  return CORTEX_OK;
}

enum cortex_reason cx_sync_check(const struct cortex_settings *settings,
                                 struct cortex_error *error) {
  struct cx_section_check checking = {settings, NULL, error};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = 0; reason == CORTEX_OK && i < settings->section_count; i++) {
    checking.section = &settings->sections[i];
    if (strcmp(checking.section->kind, "role") == 0)
      reason = check_role(&checking);
    else if (strcmp(checking.section->kind, "database") == 0)
      reason = check_database(&checking);
    else
      continue;
    if (reason == CORTEX_OK)
      reason = check_clusters(&checking);
    if (reason == CORTEX_OK)
      reason = check_alone(&checking);
  }
  return reason;
}
