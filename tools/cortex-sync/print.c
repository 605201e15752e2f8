/*
 * Plans for people and for programs.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/out.h"
#include "print_database.h"

/* ---- text ---- */

/* Names of others may hold anything: nothing in them may look like another line. */
static void put_name(const char *name) {
  for (; *name != '\0'; name++)
    putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static void put_line(const char *verb, const char *first, const char *word, const char *second) {
  printf("%-9s", verb);
  put_name(first);
  if (second != NULL) {
    printf(" %s ", word);
    put_name(second);
  }
}

static void put_roles(const struct model *model, const char *verb, const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++) {
    put_line(verb, names_text(&model->names, list->items[i]), NULL, NULL);
    putchar('\n');
  }
}

/* Service, level and policy of an edge, from sorted edges that have sources. */
static bool find_source(const struct edges *why, size_t *cursor, const struct edge *edge,
                        uint32_t *source_out) {
  edges_seek(why, cursor, (struct edge){edge->role, edge->member, 0});
  if (*cursor >= why->count || why->items[*cursor].role != edge->role ||
      why->items[*cursor].member != edge->member)
    return false;
  *source_out = why->items[*cursor].source;
  return true;
}

static void put_source(const struct model *model, uint32_t source) {
  int service_len, level_len, policy_len;
  const char *service = source_part(model, source, SOURCE_SERVICE, &service_len);
  const char *level = source_part(model, source, SOURCE_LEVEL, &level_len);
  const char *policy = source_part(model, source, SOURCE_POLICY, &policy_len);

  if (service_len == 0) /* by a rule of the configuration */
    printf("  (%.*s)", policy_len, policy);
  else
    printf("  (%.*s %.*s, policy %.*s)", service_len, service, level_len, level, policy_len,
           policy);
}

static void put_edges(const struct model *model, const char *verb, const char *word,
                      const struct edges *edges, const struct edges *why) {
  size_t i, at = 0;
  uint32_t source;

  for (i = 0; i < edges->count; i++) {
    const struct edge *edge = &edges->items[i];

    put_line(verb, names_text(&model->names, edge->role), word,
             names_text(&model->names, edge->member));
    if (why != NULL && find_source(why, &at, edge, &source))
      put_source(model, source);
    putchar('\n');
  }
}

static void put_attributes(const struct model *model, const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++) {
    const struct attribute *attribute = &model->attributes.items[list->items[i]];

    put_line("set", names_text(&model->names, attribute->role),
             names_text(&model->words, attribute->key), "=");
    putchar(' ');
    put_name(names_text(&model->words, attribute->value));
    if (attribute->have != NAMES_NONE) {
      fputs("  (was ", stdout);
      put_name(names_text(&model->words, attribute->have));
      putchar(')');
    }
    putchar('\n');
  }
}

static void put_rejections(const struct rejections *rejections) {
  size_t i;

  for (i = 0; i < rejections->count; i++) {
    put_line("rejected", rejections->items[i].name, "-", rejections->items[i].why);
    putchar('\n');
  }
}

static size_t count_notes(const struct plan *plan) {
  return plan->note.count + plan->forget.count + plan->people.count + plan->held.count;
}

/* From cron each line is a mail. */
static bool is_news(const struct print_result *result) {
  return result->is_applied || result->is_refused || !plan_is_empty(result->plan) ||
         result->model->rejections.count + result->plan->refused.count > 0;
}

static void put_sum(const struct print_result *result) {
  const struct model *model = result->model;
  const struct plan *plan = result->plan;
  const struct valve *valve = result->valve;
  size_t i;

  for (i = 0; result->is_refused && i < valve->count; i++)
    printf("refused  %s\n", valve->why[i]);
  if (result->is_refused)
    printf("refused  %zu logins and memberships would be lost; if that is right, once: "
           "--allow-removals=%zu\n",
           valve->removals, valve->removals);
  if (result->cluster != NULL)
    printf("cluster %s: ", result->cluster);
  printf("%s: %zu people; roles: %zu to create, %zu to restore, %zu to cut; memberships: %zu to "
         "grant, %zu to revoke; attributes: %zu to set; notes: %zu; left to logins: %zu; rejected: %zu\n",
         result->is_applied    ? "applied"
         : plan_is_empty(plan) ? "in sync"
         : result->is_refused  ? "refused"
                               : "differs",
         model->people, plan->groups.count + plan->logins.count, plan->restore.count,
         plan->cut.count, plan->grant.count, plan->revoke.count + plan->cut_edges.count,
         plan->attributes.count, count_notes(plan), model->conditional,
         model->rejections.count + plan->refused.count);
}

static void put_ended(const struct model *model, const struct ended_list *ended) {
  size_t i;

  for (i = 0; ended != NULL && i < ended->count; i++) {
    put_line("ended", model_name(model, ended->items[i].role), NULL, NULL);
    printf(" (backend %lld)\n", (long long)ended->items[i].pid);
  }
}

bool print_text(const struct print_result *result, bool brief) {
  const struct model *model = result->model;
  const struct plan *plan = result->plan;

  if (!brief) {
    put_edges(model, "rename", "was", &plan->rename, NULL);
    put_roles(model, "cut", &plan->cut);
    put_edges(model, "revoke", "from", &plan->revoke, &plan->forget);
    put_edges(model, "revoke", "from", &plan->cut_edges, &plan->forget);
    put_roles(model, "create", &plan->groups);
    put_roles(model, "create", &plan->logins);
    put_roles(model, "restore", &plan->restore);
    put_roles(model, "adopt", &plan->adopt);
    put_edges(model, "grant", "to", &plan->grant, &model->wanted_why);
    put_attributes(model, &plan->attributes);
    put_ended(model, result->ended);
  }
  put_rejections(&model->rejections);
  put_rejections(&plan->refused);
  print_objects_text(result->objects, brief);
  if (!brief || is_news(result))
    put_sum(result);
  return fflush(stdout) == 0;
}

bool print_standby(const char *cluster, bool brief) {
  if (!brief)
    printf("%s%s%sstandby: roles are changed on its primary, and here once it is promoted\n",
           cluster != NULL ? "cluster " : "", cluster != NULL ? cluster : "",
           cluster != NULL ? ": " : "");
  return fflush(stdout) == 0;
}

/* ---- JSON ---- */

static json_t *role_array(const struct model *model, const struct role_list *list) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; i < list->count; i++)
    json_array_append_new(array, out_text(names_text(&model->names, list->items[i])));
  return array;
}

static json_t *part_of(const struct model *model, uint32_t source, enum source_part part) {
  int len;
  const char *at = source_part(model, source, part, &len);

  return json_stringn(at, (size_t)len);
}

static void append_edges(json_t *array, const struct model *model, const struct edges *edges,
                         const struct edges *why) {
  size_t i, at = 0;
  uint32_t source;

  for (i = 0; i < edges->count; i++) {
    const struct edge *edge = &edges->items[i];
    json_t *item = json_object();

    json_object_set_new(item, "role", out_text(names_text(&model->names, edge->role)));
    json_object_set_new(item, "member", out_text(names_text(&model->names, edge->member)));
    if (find_source(why, &at, edge, &source)) {
      json_object_set_new(item, "service", part_of(model, source, SOURCE_SERVICE));
      json_object_set_new(item, "level", part_of(model, source, SOURCE_LEVEL));
      json_object_set_new(item, "policy", part_of(model, source, SOURCE_POLICY));
    }
    json_array_append_new(array, item);
  }
}

static void append_rejections(json_t *array, const struct rejections *rejections) {
  size_t i;

  for (i = 0; i < rejections->count; i++)
    json_array_append_new(array,
                          json_pack("{s:o, s:o}", "name", out_text(rejections->items[i].name),
                                    "why", out_text(rejections->items[i].why)));
}

static json_t *attribute_array(const struct model *model, const struct role_list *list) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; i < list->count; i++) {
    const struct attribute *attribute = &model->attributes.items[list->items[i]];
    const char *have =
        attribute->have != NAMES_NONE ? names_text(&model->words, attribute->have) : NULL;

    json_array_append_new(
        array, json_pack("{s:o, s:o, s:o?, s:o}", "role",
                         out_text(names_text(&model->names, attribute->role)), "attribute",
                         out_text(names_text(&model->words, attribute->key)), "from",
                         have != NULL ? out_text(have) : json_null(), "to",
                         out_text(names_text(&model->words, attribute->value))));
  }
  return array;
}

static json_t *ended_array(const struct model *model, const struct ended_list *ended) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; ended != NULL && i < ended->count; i++)
    json_array_append_new(array, json_pack("{s:o, s:I}", "role", out_text(model_name(model, ended->items[i].role)),
                                           "pid", (json_int_t)ended->items[i].pid));
  return array;
}

static json_t *valve_array(const struct print_result *result) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; result->is_refused && i < result->valve->count; i++)
    json_array_append_new(array, json_string(result->valve->why[i]));
  return array;
}

static json_t *rename_array(const struct model *model, const struct edges *list) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; i < list->count; i++) {
    const struct edge *edge = &list->items[i];

    json_array_append_new(array, json_pack("{s:o, s:o}", "from",
                                           out_text(names_text(&model->names, edge->member)), "to",
                                           out_text(names_text(&model->names, edge->role))));
  }
  return array;
}

static json_t *no_plan(const char *cluster, int exit) {
  json_t *object = json_object();

  if (cluster != NULL)
    json_object_set_new(object, "cluster", json_string(cluster));
  json_object_set_new(object, "applied", json_false());
  json_object_set_new(object, "exit", json_integer(exit));
  return object;
}

bool print_json_failure(const char *cluster, int exit) {
  return out_line(no_plan(cluster, exit));
}

bool print_json_standby(const char *cluster) {
  json_t *object = no_plan(cluster, 0);

  json_object_set_new(object, "standby", json_true());
  return out_line(object);
}

bool print_json(const struct print_result *result) {
  const struct model *model = result->model;
  const struct plan *plan = result->plan;
  json_t *object = json_object(), *grant = json_array(), *revoke = json_array();
  json_t *rejected = json_array();

  append_edges(grant, model, &plan->grant, &model->wanted_why);
  append_edges(revoke, model, &plan->revoke, &plan->forget);
  append_edges(revoke, model, &plan->cut_edges, &plan->forget);
  append_rejections(rejected, &model->rejections);
  append_rejections(rejected, &plan->refused);
  if (result->cluster != NULL)
    json_object_set_new(object, "cluster", json_string(result->cluster));
  json_object_set_new(object, "incomplete", json_boolean(model->is_incomplete));
  json_object_set_new(object, "rename", rename_array(model, &plan->rename));
  json_object_set_new(object, "adopt", role_array(model, &plan->adopt));
  json_object_set_new(object, "in_sync", json_boolean(plan_is_empty(plan)));
  json_object_set_new(object, "applied", json_boolean(result->is_applied));
  json_object_set_new(object, "transactions", json_integer((json_int_t)result->transactions));
  json_object_set_new(object, "refused", json_boolean(result->is_refused));
  json_object_set_new(object, "valves", valve_array(result));
  json_object_set_new(object, "removals", json_integer((json_int_t)result->valve->removals));
  json_object_set_new(object, "people", json_integer((json_int_t)model->people));
  json_object_set_new(object, "conditional", json_integer((json_int_t)model->conditional));
  json_object_set_new(object, "create_groups", role_array(model, &plan->groups));
  json_object_set_new(object, "create_logins", role_array(model, &plan->logins));
  json_object_set_new(object, "restore", role_array(model, &plan->restore));
  json_object_set_new(object, "cut", role_array(model, &plan->cut));
  json_object_set_new(object, "grant", grant);
  json_object_set_new(object, "attributes", attribute_array(model, &plan->attributes));
  json_object_set_new(object, "revoke", revoke);
  json_object_set_new(object, "notes", json_integer((json_int_t)count_notes(plan)));
  json_object_set_new(object, "ended", ended_array(model, result->ended));
  print_objects_json(result->objects, object);
  json_object_set_new(object, "rejected", rejected);
  return out_line(object);
}
