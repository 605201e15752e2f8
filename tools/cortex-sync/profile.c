/*
 * Profiles: which privileges a group role gets on what kind of object.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KINDS 5

/* Keys of a section, and what the extension calls such an object. */
static const char *const keys[KINDS] = {"database", "schemas", "tables", "sequences", "functions"};
static const char *const kinds[KINDS] = {"database", "schema", "table", "sequence", "function"};

/* Items end with a newline, as the settings give lists. */
struct profile {
  const char *name;
  const char *privileges[KINDS];
};

static const struct profile built_in[] = {
    {"read", {"CONNECT", "USAGE", "SELECT", "SELECT", NULL}},
    {"write",
     {"CONNECT", "USAGE", "SELECT\nINSERT\nUPDATE\nDELETE", "USAGE\nSELECT\nUPDATE", "EXECUTE"}},
    {"admin",
     {"CONNECT\nTEMPORARY", "USAGE\nCREATE",
      "SELECT\nINSERT\nUPDATE\nDELETE\nTRUNCATE\nREFERENCES", "USAGE\nSELECT\nUPDATE",
      "EXECUTE"}},
};

struct putting {
  const struct database_run *run;
  struct model *model;
  struct pg_array *arrays;
};

static bool is_called(const char *name, const char *text, size_t len) {
  return strlen(name) == len && strncmp(name, text, len) == 0;
}

/* The operator's section comes before what is built in. */
static struct profile find(const struct cortex_settings *settings, const char *name, size_t len) {
  struct profile profile = {0};
  const struct cortex_section *section;
  size_t i, kind;

  for (i = 0; (section = cortex_settings_section(settings, i)) != NULL; i++) {
    if (strcmp(cortex_section_kind(section), "profile") != 0 ||
        !is_called(cortex_section_label(section), name, len))
      continue;
    profile.name = cortex_section_label(section);
    for (kind = 0; kind < KINDS; kind++)
      profile.privileges[kind] = cortex_section_value(section, keys[kind]);
    return profile;
  }
  for (i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
    if (is_called(built_in[i].name, name, len))
      profile = built_in[i];
  return profile;
}

static void put_profile(const struct putting *putting, const struct profile *profile,
                        const char *role) {
  char item[32];
  size_t kind, len;

  for (kind = 0; kind < KINDS; kind++) {
    const char *at = profile->privileges[kind];

    for (; at != NULL && *at != '\0'; at += len + (at[len] == '\n')) {
      len = strcspn(at, "\n");
      snprintf(item, sizeof item, "%.*s", (int)len, at);
      pg_array_put(&putting->arrays[0], role);
      pg_array_put(&putting->arrays[1], kinds[kind]);
      pg_array_put(&putting->arrays[2], item);
    }
  }
}

static bool is_group(const struct model *model, const char *name) {
  uint32_t number = names_find(&model->names, name, strlen(name));
  const struct role *role = number != NAMES_NONE ? &model->roles[number] : NULL;

  return role != NULL && (role->kind == ROLE_GROUP ||
                          (role->kind == ROLE_ABSENT && role->wish == WISH_GROUP));
}

/* PROFILE: ROLE, ROLE */
static bool put_grant(const struct putting *putting, const char *grant) {
  const struct profile profile = find(putting->run->settings, grant, strcspn(grant, ":"));
  const char *at = strchr(grant, ':');
  char role[256];

  while (at != NULL) {
    size_t len;

    at += 1 + strspn(at + 1, " \t");
    len = strcspn(at, ",");
    snprintf(role, sizeof role, "%.*s", (int)len, at);
    for (len = strlen(role); len > 0 && strchr(" \t", role[len - 1]) != NULL; len--)
      role[len - 1] = '\0';
    if (is_group(putting->model, role))
      put_profile(putting, &profile, role);
    else
      rejections_put(&putting->model->rejections, role,
                     "a [database] section gives it a profile, but it is no group role of Cortex");
    at = strchr(at, ',');
  }
  return !putting->model->rejections.failed;
}

static bool is_here(const struct database_run *run, const struct cortex_service *service,
                    const char *database) {
  char place[600];

  snprintf(place, sizeof place, "%s:%" PRId64, service->host, service->port);
  return strcmp(service->database, database) == 0 &&
         (run->cluster == NULL || strcmp(run->cluster, place) == 0);
}

/* The roles of a level get the profile of its name. */
static void put_levels(const struct putting *putting, const char *database) {
  const struct cortex_policy *policy = putting->run->policy;
  struct cortex_service service;
  const char *role;
  size_t i, j;
  int level;

  for (i = 0; cortex_policy_service(policy, i, &service); i++)
    for (level = 0; is_here(putting->run, &service, database) && level < 3; level++) {
      const char *name = cortex_level_name((enum cortex_level)(1 << level));
      const struct profile profile = find(putting->run->settings, name, strlen(name));

      for (j = 0; (role = cortex_policy_grant(policy, service.name, 1u << level, j)) != NULL; j++)
        if (is_group(putting->model, role))
          put_profile(putting, &profile, role);
    }
}

bool profile_put_rules(const struct database_run *run, const struct database *database,
                       struct model *model, struct pg_array *arrays) {
  const struct putting putting = {run, model, arrays};
  const char *grant;
  size_t cursor = 0;

  if (strcmp(cortex_section_value(database->section, "levels"), "yes") == 0)
    put_levels(&putting, database->name);
  while ((grant = cortex_section_next(database->section, "grant", &cursor)) != NULL)
    if (!put_grant(&putting, grant))
      return false;
  return true;
}
