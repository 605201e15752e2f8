/*
 * Recall: a person who stands to the policies as another did gets the same answer, unasked.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy/recall.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reach.h"

/* A person's standing at one target is a set of bits, one for each entity that is named there. */
#define WATCHED_MAX 64

/* So many answers are kept for one target: more kinds of people are asked about one by one. */
#define ANSWERS_MAX 256

struct answer {
  uint64_t bits;
  struct cortex_standing_level level;
};

struct target {
  bool is_open; /* a policy looks at the principal itself, or too many entities are named */
  uint32_t watched[WATCHED_MAX]; /* positions in named */
  uint32_t watched_count;
  struct answer *answers;
  size_t answer_count;
};

struct cx_recall {
  struct cedar_uid_text *named; /* by the policies' heads, for the principal; sorted, each once */
  size_t named_count;
  uint32_t *marks; /* by position in named: the round of the last person who is in it */
  uint32_t round;
  struct target *targets;
  size_t target_count;
};

/* ---- what policies look at ---- */

/* Counts the word `principal` in a policy's text, strings left out. */
struct looks {
  char word[16];
  size_t len;
  unsigned count;
  bool in_string;
  bool is_escaped;
};

static void end_word(struct looks *looks) {
  looks->count += looks->len == 9 && memcmp(looks->word, "principal", 9) == 0;
  looks->len = 0;
}

static void look_at(struct looks *looks, char byte) {
  if (looks->in_string) {
    looks->in_string = looks->is_escaped || byte != '"';
    looks->is_escaped = !looks->is_escaped && byte == '\\';
  } else if (isalnum((unsigned char)byte) || byte == '_') {
    looks->word[looks->len < sizeof looks->word ? looks->len++ : 0] = byte;
  } else {
    end_word(looks);
    looks->in_string = byte == '"';
  }
}

static bool take_text(void *context, const char *bytes, size_t len) {
  size_t i;

  for (i = 0; i < len; i++)
    look_at(context, bytes[i]);
  return true;
}

/* The head says the word once. A name in the policy that looks like it costs time, nothing else. */
static bool looks_beyond_head(const struct cedar_store *store, uint32_t policy) {
  struct looks looks = {0};
  struct cedar_sink sink = {take_text, &looks};

  if (cedar_policy_print(store, policy, &sink) != CEDAR_OK)
    return true;
  end_word(&looks);
  return looks.count != 1;
}

/* ---- making ---- */

static int compare_named(const void *left, const void *right) {
  return cx_head_compare(left, right);
}

/* Position of an entity among the named; named_count when nothing names it. */
static size_t find_named(const struct cx_recall *recall, const struct cedar_uid_text *entity) {
  size_t low = 0, high = recall->named_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cx_head_compare(&recall->named[middle], entity);

    if (order == 0)
      return middle;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return recall->named_count;
}

static bool principal_of(const struct cedar_store *store, uint32_t policy,
                         struct cedar_uid_text *entity_out) {
  struct cedar_scope_info scope;

  return cedar_policy_scope(store, policy, CEDAR_SCOPE_PRINCIPAL, &scope) &&
         scope.entity_count == 1 &&
         cedar_policy_scope_entity(store, policy, CEDAR_SCOPE_PRINCIPAL, 0, entity_out);
}

static bool read_named(struct cx_recall *recall, const struct cedar_store *store) {
  uint32_t count = cedar_store_policy_count(store), i;
  size_t kept = 0;

  recall->named = calloc((size_t)count + 1, sizeof *recall->named);
  recall->marks = calloc((size_t)count + 1, sizeof *recall->marks);
  if (recall->named == NULL || recall->marks == NULL)
    return false;
  for (i = 0; i < count; i++)
    recall->named_count += principal_of(store, i, &recall->named[recall->named_count]);
  qsort(recall->named, recall->named_count, sizeof *recall->named, compare_named);
  for (i = 0; i < recall->named_count; i++)
    if (i == 0 || cx_head_compare(&recall->named[i], &recall->named[kept - 1]) != 0)
      recall->named[kept++] = recall->named[i];
  recall->named_count = kept;
  return true;
}

static void watch(struct target *target, uint32_t position) {
  uint32_t i;

  for (i = 0; i < target->watched_count; i++)
    if (target->watched[i] == position)
      return;
  if (target->watched_count == WATCHED_MAX)
    target->is_open = true;
  else
    target->watched[target->watched_count++] = position;
}

/* What one policy, of whichever effect, means for each target that its head lets it reach. */
static void read_policy(struct cx_recall *recall, const struct cortex_policy *policy,
                        uint32_t index) {
  struct cedar_uid_text action = {cx_cedar_text("Action"), {NULL, 0}}, entity;
  struct cedar_uid_text service = {cx_cedar_text("Service"), {NULL, 0}};
  bool is_open = looks_beyond_head(policy->store, index), has_entity;
  unsigned level;
  size_t i;

  has_entity = principal_of(policy->store, index, &entity);
  for (level = 0; level < CX_REACH_LEVELS; level++) {
    action.id = cx_cedar_text(cortex_level_name(1u << level));
    if (!cx_head_takes(policy->store, index, CEDAR_SCOPE_ACTION, action))
      continue;
    for (i = 0; i < policy->service_count; i++) {
      struct target *target = &recall->targets[CX_REACH_LEVELS * i + level];

      service.id = cx_cedar_text(cx_service_name(policy, i));
      if (!cx_head_takes(policy->store, index, CEDAR_SCOPE_RESOURCE, service))
        continue;
      target->is_open = target->is_open || is_open;
      if (has_entity)
        watch(target, (uint32_t)find_named(recall, &entity));
    }
  }
}

bool cx_recall_new(const struct cortex_policy *policy, struct cx_recall **recall_out) {
  struct cx_recall *recall = calloc(1, sizeof *recall);
  struct cedar_policy_info info;
  bool fine = false;
  uint32_t i;

  *recall_out = NULL;
  if (recall == NULL)
    return false;
  recall->target_count = CX_REACH_LEVELS * policy->service_count;
  recall->targets = calloc(recall->target_count + 1, sizeof *recall->targets);
  fine = recall->targets != NULL && read_named(recall, policy->store);
  for (i = 0; fine && cedar_policy_get(policy->store, i, &info); i++)
    if (info.kind != CEDAR_POLICY_TEMPLATE)
      read_policy(recall, policy, i);
  if (fine) {
    *recall_out = recall;
    recall = NULL;
  }
  cx_recall_free(&recall);
  return fine;
}

void cx_recall_free(struct cx_recall **recall) {
  size_t i;

  if (*recall == NULL)
    return;
  for (i = 0; (*recall)->targets != NULL && i < (*recall)->target_count; i++)
    free((*recall)->targets[i].answers);
  free((*recall)->targets);
  free((*recall)->named);
  free((*recall)->marks);
  free(*recall);
  *recall = NULL;
}

/* ---- asking ---- */

void cx_recall_begin(struct cx_recall *recall) {
  recall->round++;
}

bool cx_recall_find(const struct cx_recall *recall, struct cedar_uid_text entity,
                    uint32_t *position_out) {
  *position_out = (uint32_t)find_named(recall, &entity);
  return *position_out < recall->named_count;
}

void cx_recall_mark(struct cx_recall *recall, const uint32_t *positions, size_t count) {
  size_t i;

  for (i = 0; i < count; i++)
    recall->marks[positions[i]] = recall->round;
}

static uint64_t bits_of(const struct cx_recall *recall, const struct target *target) {
  uint64_t bits = 0;
  uint32_t i;

  for (i = 0; i < target->watched_count; i++)
    if (recall->marks[target->watched[i]] == recall->round)
      bits |= UINT64_C(1) << i;
  return bits;
}

const struct cortex_standing_level *cx_recall_get(const struct cx_recall *recall, uint32_t number) {
  const struct target *target = &recall->targets[number];
  uint64_t bits;
  size_t i;

  if (target->is_open || target->answer_count == 0)
    return NULL;
  bits = bits_of(recall, target);
  for (i = 0; i < target->answer_count; i++)
    if (target->answers[i].bits == bits)
      return &target->answers[i].level;
  return NULL;
}

bool cx_recall_put(struct cx_recall *recall, uint32_t number,
                   const struct cortex_standing_level *answer) {
  struct target *target = &recall->targets[number];
  struct answer *answers;

  if (target->is_open || target->answer_count == ANSWERS_MAX)
    return true;
  answers = realloc(target->answers, (target->answer_count + 1) * sizeof *answers);
  if (answers == NULL)
    return false;
  target->answers = answers;
  answers[target->answer_count++] = (struct answer){bits_of(recall, target), *answer};
  return true;
}
