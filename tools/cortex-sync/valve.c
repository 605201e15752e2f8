/*
 * Valves: plans that take so much away that a person should look first.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "valve.h"

#include <stdlib.h>

static size_t count_logins(const struct model *model) {
  size_t count = 0;
  uint32_t i;

  for (i = 0; i < model->names.count; i++)
    count +=
        model->roles[i].kind == ROLE_LOGIN && model->roles[i].can_login && !model->roles[i].is_lent;
  return count;
}

bool valve_is_too_many(size_t removed, size_t there) {
  return removed > VALVE_COUNT && removed * 100 > there * VALVE_PERCENT;
}

static void count_members(const struct model *model, const struct edges *edges, size_t *counts) {
  size_t i;

  for (i = 0; i < edges->count; i++)
    counts[edges->items[i].role] += !model->roles[edges->items[i].member].is_lent;
}

/* Gains count too: a group whose members are all exchanged is not empty. */
static bool is_group_emptied(const struct model *model, const struct plan *plan) {
  size_t count = model->names.count, i;
  size_t *had = calloc(count + 1, sizeof *had), *lost = calloc(count + 1, sizeof *lost);
  size_t *gained = calloc(count + 1, sizeof *gained);
  bool emptied = had == NULL || lost == NULL || gained == NULL; /* without memory: refuse */

  if (!emptied) {
    count_members(model, &model->ours, had);
    count_members(model, &model->altered, had);
    count_members(model, &plan->revoke, lost);
    count_members(model, &plan->cut_edges, lost);
    count_members(model, &plan->grant, gained);
  }
  for (i = 0; !emptied && i < count; i++)
    emptied = had[i] >= VALVE_GROUP && lost[i] >= had[i] && gained[i] == 0;
  free(had);
  free(lost);
  free(gained);
  return emptied;
}

bool valve_check(const struct model *model, const struct plan *plan, int64_t allowed,
                 struct valve *valve_out) {
  size_t edges = plan->revoke.count + plan->cut_edges.count;

  *valve_out = (struct valve){.removals = plan_removals(plan)};
  if (model->is_empty)
    valve_out->why[valve_out->count++] = "the directory names nobody";
  if (is_group_emptied(model, plan))
    valve_out->why[valve_out->count++] = "a group role of three or more members would have none";
  if (valve_is_too_many(plan->cut.count, count_logins(model)))
    valve_out->why[valve_out->count++] = "more than 10 % of the people would lose their login";
  if (valve_is_too_many(edges, model->ours.count + model->altered.count))
    valve_out->why[valve_out->count++] = "more than 10 % of the memberships would be revoked";
  if (allowed != VALVE_NOT_GIVEN)
    return valve_out->removals <= (size_t)allowed;
  return valve_out->count == 0;
}
