/*
 * Findings of a validation: collected by policy, each once.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "validate.h"

void cedar_report_init(struct cedar_report *report, struct cedar_arena *arena,
                       const struct cedar_store *store) {
  size_t i;

  memset(report, 0, sizeof(*report));
  report->arena = arena;
  report->store = store;
  for (i = 0; i < 2; i++)
    report->lists[i].last = &report->lists[i].first;
}

void cedar_report_policy(struct cedar_report *report, uint32_t policy) {
  size_t i;

  report->policy = policy;
  for (i = 0; i < 2; i++) {
    report->lists[i].policy_first = NULL;
    report->lists[i].policy_count = 0;
  }
}

/* The same error comes up in many environments. */
static bool is_known(const struct cedar_finding_list *list, struct cedar_place place,
                     const char *message) {
  const struct cedar_finding_item *item;

  for (item = list->policy_first; item != NULL; item = item->next)
    if (item->finding.line == place.line && item->finding.column == place.column &&
        strcmp(item->finding.message, message) == 0)
      return true;
  return false;
}

enum cedar_status cedar_report_add(struct cedar_report *report, enum cedar_severity severity,
                                   struct cedar_place place, const char *message) {
  struct cedar_finding_list *list = &report->lists[severity];
  const struct cedar_policy *policy = &report->store->policies.at[report->policy];
  struct cedar_finding_item *item;

  if (list->policy_count == CEDAR_MAX_FINDINGS || is_known(list, place, message))
    return CEDAR_OK;
  item = cedar_arena_get_array(report->arena, 1, sizeof(*item));
  if (item == NULL)
    return CEDAR_NOMEM;
  item->finding.message = cedar_arena_dup(report->arena, message, strlen(message));
  if (item->finding.message == NULL)
    return CEDAR_NOMEM;
  item->finding.policy = report->policy;
  item->finding.policy_id = cedar_sym_text(report->store, policy->id);
  item->finding.source = cedar_sym_text(report->store, policy->source);
  item->finding.line = place.line;
  item->finding.column = place.column;
  *list->last = item;
  list->last = &item->next;
  if (list->policy_first == NULL)
    list->policy_first = item;
  list->policy_count++;
  list->count++;
  return CEDAR_OK;
}

enum cedar_status cedar_report_array(struct cedar_report *report, enum cedar_severity severity,
                                     const struct cedar_finding **array_out) {
  const struct cedar_finding_list *list = &report->lists[severity];
  struct cedar_finding *array = cedar_arena_get_array(report->arena, list->count, sizeof(*array));
  const struct cedar_finding_item *item;
  uint32_t n = 0;

  *array_out = array;
  if (array == NULL)
    return CEDAR_NOMEM;
  for (item = list->first; item != NULL; item = item->next)
    array[n++] = item->finding;
  return CEDAR_OK;
}
