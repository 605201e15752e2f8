/*
 * Standing: what a policy permits people whatever their login is.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "policy/policy.h"
#include "policy/reach.h"
#include "policy/recall.h"

/* A group that people are in: what its members can reach, and where the policies name it. */
struct known_group {
  char *name;
  uint32_t *targets;
  size_t target_count;
  uint32_t *named; /* positions for recall.h */
  size_t named_count;
};

struct cortex_standing {
  const struct cortex_policy *policy;
  struct cx_reach *reach;
  struct cx_recall *recall;
  struct cedar_request *request;
  char **ids;     /* by policy; made when first needed */
  char **reasons; /* the same */
  uint32_t policy_count;
  struct cortex_standing_level *levels;
  size_t level_count;
  struct known_group *groups; /* by number */
  size_t group_count;
};

enum cortex_reason cortex_standing_new(const struct cortex_policy *policy,
                                       struct cortex_standing **standing_out,
                                       struct cortex_error *error) {
  struct cortex_standing *standing = calloc(1, sizeof *standing);
  uint32_t count = cedar_store_policy_count(policy->store);

  *standing_out = NULL;
  if (standing == NULL)
    return cx_error_memory(error);
  if (cortex_policy_make_whole(policy, error) != CORTEX_OK) {
    free(standing);
    return CORTEX_POLICY_UNAVAILABLE;
  }
  standing->policy = policy;
  standing->policy_count = count;
  standing->ids = calloc((size_t)count + 1, sizeof *standing->ids);
  standing->reasons = calloc((size_t)count + 1, sizeof *standing->reasons);
  standing->levels = calloc(CX_REACH_LEVELS * policy->service_count + 1, sizeof *standing->levels);
  if (standing->ids == NULL || standing->reasons == NULL || standing->levels == NULL ||
      !cx_reach_new(policy, &standing->reach) || !cx_recall_new(policy, &standing->recall) ||
      cedar_request_new(policy->store, NULL, &standing->request) != CEDAR_OK) {
    cortex_standing_free(&standing);
    return cx_error_memory(error);
  }
  *standing_out = standing;
  return CORTEX_OK;
}

void cortex_standing_free(struct cortex_standing **standing) {
  struct cortex_standing *it;
  uint32_t i;

  if (standing == NULL || *standing == NULL)
    return;
  it = *standing;
  for (i = 0; it->ids != NULL && it->reasons != NULL && i < it->policy_count; i++) {
    free(it->ids[i]);
    free(it->reasons[i]);
  }
  free(it->ids);
  free(it->reasons);
  for (i = 0; i < it->group_count; i++) {
    free(it->groups[i].name);
    free(it->groups[i].targets);
    free(it->groups[i].named);
  }
  free(it->groups);
  free(it->levels);
  cx_reach_free(&it->reach);
  cx_recall_free(&it->recall);
  cedar_request_free(&it->request);
  free(it);
  *standing = NULL;
}

enum cortex_reason cx_standing_levels(const struct cortex_policy *policy,
                                      const struct cortex_question *question, unsigned levels,
                                      unsigned *standing_out, struct cortex_error *error) {
  struct cedar_request *request = NULL;
  struct cedar_partial_answer answer;
  struct cedar_error why = {0};
  enum cortex_reason reason = CORTEX_OK;
  unsigned level;

  *standing_out = 0;
  if (cedar_request_new(policy->store, NULL, &request) != CEDAR_OK ||
      !cx_request_put_principal(request, question->identity)) {
    cedar_request_free(&request);
    return cx_error_memory(error);
  }
  cx_request_point(request, question, false);
  for (level = CORTEX_LEVEL_READ; reason == CORTEX_OK && level <= CORTEX_LEVEL_ADMIN; level <<= 1) {
    if ((levels & level) == 0)
      continue;
    cx_request_ask(request, level);
    if (cedar_authorize_partial(request, &answer, &why) != CEDAR_OK)
      reason = cx_policy_error(error, CORTEX_INTERNAL, &why);
    else if (answer.decision == CEDAR_PARTIAL_ALLOW)
      *standing_out |= level;
  }
  cedar_request_free(&request);
  return reason;
}

/* The position-th of an entity and all that it is in: a permit for any of them can reach it. */
static bool self_or_ancestor(const struct cortex_standing *standing, struct cedar_uid_text self,
                             uint32_t position, struct cedar_uid_text *uid_out) {
  uint32_t index;

  *uid_out = self;
  if (position == 0)
    return true;
  return cedar_entity_find(standing->policy->store, self, &index) &&
         cedar_entity_ancestor_at(standing->policy->store, index, position - 1, uid_out);
}

/* Whatever groups the entities file has for the person: as at a login, the directory's count. */
static void add_user(struct cortex_standing *standing, const char *username) {
  struct cedar_uid_text self = {cx_cedar_text("User"), cx_cedar_text(username)};
  uint32_t named;

  cx_reach_add(standing->reach, self);
  if (cx_recall_find(standing->recall, self, &named))
    cx_recall_mark(standing->recall, &named, 1);
}

static bool put_named(struct known_group *group, uint32_t position) {
  uint32_t *named = realloc(group->named, (group->named_count + 1) * sizeof *named);

  if (named == NULL)
    return false;
  group->named = named;
  named[group->named_count++] = position;
  return true;
}

/* What a group's name leads to is looked up once, not for each of its members. */
static bool learn_group(struct cortex_standing *standing, struct known_group *group) {
  struct cedar_uid_text self = {cx_cedar_text("Group"), cx_cedar_text(group->name)}, uid;
  uint32_t i, named;

  cx_reach_begin(standing->reach);
  for (i = 0; self_or_ancestor(standing, self, i, &uid); i++) {
    cx_reach_add(standing->reach, uid);
    if (cx_recall_find(standing->recall, uid, &named) && !put_named(group, named))
      return false;
  }
  group->target_count = cx_reach_count(standing->reach);
  group->targets = calloc(group->target_count + 1, sizeof *group->targets);
  for (i = 0; group->targets != NULL && i < group->target_count; i++)
    group->targets[i] = cx_reach_get(standing->reach, i);
  return group->targets != NULL;
}

enum cortex_reason cortex_standing_group(struct cortex_standing *standing, const char *name,
                                         uint32_t *number_out, struct cortex_error *error) {
  size_t count = standing->group_count;
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = cortex_identity_claim("x", &name, 1, &identity, error);

  cortex_identity_free(&identity);
  if (reason != CORTEX_OK)
    return reason;
  if ((count & (count - 1)) == 0) {
    struct known_group *groups =
        realloc(standing->groups, (count == 0 ? 1 : 2 * count) * sizeof *groups);

    if (groups == NULL)
      return cx_error_memory(error);
    standing->groups = groups;
  }
  standing->groups[count] = (struct known_group){.name = strdup(name)};
  standing->group_count++;
  if (standing->groups[count].name == NULL || !learn_group(standing, &standing->groups[count]))
    return cx_error_memory(error);
  *number_out = (uint32_t)count;
  return CORTEX_OK;
}

/* Id and reason of a policy as C strings; false without memory. */
static bool name_policy(struct cortex_standing *standing, uint32_t index) {
  const struct cedar_store *store = standing->policy->store;
  struct cedar_policy_info info;
  struct cedar_text reason = {"", 0};

  if (standing->ids[index] != NULL && standing->reasons[index] != NULL)
    return true;
  if (!cedar_policy_get(store, index, &info))
    return false;
  if (!cedar_policy_annotation_get(store, index, "reason", &reason))
    reason = cx_cedar_text("");
  free(standing->ids[index]);
  free(standing->reasons[index]);
  standing->ids[index] = cx_cedar_dup(info.id);
  standing->reasons[index] = cx_cedar_dup(reason);
  return standing->ids[index] != NULL && standing->reasons[index] != NULL;
}

/* Asks for one service and level; level 0 in the answer stands for a refusal. */
static enum cortex_reason ask(struct cortex_standing *standing, uint32_t target,
                              struct cortex_standing_level *level, struct cortex_error *error) {
  struct cedar_uid_text action, service;
  struct cedar_partial_answer answer;
  struct cedar_error why = {0};

  action = (struct cedar_uid_text){cx_cedar_text("Action"),
                                   cx_cedar_text(cortex_level_name(level->level))};
  service = (struct cedar_uid_text){
      cx_cedar_text("Service"), cx_cedar_text(cx_service_name(standing->policy, level->service))};
  cedar_request_set_action(standing->request, action);
  cedar_request_set_resource(standing->request, service);
  if (cedar_authorize_partial(standing->request, &answer, &why) != CEDAR_OK)
    return cx_policy_error(error, CORTEX_INTERNAL, &why);
  level->is_conditional = answer.decision == CEDAR_PARTIAL_CONDITIONAL;
  if (answer.decision == CEDAR_PARTIAL_DENY)
    level->level = 0;
  if (answer.decision == CEDAR_PARTIAL_ALLOW && answer.reason_count > 0) {
    if (!name_policy(standing, answer.reasons[0]))
      return cx_error_memory(error);
    level->policy = standing->ids[answer.reasons[0]];
    level->reason = standing->reasons[answer.reasons[0]];
  }
  return cx_recall_put(standing->recall, target, level) ? CORTEX_OK : cx_error_memory(error);
}

/* A person, and whether the request speaks of them: it is made when the first question needs it. */
struct asking {
  const char *username;
  const uint32_t *groups;
  size_t group_count;
  bool is_made;
};

static enum cortex_reason make_request(struct cortex_standing *standing, struct asking *asking,
                                       struct cortex_error *error) {
  const char **names = calloc(asking->group_count + 1, sizeof *names);
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason;
  size_t i;

  if (names == NULL)
    return cx_error_memory(error);
  for (i = 0; i < asking->group_count; i++)
    names[i] = standing->groups[asking->groups[i]].name;
  reason = cortex_identity_claim(asking->username, names, asking->group_count, &identity, error);
  free(names);
  if (reason != CORTEX_OK)
    return reason;
  cedar_request_reset(standing->request);
  asking->is_made = cx_request_put_principal(standing->request, identity);
  cortex_identity_free(&identity);
  return asking->is_made ? CORTEX_OK : cx_error_memory(error);
}

static enum cortex_reason answer_for(struct cortex_standing *standing, struct asking *asking,
                                     uint32_t target, struct cortex_error *error) {
  const struct cortex_standing_level *known = cx_recall_get(standing->recall, target);
  struct cortex_standing_level level = {target / CX_REACH_LEVELS, CORTEX_LEVEL_READ, false, "", ""};
  enum cortex_reason reason = CORTEX_OK;

  level.level = (enum cortex_level)(1u << target % CX_REACH_LEVELS);
  if (known != NULL) {
    level = *known;
  } else {
    if (!asking->is_made)
      reason = make_request(standing, asking, error);
    if (reason == CORTEX_OK)
      reason = ask(standing, target, &level, error);
  }
  if (reason == CORTEX_OK && level.level != 0)
    standing->levels[standing->level_count++] = level;
  return reason;
}

enum cortex_reason cortex_standing_ask(struct cortex_standing *standing, const char *username,
                                       const uint32_t *groups, size_t group_count,
                                       struct cortex_error *error) {
  struct asking asking = {username, groups, group_count, false};
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  standing->level_count = 0;
  cx_reach_begin(standing->reach);
  cx_recall_begin(standing->recall);
  add_user(standing, username);
  for (i = 0; i < group_count; i++) {
    const struct known_group *group = &standing->groups[groups[i]];

    cx_reach_meet(standing->reach, group->targets, group->target_count);
    cx_recall_mark(standing->recall, group->named, group->named_count);
  }
  for (i = 0; reason == CORTEX_OK && i < cx_reach_count(standing->reach); i++)
    reason = answer_for(standing, &asking, cx_reach_get(standing->reach, i), error);
  if (reason != CORTEX_OK)
    standing->level_count = 0;
  return reason;
}

bool cortex_standing_get(const struct cortex_standing *standing, size_t index,
                         struct cortex_standing_level *level_out) {
  if (index >= standing->level_count)
    return false;
  *level_out = standing->levels[index];
  return true;
}
