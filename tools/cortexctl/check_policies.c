/*
 * The policies' part of cortexctl check: annotations that are nearly one of those that count.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static size_t same_start(const char *a, const char *b) {
  size_t n = 0;

  while (a[n] != '\0' && a[n] == b[n])
    n++;
  return n;
}

/* One letter more, less, other or changed places with the next; or another letter case alone. */
static bool is_nearly(const char *text, const char *word) {
  size_t at = same_start(text, word), left = strlen(text) - at, right = strlen(word) - at;

  text += at;
  word += at;
  if (left == right && left > 1 && text[0] == word[1] && text[1] == word[0])
    return strcmp(text + 2, word + 2) == 0;
  return strcmp(text + (left > 0 && left >= right), word + (right > 0 && right >= left)) == 0 ||
         strcasecmp(text, word) == 0;
}

static void check_annotation(struct check *check, const struct cedar_policy_info *policy,
                             struct cedar_text key) {
  static const char *const known[] = {"max_session", "reason"};
  char name[32], source[256];
  size_t i;

  if (snprintf(name, sizeof name, "%.*s", (int)key.len, key.ptr) >= (int)sizeof name)
    return;
  snprintf(source, sizeof source, "%.*s", (int)policy->source.len, policy->source.ptr);
  for (i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(name, known[i]) != 0 && is_nearly(name, known[i]))
      check_find(check, CHECK_ANNOTATION_UNKNOWN,
                 (struct check_place){source, policy->line, policy->column},
                 "policy \"%.*s\": the annotation @%s has no effect; @%s has", (int)policy->id.len,
                 policy->id.ptr, name, known[i]);
}

void check_policies(struct check *check) {
  const struct cedar_store *store = cortex_policy_store(check->policy);
  struct cedar_policy_info policy;
  struct cedar_text key, value;
  uint32_t i, j;

  for (i = 0; cedar_policy_get(store, i, &policy); i++)
    for (j = 0;
         policy.kind != CEDAR_POLICY_LINK && cedar_policy_annotation_at(store, i, j, &key, &value);
         j++)
      check_annotation(check, &policy, key);
}
