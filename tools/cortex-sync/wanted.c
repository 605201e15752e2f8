/*
 * What is wanted: for each person of a directory what the policy permits on the services here.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "wanted.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 3

/* The group roles of one service and level, as numbers of the model. */
struct grant_list {
  uint32_t *roles;
  size_t count;
  const char *policy; /* the last that decided, and the source that it made */
  uint32_t source;
};

struct reading {
  const struct wanted_from *from;
  struct model *model;
  struct cortex_standing *standing;
  bool *is_here;             /* by service */
  struct grant_list *grants; /* by LEVELS * service + bit of the level */
  size_t service_count;
  uint32_t *groups; /* the directory's number of a group to the policy's */
  uint32_t *mine;   /* groups of one person */
  size_t mine_room;
  struct cortex_error *error;
  enum cortex_reason reason;
};

static bool out_of_memory(struct reading *reading) {
  reading->reason = CORTEX_INTERNAL;
  if (reading->error->reason == CORTEX_OK) {
    reading->error->reason = CORTEX_INTERNAL;
    snprintf(reading->error->message, sizeof reading->error->message, "out of memory");
  }
  return false;
}

/* ---- services ---- */

static void put_place(const struct cortex_service *service, char *text, size_t size) {
  snprintf(text, size, "%s:%" PRId64, service->host, service->port);
}

static enum cortex_reason refuse(struct cortex_error *error, const char *text, const char *what) {
  error->reason = CORTEX_CONFIG_INVALID;
  snprintf(error->message, sizeof error->message, "%s%s", text, what);
  return CORTEX_CONFIG_INVALID;
}

/* Which services this cluster has. Without a named cluster all must be of one. */
static enum cortex_reason choose_services(struct reading *reading) {
  const struct cortex_policy *policy = reading->from->policy;
  struct cortex_service service;
  char place[600], only[600] = "";
  size_t i, here = 0;

  for (i = 0; cortex_policy_service(policy, i, &service); i++) {
    put_place(&service, place, sizeof place);
    if (reading->from->cluster == NULL) {
      if (only[0] != '\0' && strcmp(only, place) != 0)
        return refuse(reading->error, "[sync] cluster = HOST:PORT is needed: ",
                      "the entities file has services of several clusters");
      snprintf(only, sizeof only, "%s", place);
    }
    reading->is_here[i] =
        reading->from->cluster == NULL || strcmp(reading->from->cluster, place) == 0;
    here += reading->is_here[i];
  }
  if (here == 0)
    return refuse(reading->error, "the entities file has no service of this cluster",
                  reading->from->cluster == NULL ? "" : " ([sync] cluster)");
  return CORTEX_OK;
}

/* The rules of a login's name are those of every role that we make. */
static enum cortex_reason check_name(const struct reading *reading, const char *name,
                                     struct cortex_error *why) {
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = cortex_identity_claim(name, NULL, 0, &identity, why);

  if (reason == CORTEX_OK)
    reason = cortex_identity_admit(identity, reading->from->settings, why);
  cortex_identity_free(&identity);
  return reason;
}

static bool put_group(struct reading *reading, struct grant_list *list, const char *name) {
  struct cortex_error why = CORTEX_ERROR_NONE;
  uint32_t role, *roles;

  role = names_find(&reading->model->names, name, strlen(name));
  if (role == NAMES_NONE) {
    if (check_name(reading, name, &why) != CORTEX_OK) {
      rejections_put(&reading->model->rejections, name, why.message);
      return !reading->model->rejections.failed;
    }
    role = model_role(reading->model, name, strlen(name));
    if (role == NAMES_NONE)
      return false;
    reading->model->roles[role].wish = WISH_GROUP;
  }
  roles = realloc(list->roles, (list->count + 1) * sizeof *roles);
  if (roles == NULL)
    return false;
  roles[list->count++] = role;
  list->roles = roles;
  return true;
}

/* Every group role that a service here names is wanted, whoever is in it. */
static bool read_grants(struct reading *reading) {
  const struct cortex_policy *policy = reading->from->policy;
  struct cortex_service service;
  size_t i, j;
  unsigned level;

  for (i = 0; cortex_policy_service(policy, i, &service); i++) {
    if (!reading->is_here[i])
      continue;
    for (level = 0; level < LEVELS; level++) {
      const char *name;

      for (j = 0; (name = cortex_policy_grant(policy, service.name, 1u << level, j)) != NULL; j++)
        if (!put_group(reading, &reading->grants[LEVELS * i + level], name))
          return out_of_memory(reading);
    }
  }
  return true;
}

/* ---- people ---- */

static bool reject(struct reading *reading, const char *name, const char *why) {
  rejections_put(&reading->model->rejections, name, why);
  return !reading->model->rejections.failed || out_of_memory(reading);
}

static unsigned bit_of(enum cortex_level level) {
  return level == CORTEX_LEVEL_READ ? 0 : level == CORTEX_LEVEL_WRITE ? 1 : 2;
}

/* Most people have a level by the same policy as the one before. */
static uint32_t source_of(struct reading *reading, struct grant_list *list,
                          const struct cortex_standing_level *level) {
  struct cortex_service service;

  if (list->policy == level->policy)
    return list->source;
  if (!cortex_policy_service(reading->from->policy, level->service, &service))
    return NAMES_NONE;
  list->source = model_source(reading->model,
                              (const char *const[]){service.name, cortex_level_name(level->level),
                                                    level->policy, level->reason});
  list->policy = level->policy;
  return list->source;
}

static bool put_level(struct reading *reading, uint32_t member,
                      const struct cortex_standing_level *level) {
  struct grant_list *list = &reading->grants[LEVELS * level->service + bit_of(level->level)];
  uint32_t source;
  size_t i;

  if (level->is_conditional) {
    reading->model->conditional++;
    return true;
  }
  source = source_of(reading, list, level);
  if (source == NAMES_NONE)
    return false;
  for (i = 0; i < list->count; i++) {
    edges_put(&reading->model->wanted_why, (struct edge){list->roles[i], member, source});
  }
  return !reading->model->wanted_why.failed;
}

/* Nobody who may do nothing here, in no login at all, gets a role. */
static bool put_person(struct reading *reading, const char *name, const char *id) {
  struct cortex_standing_level level;
  uint32_t member = NAMES_NONE;
  size_t i;

  for (i = 0; cortex_standing_get(reading->standing, i, &level); i++) {
    if (!reading->is_here[level.service])
      continue;
    if (member == NAMES_NONE) {
      member = names_find(&reading->model->names, name, strlen(name));
      if (member != NAMES_NONE)
        return reject(reading, name,
                      reading->model->roles[member].wish == WISH_GROUP
                          ? "a service grants a role of this name"
                          : "the directory names two people so");
      member = model_role(reading->model, name, strlen(name));
      if (member == NAMES_NONE)
        return out_of_memory(reading);
      reading->model->roles[member].wish = WISH_LOGIN;
      reading->model->roles[member].subject = names_put(&reading->model->subjects, id, strlen(id));
    }
    if (!put_level(reading, member, &level))
      return out_of_memory(reading);
  }
  return true;
}

/* A group that cannot be one costs its members what it would cost them at a login. */
static bool take_group(void *context, uint32_t number, const char *name) {
  struct reading *reading = context;
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  if ((number & (number - 1)) == 0) {
    uint32_t *numbers =
        realloc(reading->groups, (number == 0 ? 1 : 2 * (size_t)number) * sizeof *numbers);

    if (numbers == NULL)
      return out_of_memory(reading);
    reading->groups = numbers;
  }
  reason = cortex_standing_group(reading->standing, name, &reading->groups[number], &why);
  if (reason != CORTEX_OK)
    reading->groups[number] = NAMES_NONE;
  return reason != CORTEX_INTERNAL || out_of_memory(reading);
}

/* The person's groups as the policy numbers them; false: one of them is impossible. */
static bool translate(struct reading *reading, const struct source_person *person) {
  size_t i;

  if (person->group_count > reading->mine_room) {
    uint32_t *mine = realloc(reading->mine, person->group_count * sizeof *mine);

    if (mine == NULL)
      return out_of_memory(reading);
    reading->mine = mine;
    reading->mine_room = person->group_count;
  }
  for (i = 0; i < person->group_count; i++) {
    reading->mine[i] = reading->groups[person->groups[i]];
    if (reading->mine[i] == NAMES_NONE)
      return false;
  }
  return true;
}

static bool take_person(void *context, const struct source_person *person) {
  struct reading *reading = context;
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_reason reason = check_name(reading, person->name, &why);

  reading->model->people++;
  if (reason == CORTEX_INTERNAL)
    return out_of_memory(reading);
  if (reason != CORTEX_OK)
    return reject(reading, person->name, why.message);
  if (!translate(reading, person))
    return reading->reason == CORTEX_OK &&
           reject(reading, person->name,
                  "a group is empty, not UTF-8 or holds a control character");
  reading->reason = cortex_standing_ask(reading->standing, person->name, reading->mine,
                                        person->group_count, reading->error);
  return reading->reason == CORTEX_OK && put_person(reading, person->name, person->id);
}

/* ---- all of it ---- */

static bool prepare(struct reading *reading) {
  reading->service_count = cortex_policy_service_count(reading->from->policy);
  reading->is_here = calloc(reading->service_count + 1, sizeof *reading->is_here);
  reading->grants = calloc(LEVELS * reading->service_count + 1, sizeof *reading->grants);
  return (reading->is_here != NULL && reading->grants != NULL) || out_of_memory(reading);
}

static void clear(struct reading *reading) {
  size_t i;

  for (i = 0; reading->grants != NULL && i < LEVELS * reading->service_count; i++)
    free(reading->grants[i].roles);
  free(reading->grants);
  free(reading->groups);
  free(reading->mine);
  free(reading->is_here);
  cortex_standing_free(&reading->standing);
}

static enum cortex_reason read_people(struct reading *reading) {
  const struct source_taker taker = {take_group, take_person, reading};
  enum cortex_reason reason =
      cortex_standing_new(reading->from->policy, &reading->standing, reading->error);

  if (reason != CORTEX_OK)
    return reason;
  reason = reading->from->kind->read(reading->from->place, &taker, reading->error);
  return reading->reason != CORTEX_OK ? reading->reason : reason;
}

/* The memberships are those that there are reasons for. */
static void put_wanted(struct model *model) {
  const struct edges *why = &model->wanted_why;
  size_t i;

  for (i = 0; i < why->count; i++)
    if (i == 0 || why->items[i].role != why->items[i - 1].role ||
        why->items[i].member != why->items[i - 1].member)
      edges_put(&model->wanted, (struct edge){why->items[i].role, why->items[i].member, 0});
}

enum cortex_reason wanted_read(const struct wanted_from *from, struct model *model,
                               struct cortex_error *error) {
  struct reading reading = {.from = from, .model = model, .error = error};
  enum cortex_reason reason = CORTEX_INTERNAL;

  if (!prepare(&reading))
    goto out;
  reason = choose_services(&reading);
  if (reason != CORTEX_OK)
    goto out;
  if (!read_grants(&reading)) {
    reason = CORTEX_INTERNAL;
    goto out;
  }
  reason = read_people(&reading);
  edges_sort(&model->wanted_why);
  put_wanted(model);
  if (reason == CORTEX_OK && (model->wanted.failed || model->wanted_why.failed)) {
    out_of_memory(&reading);
    reason = CORTEX_INTERNAL;
  }
out:
  clear(&reading);
  return reason;
}
