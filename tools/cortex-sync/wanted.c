/*
 * What is wanted: for each person of a directory what the policy permits on the services here.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "wanted.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/clock.h>

#include "common/cli.h"
#include "rules.h"

#define LEVELS 3
#define DRAIN_EVERY 128 /* people */
#define KEY_MAX 600
#define SPELL_MAX 1100
#define NOBODY "/" /* no username */

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
  const struct source *source; /* that is being read */
  uint32_t label;              /* of it */
  uint32_t rules_label;        /* of what the configuration makes */
  size_t people;               /* that it names */
  bool *is_here;               /* by service */
  struct grant_list *grants;   /* by LEVELS * service + bit of the level */
  size_t service_count;
  struct names seen; /* usernames, where another entry may be called the same */
  uint32_t *groups;  /* the directory's number of a group to the policy's */
  uint32_t *mine;    /* groups of one person */
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
  return rules_check_name(reading->from->settings, name, why);
}

static bool put_group(struct reading *reading, struct grant_list *list, const char *name) {
  uint32_t role, *roles;

  if (!rules_want_group(reading->from->settings, reading->model, name, &role))
    return false;
  if (role == NAMES_NONE)
    return true;
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

/* Somebody whose name is none for a role is still known by the id: a role of that id stays. */
static bool hold(struct reading *reading, const struct source_person *person) {
  char key[KEY_MAX];

  if (person->id[0] == '\0')
    return true;
  snprintf(key, sizeof key, "%s%c%s", reading->source->request.label, SOURCE_END, person->id);
  return names_put(&reading->model->held, key, strlen(key)) != NAMES_NONE || out_of_memory(reading);
}

static bool refuse_person(struct reading *reading, const char *name,
                          const struct source_person *person, const char *why) {
  return hold(reading, person) && reject(reading, name, why);
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

/* The role of a person; NAMES_NONE: rejected, or no memory. */
static uint32_t role_of(struct reading *reading, const char *name,
                        const struct source_person *person) {
  struct model *model = reading->model;
  uint32_t number = names_find(&model->names, name, strlen(name));

  if (number != NAMES_NONE && model->roles[number].wish != WISH_NONE) {
    bool is_rule = model->roles[number].wish == WISH_LOGIN;

    model->roles[number].is_contested = is_rule;
    model->roles[number].is_claimed = !is_rule;
    refuse_person(reading, name, person,
                  is_rule ? "a [role] section makes a role of this name: it is left as it is"
                          : "a service grants a role of this name, or a rule makes it");
    return NAMES_NONE;
  }
  number = model_role(model, name, strlen(name));
  if (number == NAMES_NONE) {
    out_of_memory(reading);
    return NAMES_NONE;
  }
  model->roles[number].wish = WISH_LOGIN;
  model->roles[number].label = reading->label;
  model->roles[number].subject = names_put(&model->subjects, person->id, strlen(person->id));
  if (model->roles[number].subject == NAMES_NONE)
    out_of_memory(reading);
  return number;
}

/* Several of one name: their role, if there is one, stays as it is. */
static bool put_contested(struct reading *reading, const char *name,
                          const struct source_person *person) {
  uint32_t number = model_role(reading->model, name, strlen(name));
  struct role *role;

  if (number == NAMES_NONE)
    return out_of_memory(reading);
  role = &reading->model->roles[number];
  if (role->is_contested)
    return hold(reading, person);
  role->is_contested = true;
  return refuse_person(reading, name, person,
                       "two people are called so: their role is left as it is");
}

/*
 * Whether somebody was called so before, in another directory or in other letters; taken note of
 * where that can be.
 */
static bool is_shared(struct reading *reading, const char *name, bool *shared_out) {
  uint32_t before = reading->seen.count, number = 0;

  if (reading->from->sources->count > 1 || reading->source->lower)
    number = names_put(&reading->seen, name, strlen(name));
  *shared_out = number < before;
  return number != NAMES_NONE || out_of_memory(reading);
}

static bool is_wanted(const struct reading *reading, const char *name) {
  uint32_t number = names_find(&reading->model->names, name, strlen(name));

  return number != NAMES_NONE && reading->model->roles[number].wish == WISH_LOGIN;
}

static bool may_anything(const struct reading *reading) {
  struct cortex_standing_level level;
  size_t i;

  for (i = 0; cortex_standing_get(reading->standing, i, &level); i++)
    if (reading->is_here[level.service])
      return true;
  return false;
}

/* Nobody who may do nothing here, in no login at all, gets a role. */
static bool put_person(struct reading *reading, const char *name,
                       const struct source_person *person) {
  struct cortex_standing_level level;
  uint32_t member = NAMES_NONE;
  bool shared;
  size_t i;

  if (!is_shared(reading, name, &shared))
    return false;
  if (shared && (may_anything(reading) || is_wanted(reading, name)))
    return put_contested(reading, name, person);
  for (i = 0; cortex_standing_get(reading->standing, i, &level); i++) {
    if (!reading->is_here[level.service])
      continue;
    if (member == NAMES_NONE)
      member = role_of(reading, name, person);
    if (member == NAMES_NONE)
      return reading->reason == CORTEX_OK;
    if (!put_level(reading, member, &level))
      return out_of_memory(reading);
  }
  return true;
}

/* NAMESPACE SEPARATOR name, in lower case where that is asked; cut off only beyond any role name.
 */
static const char *spell(const struct reading *reading, const char *name, char separator,
                         bool lower, char *room) {
  const char *namespace = reading->source->namespace;
  char *at = room;

  if (namespace == NULL && !lower)
    return name;
  if (namespace != NULL)
    at += snprintf(room, SPELL_MAX, "%s%c", namespace, separator);
  snprintf(at, SPELL_MAX - (size_t)(at - room), "%s", name);
  for (; lower && *at != '\0'; at++)
    if (*at >= 'A' && *at <= 'Z')
      *at = (char)(*at - 'A' + 'a');
  return room;
}

/* A name that another directory's namespace would have made is not this one's to give. */
static bool is_of_another(const struct reading *reading, const char *name, char separator) {
  const struct source_list *sources = reading->from->sources;
  size_t i, len;

  for (i = 0; reading->source->namespace == NULL && i < sources->count; i++) {
    const char *namespace = sources->items[i].namespace;

    if (namespace == NULL)
      continue;
    len = strlen(namespace);
    if (strncmp(name, namespace, len) == 0 && name[len] == separator)
      return true;
  }
  return false;
}

/* A group that cannot be one costs its members what it would cost them at a login. */
static bool take_group(void *context, uint32_t number, const char *name) {
  struct reading *reading = context;
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  char room[SPELL_MAX];

  if ((number & (number - 1)) == 0) {
    uint32_t *numbers =
        realloc(reading->groups, (number == 0 ? 1 : 2 * (size_t)number) * sizeof *numbers);

    if (numbers == NULL)
      return out_of_memory(reading);
    reading->groups = numbers;
  }
  if (name[0] != '\0')
    name = spell(reading, name, '/', false, room);
  reason = cortex_standing_group(reading->standing, name, &reading->groups[number], &why);
  if (reason == CORTEX_OK && !is_of_another(reading, name, '/'))
    return true;
  reading->groups[number] = NAMES_NONE;
  if (reason != CORTEX_INTERNAL)
    cli_complain("directory \"%s\": group \"%.100s\": %s: who is in it is rejected",
                 reading->source->request.label, name,
                 reason != CORTEX_OK ? why.message
                                     : "it begins with another directory's namespace");
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

static bool ask(struct reading *reading, const char *name, const struct source_person *person) {
  reading->reason = cortex_standing_ask(reading->standing, name, reading->mine, person->group_count,
                                        reading->error);
  return reading->reason == CORTEX_OK;
}

/* A name that is none for a role; by their groups, people who may nothing any more are not held. */
static bool put_misnamed(struct reading *reading, const char *name,
                         const struct source_person *person, const char *why) {
  bool is_plain = translate(reading, person);

  if (reading->reason != CORTEX_OK || (is_plain && !ask(reading, NOBODY, person)))
    return false;
  return is_plain && may_anything(reading) ? refuse_person(reading, name, person, why)
                                           : reject(reading, name, why);
}

static bool take_person(void *context, const struct source_person *person) {
  struct reading *reading = context;
  struct cortex_error why = CORTEX_ERROR_NONE;
  char room[SPELL_MAX];
  const char *name = spell(reading, person->name, '.', reading->source->lower, room);
  enum cortex_reason reason;

  if (reading->people++ % DRAIN_EVERY == 0)
    pg_drain(reading->from->pg);
  if (person->is_nameless)
    return refuse_person(reading, person->name, person,
                         "the entry has no username that can be read (username_attribute)");
  reason = check_name(reading, name, &why);
  if (reason == CORTEX_INTERNAL)
    return out_of_memory(reading);
  if (reason != CORTEX_OK)
    return put_misnamed(reading, name, person, why.message);
  if (is_of_another(reading, name, '.'))
    return put_misnamed(reading, name, person, "it begins with another directory's namespace");
  if (person->is_contested)
    return put_contested(reading, name, person);
  if (!translate(reading, person))
    return reading->reason == CORTEX_OK &&
           reject(reading, name,
                  "a group is empty, not UTF-8, holds a control character or begins with another "
                  "directory's namespace");
  return ask(reading, name, person) && put_person(reading, name, person);
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
  names_clear(&reading->seen);
  free(reading->is_here);
  cortex_standing_free(&reading->standing);
}

static bool put_label(struct names *names, const char *label, uint32_t *number_out) {
  *number_out = names_put(names, label, strlen(label));
  return *number_out != NAMES_NONE;
}

/* A directory that was read whole: what it names counts, and what it does not name is gone. */
static enum wanted_state count_complete(struct reading *reading,
                                        const struct source_report *report) {
  uint32_t number;

  if (report->unknown_members > 0)
    cli_complain("directory \"%s\": %zu members of groups are none of the people and groups that "
                 "the searches find: they are left out",
                 reading->source->request.label, report->unknown_members);
  if (report->unidentified > 0)
    cli_complain("directory \"%s\": id_attribute: %zu people have no %s that can be read: who is "
                 "renamed is somebody new, and who gets the name of somebody gets the role",
                 reading->source->request.label, report->unidentified,
                 cortex_section_value(reading->source->request.section, "id_attribute"));
  reading->model->people += reading->people;
  reading->model->is_empty = reading->model->is_empty || reading->people == 0;
  return put_label(&reading->model->complete, reading->source->request.label, &number)
             ? WANTED_WHOLE
             : WANTED_FAILED;
}

static enum wanted_state read_source(struct reading *reading, const struct source *source) {
  const struct source_taker taker = {take_group, take_person, reading};
  const struct cortex_clock *clock = cortex_clock_system();
  struct source_request request = source->request;
  struct source_report report = {0};
  enum source_state state;

  reading->source = source;
  reading->people = 0;
  if (!put_label(&reading->model->labels, request.label, &reading->label))
    return WANTED_FAILED;
  request.deadline = clock->monotonic(clock) + source->timeout * 1000000000;
  state = source->kind->read(&request, &taker, &report);
  switch (state) {
  case SOURCE_COMPLETE:
    return count_complete(reading, &report);
  case SOURCE_INCOMPLETE:
    cli_complain("directory \"%s\": %s; roles of its people are left as they are", request.label,
                 report.error.message);
    reading->model->is_incomplete = true;
    return WANTED_INCOMPLETE;
  case SOURCE_BAD:
    *reading->error = report.error;
    return WANTED_BAD;
  case SOURCE_FAILED:
    break;
  }
  return WANTED_FAILED;
}

/* What the configuration itself names: it is never away. */
static enum wanted_state read_rules(struct reading *reading) {
  uint32_t number;

  if (!put_label(&reading->model->labels, RULES_LABEL, &reading->rules_label) ||
      !put_label(&reading->model->complete, RULES_LABEL, &number) ||
      !rules_want_roles(reading->from->settings, reading->model, reading->from->label))
    return WANTED_FAILED;
  if (rules_has_loop(reading->model)) {
    refuse(reading->error, "[role] member_of: ", "a group role would be a member of itself");
    return WANTED_BAD;
  }
  return WANTED_WHOLE;
}

static enum wanted_state read_people(struct reading *reading) {
  const struct source_list *sources = reading->from->sources;
  enum wanted_state worst = WANTED_WHOLE;
  size_t i;

  if (cortex_standing_new(reading->from->policy, &reading->standing, reading->error) != CORTEX_OK)
    return WANTED_FAILED;
  for (i = 0; i < sources->count && worst <= WANTED_INCOMPLETE; i++) {
    enum wanted_state state = read_source(reading, &sources->items[i]);

    worst = state > worst ? state : worst;
  }
  return worst;
}

/* The memberships are those that there are reasons for; nobody's whose name is contested. */
static void put_wanted(struct model *model) {
  struct edges *why = &model->wanted_why;
  size_t i, kept = 0;

  for (i = 0; i < why->count; i++) {
    const struct edge edge = why->items[i];

    if (model->roles[edge.member].is_contested)
      continue;
    if (kept == 0 || edge.role != why->items[kept - 1].role ||
        edge.member != why->items[kept - 1].member)
      edges_put(&model->wanted, (struct edge){edge.role, edge.member, 0});
    why->items[kept++] = edge;
  }
  why->count = kept;
}

enum wanted_state wanted_read(const struct wanted_from *from, struct model *model,
                              struct cortex_error *error) {
  struct reading reading = {.from = from, .model = model, .error = error};
  enum wanted_state state = WANTED_FAILED;

  if (!prepare(&reading))
    goto out;
  state = choose_services(&reading) == CORTEX_OK ? WANTED_WHOLE : WANTED_BAD;
  if (state == WANTED_WHOLE && !read_grants(&reading))
    state = WANTED_FAILED;
  if (state == WANTED_WHOLE)
    state = read_rules(&reading);
  if (state == WANTED_WHOLE)
    state = read_people(&reading);
  if (state <= WANTED_INCOMPLETE && !rules_want_people(from->settings, model, from->label))
    state = WANTED_FAILED;
  edges_sort(&model->wanted_why);
  put_wanted(model);
  if (model->wanted.failed || model->wanted_why.failed)
    state = WANTED_FAILED;
out:
  if (state == WANTED_FAILED)
    out_of_memory(&reading);
  clear(&reading);
  return state;
}
