/*
 * One of an operator's own policy tests, as it stands in a file.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy_case.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cortexauth/decision.h>

static const char *const members[] = {"name", "user",    "groups", "tags",   "service",
                                      "role", "context", "level",  "expect", "policies"};

static bool is_known(const char *name) {
  size_t i;

  for (i = 0; i < sizeof members / sizeof members[0]; i++)
    if (strcmp(members[i], name) == 0)
      return true;
  return false;
}

/* Absent is fine; present must be an array of strings. */
static bool is_list(const json_t *list) {
  const json_t *item;
  size_t i;

  json_array_foreach(list, i, item) {
    if (!json_is_string(item))
      return false;
  }
  return list == NULL || json_is_array(list);
}

static bool is_record_of_lists(json_t *tags) {
  const char *name;
  json_t *list;

  json_object_foreach(tags, name, list) {
    if (!is_list(list))
      return false;
  }
  return tags == NULL || json_is_object(tags);
}

/* What a login's context holds, in JSON; Cedar would pass over any other member. */
static bool is_of_a_login(json_t *context) {
  static const struct {
    char name[20];
    json_type type;
  } known[] = {{"service", JSON_STRING},       {"role", JSON_STRING},
               {"now", JSON_OBJECT},           {"amr", JSON_ARRAY},
               {"scopes", JSON_ARRAY},         {"mfa", JSON_TRUE},
               {"groups_known", JSON_TRUE},    {"address", JSON_OBJECT},
               {"acr", JSON_STRING},           {"authenticated_at", JSON_OBJECT}};
  enum { KNOWN = sizeof known / sizeof known[0] };
  const char *name;
  json_t *value;
  size_t i;

  json_object_foreach(context, name, value) {
    for (i = 0; i < KNOWN && strcmp(known[i].name, name) != 0; i++)
      continue;
    if (i == KNOWN || (json_is_boolean(value) ? JSON_TRUE : json_typeof(value)) != known[i].type)
      return false;
  }
  return true;
}

static bool is_level(const char *name) {
  unsigned level;

  for (level = 1; cortex_level_name(level) != NULL; level <<= 1)
    if (strcmp(cortex_level_name(level), name) == 0)
      return true;
  return false;
}

static const char *text(const json_t *test, const char *name) {
  return json_string_value(json_object_get(test, name));
}

static const char *check_shape(json_t *test) {
  const char *name;
  json_t *value;

  if (!json_is_object(test))
    return "a test is an object";
  json_object_foreach(test, name, value) {
    if (!is_known(name))
      return "a test has no such member; known are name, user, groups, tags, service, role, "
             "context, level, expect, policies";
  }
  if (text(test, "name") == NULL || text(test, "user") == NULL || text(test, "service") == NULL)
    return "name, user and service are needed, as texts";
  if (text(test, "level") == NULL || !is_level(text(test, "level")))
    return "level is read, write, admin or assume";
  if ((strcmp(text(test, "level"), "assume") == 0) != (text(test, "role") != NULL))
    return "role goes with the level assume, and with no other";
  return NULL;
}

const char *policy_case_read(json_t *test, struct policy_case *item_out) {
  const char *wrong = check_shape(test), *expect = wrong == NULL ? text(test, "expect") : NULL;

  if (wrong != NULL)
    return wrong;
  *item_out = (struct policy_case){text(test, "name"),
                                   text(test, "user"),
                                   text(test, "service"),
                                   text(test, "role"),
                                   json_object_get(test, "groups"),
                                   json_object_get(test, "tags"),
                                   json_object_get(test, "policies"),
                                   expect != NULL && strcmp(expect, "allow") == 0};
  if (expect == NULL || (!item_out->allow && strcmp(expect, "deny") != 0))
    return "expect is allow or deny";
  if (!is_list(item_out->groups) || !is_list(item_out->policies))
    return "groups and policies are arrays of texts";
  if (!is_record_of_lists(json_object_get(test, "tags")))
    return "tags is an object of arrays of texts";
  if (json_object_get(test, "context") != NULL && !json_is_object(json_object_get(test, "context")))
    return "context is an object";
  if (!is_of_a_login(json_object_get(test, "context")))
    return "context has a member, or a type of one, that no login has";
  return NULL;
}

/* The context that every login has; the test's own members go over it. */
static json_t *make_context(const json_t *test) {
  const char *role = text(test, "role");
  char now[32] = "";
  time_t seconds = time(NULL);
  struct tm parts;
  json_t *context;

  if (gmtime_r(&seconds, &parts) != NULL)
    strftime(now, sizeof now, "%FT%TZ", &parts);
  context = json_pack("{s:s, s:s, s:{s:{s:s, s:s}}, s:[], s:[], s:b, s:b}", "service",
                      text(test, "service"), "role", role != NULL ? role : text(test, "user"),
                      "now", "__extn", "fn", "datetime", "arg", now, "amr", "scopes", "mfa", 0,
                      "groups_known", json_object_get(test, "groups") != NULL);
  if (context != NULL)
    json_object_update(context, json_object_get(test, "context"));
  return context;
}

json_t *policy_case_request(const json_t *test) {
  const char *role = text(test, "role"), *service = text(test, "service");
  json_t *resource = role != NULL ? json_sprintf("%s/%s", service, role) : json_string(service);

  return json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:o}, s:o}", "principal", "type", "User",
                   "id", text(test, "user"), "action", "type", "Action", "id", text(test, "level"),
                   "resource", "type", role != NULL ? "Role" : "Service", "id", resource, "context",
                   make_context(test));
}

static struct cedar_text cedar_text_of(const json_t *string) {
  return (struct cedar_text){json_string_value(string), json_string_length(string)};
}

static void overlay_tag(struct cedar_request *request, const char *name, const json_t *list) {
  size_t i, count = json_array_size(list);
  struct cedar_text *texts = calloc(count + 1, sizeof *texts);

  for (i = 0; texts != NULL && i < count; i++)
    texts[i] = cedar_text_of(json_array_get(list, i));
  cedar_request_overlay_tag(request, (struct cedar_text){name, strlen(name)},
                            cedar_value_string_set(request, texts, texts != NULL ? count : 0));
  free(texts);
}

void policy_case_overlay(const struct policy_case *item, struct cedar_request *request) {
  const struct cedar_text username = {"username", 8}, group_type = {"Group", 5};
  const struct cedar_text service_type = {"Service", 7};
  const char *name;
  json_t *value;
  size_t i;

  cedar_request_overlay_principal(request);
  cedar_request_overlay_attr(
      request, username,
      cedar_value_string(request, (struct cedar_text){item->user, strlen(item->user)}));
  json_array_foreach(item->groups, i, value) {
    cedar_request_overlay_parent(request,
                                 (struct cedar_uid_text){group_type, cedar_text_of(value)});
  }
  json_object_foreach((json_t *)(uintptr_t)item->tags, name, value) {
    overlay_tag(request, name, value);
  }
  if (item->role != NULL)
    cedar_request_set_resource_parent(
        request, (struct cedar_uid_text){service_type, {item->service, strlen(item->service)}});
}
