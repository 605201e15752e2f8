/*
 * Standing: what a policy permits people whatever their login is.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "policy/policy.h"
#include "policy/reach.h"

struct cortex_standing {
  const struct cortex_policy *policy;
  struct cx_reach *reach;
  struct cedar_request *request;
  char **ids;     /* by policy; made when first needed */
  char **reasons; /* the same */
  uint32_t policy_count;
  struct cortex_standing_level *levels;
  size_t level_count;
};

enum cortex_reason cortex_standing_new(const struct cortex_policy *policy,
                                       struct cortex_standing **standing_out,
                                       struct cortex_error *error) {
  struct cortex_standing *standing = calloc(1, sizeof *standing);
  uint32_t count = cedar_store_policy_count(policy->store);

  *standing_out = NULL;
  if (standing == NULL)
    return cx_error_memory(error);
  standing->policy = policy;
  standing->policy_count = count;
  standing->ids = calloc((size_t)count + 1, sizeof *standing->ids);
  standing->reasons = calloc((size_t)count + 1, sizeof *standing->reasons);
  standing->levels = calloc(CX_REACH_LEVELS * policy->service_count + 1, sizeof *standing->levels);
  if (standing->ids == NULL || standing->reasons == NULL || standing->levels == NULL ||
      !cx_reach_new(policy, &standing->reach) ||
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
  free(it->levels);
  cx_reach_free(&it->reach);
  cedar_request_free(&it->request);
  free(it);
  *standing = NULL;
}

/* The entity and all that it is in: a permit for any of them can reach its members. */
static void add_with_ancestors(struct cortex_standing *standing, const char *type, const char *id) {
  struct cedar_uid_text uid = {cx_cedar_text(type), cx_cedar_text(id)}, ancestor;
  uint32_t index, i;

  cx_reach_add(standing->reach, uid);
  if (!cedar_entity_find(standing->policy->store, uid, &index))
    return;
  for (i = 0; cedar_entity_ancestor_at(standing->policy->store, index, i, &ancestor); i++)
    cx_reach_add(standing->reach, ancestor);
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

/* Asks for one service and level; a refusal leaves no trace. */
static enum cortex_reason ask(struct cortex_standing *standing, uint32_t target,
                              struct cortex_error *error) {
  struct cortex_standing_level level = {target / CX_REACH_LEVELS, CORTEX_LEVEL_READ, false, "", ""};
  struct cedar_uid_text action, service;
  struct cedar_partial_answer answer;
  struct cedar_error why = {0};

  level.level = (enum cortex_level)(1u << target % CX_REACH_LEVELS);
  action = (struct cedar_uid_text){cx_cedar_text("Action"),
                                   cx_cedar_text(cortex_level_name(level.level))};
  service = (struct cedar_uid_text){
      cx_cedar_text("Service"), cx_cedar_text(cx_service_name(standing->policy, level.service))};
  cedar_request_set_action(standing->request, action);
  cedar_request_set_resource(standing->request, service);
  if (cedar_authorize_partial(standing->request, &answer, &why) != CEDAR_OK)
    return cx_policy_error(error, CORTEX_INTERNAL, &why);
  if (answer.decision == CEDAR_PARTIAL_DENY)
    return CORTEX_OK;
  level.is_conditional = answer.decision == CEDAR_PARTIAL_CONDITIONAL;
  if (!level.is_conditional && answer.reason_count > 0) {
    if (!name_policy(standing, answer.reasons[0]))
      return cx_error_memory(error);
    level.policy = standing->ids[answer.reasons[0]];
    level.reason = standing->reasons[answer.reasons[0]];
  }
  standing->levels[standing->level_count++] = level;
  return CORTEX_OK;
}

enum cortex_reason cortex_standing_ask(struct cortex_standing *standing,
                                       const struct cortex_identity *identity,
                                       struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  standing->level_count = 0;
  cx_reach_begin(standing->reach);
  add_with_ancestors(standing, "User", identity->username);
  for (i = 0; i < identity->groups.count; i++)
    add_with_ancestors(standing, "Group", identity->groups.items[i]);
  if (cx_reach_count(standing->reach) == 0)
    return CORTEX_OK;
  cedar_request_reset(standing->request);
  if (!cx_request_put_principal(standing->request, identity))
    return cx_error_memory(error);
  for (i = 0; reason == CORTEX_OK && i < cx_reach_count(standing->reach); i++)
    reason = ask(standing, cx_reach_get(standing->reach, i), error);
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
