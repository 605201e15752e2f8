/*
 * Reach: which permits can concern a principal at all, by the heads of the policies.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy/reach.h"

#include <stdlib.h>
#include <string.h>

/* One permit under one entity that its head names for the principal. */
struct entry {
  struct cedar_uid_text principal; /* type.ptr NULL: any */
  uint32_t first;                  /* of the permit's targets */
  uint32_t count;
};

struct cx_reach {
  struct entry *entries; /* sorted by principal, those for any first */
  size_t entry_count;
  uint32_t *targets;
  size_t target_count;
  size_t target_room;
  uint32_t *marks; /* by target: the round in which it was collected */
  uint32_t round;
  uint32_t *found;
  size_t found_count;
};

static int compare_text(struct cedar_text left, struct cedar_text right) {
  size_t len = left.len < right.len ? left.len : right.len;
  int order = len == 0 ? 0 : memcmp(left.ptr, right.ptr, len);

  return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

int cx_head_compare(const struct cedar_uid_text *left, const struct cedar_uid_text *right) {
  int order = compare_text(left->type, right->type);

  return order != 0 ? order : compare_text(left->id, right->id);
}

static int compare_entries(const void *left, const void *right) {
  return cx_head_compare(&((const struct entry *)left)->principal,
                         &((const struct entry *)right)->principal);
}

/* Is it this entity, or (where the head says `in`) one that it is in? */
static bool is_within(const struct cedar_store *store, struct cedar_uid_text entity,
                      struct cedar_uid_text other, bool is_exact) {
  struct cedar_uid_text ancestor;
  uint32_t index, i;

  if (cx_head_compare(&entity, &other) == 0)
    return true;
  if (is_exact || !cedar_entity_find(store, entity, &index))
    return false;
  for (i = 0; cedar_entity_ancestor_at(store, index, i, &ancestor); i++)
    if (cx_head_compare(&ancestor, &other) == 0)
      return true;
  return false;
}

/* Does a part of the policy's head take this entity? */
bool cx_head_takes(const struct cedar_store *store, uint32_t policy, enum cedar_scope_part part,
                   struct cedar_uid_text entity) {
  struct cedar_scope_info info;
  struct cedar_uid_text named;
  uint32_t i;

  if (!cedar_policy_scope(store, policy, part, &info))
    return false;
  if (info.type.ptr != NULL && compare_text(info.type, entity.type) != 0)
    return false;
  for (i = 0; cedar_policy_scope_entity(store, policy, part, i, &named); i++)
    if (is_within(store, entity, named, info.is_exact))
      return true;
  return info.entity_count == 0;
}

static bool put_target(struct cx_reach *reach, uint32_t target) {
  if (reach->target_count == reach->target_room) {
    size_t room = reach->target_room == 0 ? 64 : 2 * reach->target_room;
    uint32_t *targets = realloc(reach->targets, room * sizeof *targets);

    if (targets == NULL)
      return false;
    reach->targets = targets;
    reach->target_room = room;
  }
  reach->targets[reach->target_count++] = target;
  return true;
}

static bool put_targets(struct cx_reach *reach, const struct cortex_policy *policy,
                        uint32_t index) {
  struct cedar_uid_text action = {cx_cedar_text("Action"), {NULL, 0}};
  struct cedar_uid_text service = {cx_cedar_text("Service"), {NULL, 0}};
  unsigned level;
  size_t i;

  for (level = 0; level < CX_REACH_LEVELS; level++) {
    action.id = cx_cedar_text(cortex_level_name(1u << level));
    if (!cx_head_takes(policy->store, index, CEDAR_SCOPE_ACTION, action))
      continue;
    for (i = 0; i < policy->service_count; i++) {
      service.id = cx_cedar_text(cx_service_name(policy, i));
      if (cx_head_takes(policy->store, index, CEDAR_SCOPE_RESOURCE, service) &&
          !put_target(reach, (uint32_t)(CX_REACH_LEVELS * i + level)))
        return false;
    }
  }
  return true;
}

static bool put_permit(struct cx_reach *reach, const struct cortex_policy *policy, uint32_t index) {
  struct cedar_scope_info scope;
  struct entry entry = {0};

  if (!cedar_policy_scope(policy->store, index, CEDAR_SCOPE_PRINCIPAL, &scope))
    return false;
  if (scope.type.ptr != NULL && compare_text(scope.type, cx_cedar_text("User")) != 0)
    return true;
  entry.first = (uint32_t)reach->target_count;
  if (!put_targets(reach, policy, index))
    return false;
  entry.count = (uint32_t)reach->target_count - entry.first;
  if (scope.entity_count == 1)
    cedar_policy_scope_entity(policy->store, index, CEDAR_SCOPE_PRINCIPAL, 0, &entry.principal);
  if (entry.count > 0)
    reach->entries[reach->entry_count++] = entry;
  return true;
}

bool cx_reach_new(const struct cortex_policy *policy, struct cx_reach **reach_out) {
  uint32_t count = cedar_store_policy_count(policy->store), i;
  size_t targets = CX_REACH_LEVELS * policy->service_count;
  struct cx_reach *reach = calloc(1, sizeof *reach);
  bool fine = reach != NULL;

  *reach_out = NULL;
  if (fine) {
    reach->entries = calloc((size_t)count + 1, sizeof *reach->entries);
    reach->marks = calloc(targets + 1, sizeof *reach->marks);
    reach->found = calloc(targets + 1, sizeof *reach->found);
    fine = reach->entries != NULL && reach->marks != NULL && reach->found != NULL;
  }
  for (i = 0; fine && i < count; i++) {
    struct cedar_policy_info info;

    if (cedar_policy_get(policy->store, i, &info) && info.effect == CEDAR_PERMIT &&
        info.kind != CEDAR_POLICY_TEMPLATE)
      fine = put_permit(reach, policy, i);
  }
  if (fine) {
    qsort(reach->entries, reach->entry_count, sizeof *reach->entries, compare_entries);
    *reach_out = reach;
    reach = NULL;
  }
  cx_reach_free(&reach);
  return fine;
}

void cx_reach_free(struct cx_reach **reach) {
  if (*reach == NULL)
    return;
  free((*reach)->entries);
  free((*reach)->targets);
  free((*reach)->marks);
  free((*reach)->found);
  free(*reach);
  *reach = NULL;
}

void cx_reach_meet(struct cx_reach *reach, const uint32_t *targets, size_t count) {
  size_t i;

  for (i = 0; i < count; i++) {
    if (reach->marks[targets[i]] == reach->round)
      continue;
    reach->marks[targets[i]] = reach->round;
    reach->found[reach->found_count++] = targets[i];
  }
}

static void collect(struct cx_reach *reach, const struct entry *entry) {
  cx_reach_meet(reach, reach->targets + entry->first, entry->count);
}

void cx_reach_begin(struct cx_reach *reach) {
  size_t i;

  reach->round++;
  reach->found_count = 0;
  for (i = 0; i < reach->entry_count && reach->entries[i].principal.type.ptr == NULL; i++)
    collect(reach, &reach->entries[i]);
}

void cx_reach_add(struct cx_reach *reach, struct cedar_uid_text principal) {
  size_t low = 0, high = reach->entry_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (cx_head_compare(&reach->entries[middle].principal, &principal) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  for (;
       low < reach->entry_count && cx_head_compare(&reach->entries[low].principal, &principal) == 0;
       low++)
    collect(reach, &reach->entries[low]);
}

size_t cx_reach_count(const struct cx_reach *reach) {
  return reach->found_count;
}

uint32_t cx_reach_get(const struct cx_reach *reach, size_t index) {
  return reach->found[index];
}
