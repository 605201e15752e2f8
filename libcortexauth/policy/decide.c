/*
 * Decision: what the policy says an identity may do on a service.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "identity/role.h"
#include "policy/image.h"
#include "util/text.h"

/* The longest service name: with a role behind it, it must fit a Role's id. */
#define SERVICE_MAX 255

struct cortex_decision {
  enum cortex_effect effect;
  unsigned levels;
  unsigned standing; /* of these, the ones that no login can lose; known where roles are made */
  int64_t session_until;
  struct cortex_determining *determining; /* strings are the decision's own */
  size_t determining_count;
};

unsigned cx_question_own_level(const struct cortex_policy *policy,
                               const struct cortex_question *question) {
  const char *username = question->identity->username;
  size_t len = strlen(username);
  unsigned level;

  /* A username has no "/", so nobody else's role looks like this. */
  if (!policy->jit || question->role == NULL || strncmp(question->role, username, len) != 0 ||
      question->role[len] != '/')
    return 0;
  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ADMIN; level <<= 1)
    if (strcmp(question->role + len + 1, cortex_level_name(level)) == 0)
      return level;
  return 0;
}

bool cx_question_assumes(const struct cortex_policy *policy,
                         const struct cortex_question *question) {
  return question->role != NULL && strcmp(question->role, question->identity->username) != 0 &&
         cx_question_own_level(policy, question) == 0;
}

unsigned cx_question_levels(const struct cortex_policy *policy,
                            const struct cortex_question *question) {
  unsigned own = cx_question_own_level(policy, question);

  if (own != 0)
    return own;
  return cx_question_assumes(policy, question)
             ? CORTEX_LEVEL_ASSUME
             : (unsigned)(CORTEX_LEVEL_READ | CORTEX_LEVEL_WRITE | CORTEX_LEVEL_ADMIN);
}

enum cortex_reason cx_question_check(const struct cortex_policy *policy,
                                     const struct cortex_question *question,
                                     struct cortex_error *error) {
  const char *database = cx_service_database(policy, question->service);

  if (database == NULL || strlen(question->service) > SERVICE_MAX)
    return cx_error_set(error, CORTEX_SERVICE_UNKNOWN, "the entities file has no Service::\"%s\"",
                        question->service);
  if (question->database != NULL && question->database[0] == '\0')
    return cx_error_set(error, CORTEX_SERVICE_MISMATCH,
                        "which database is entered cannot be told: replication, a process title "
                        "that is cut short, or names of user, database and cluster that can be "
                        "read in two ways; see pam_cortex(8)");
  if (question->database != NULL && strcmp(question->database, database) != 0)
    return cx_error_set(error, CORTEX_SERVICE_MISMATCH,
                        "the service \"%s\" is the database \"%s\", not \"%s\"", question->service,
                        database, question->database);
  if (cx_question_own_level(policy, question) != 0)
    return strlen(question->role) <= CX_ROLE_MAX
               ? CORTEX_OK
               : cx_error_set(error, CORTEX_BAD_USERNAME, "a role name has 1 to %d bytes, not %zu",
                              CX_ROLE_MAX, strlen(question->role));
  if (!cx_question_assumes(policy, question))
    return CORTEX_OK;
  if (!policy->assume)
    return cx_error_set(error, CORTEX_ASSUME_DENIED,
                        "\"%s\" asked for the role \"%s\", and shared roles are off "
                        "([roles] assume = no)",
                        question->identity->username, question->role);
  return cx_role_check(question->role, &policy->protected, error);
}

static struct cortex_determining *append(struct cortex_decision *decision) {
  size_t count = decision->determining_count;
  struct cortex_determining *items =
      realloc(decision->determining, (count + 1) * sizeof *decision->determining);

  if (items == NULL)
    return NULL;
  decision->determining = items;
  items[count] = (struct cortex_determining){0};
  decision->determining_count++;
  return &items[count];
}

static bool keep(struct cortex_decision *decision, const struct cortex_policy *policy,
                 uint32_t index, unsigned level, const char *failure) {
  struct cortex_determining *item = append(decision);
  struct cedar_policy_info info;
  struct cedar_text text;

  if (item == NULL || !cedar_policy_get(policy->store, index, &info))
    return false;
  item->line = info.line;
  item->level = level;
  item->forbids = info.effect == CEDAR_FORBID;
  item->id = cx_cedar_dup(info.id);
  item->source = cx_cedar_dup(info.source);
  if (failure != NULL && (item->failure = strdup(failure)) == NULL)
    return false;
  if (cedar_policy_annotation_get(policy->store, index, "reason", &text) &&
      (item->reason = cx_cedar_dup(text)) == NULL)
    return false;
  return item->id != NULL && item->source != NULL;
}

/* The shortest @max_session of the permits that decided; load has checked that it is one. */
static void shorten(const struct cortex_policy *policy, uint32_t index, int64_t *limit) {
  struct cedar_text value;
  char text[64];
  int64_t seconds;

  if (!cedar_policy_annotation_get(policy->store, index, "max_session", &value) ||
      value.len >= sizeof text)
    return;
  memcpy(text, value.ptr, value.len);
  text[value.len] = '\0';
  if (cx_text_parse_duration(text, &seconds) && (*limit == 0 || seconds < *limit))
    *limit = seconds;
}

struct asking {
  const struct cortex_policy *policy;
  struct cedar_request *request;
  struct cortex_decision *decision;
  int64_t limit; /* seconds; 0: no permit had a @max_session */
};

/* Asks for one level and adds its answer to the decision. */
static enum cortex_reason ask(struct asking *asking, unsigned level, struct cortex_error *error) {
  struct cedar_error why = {0};
  struct cedar_answer answer;
  bool kept = true;
  uint32_t i;

  if (cedar_authorize(asking->request, &answer, &why) != CEDAR_OK)
    return cx_policy_error(error, CORTEX_INTERNAL, &why);
  for (i = 0; i < answer.reason_count && kept; i++) {
    kept = keep(asking->decision, asking->policy, answer.reasons[i], level, NULL);
    if (answer.decision == CEDAR_ALLOW)
      shorten(asking->policy, answer.reasons[i], &asking->limit);
  }
  for (i = 0; i < answer.error_count && kept; i++)
    kept = keep(asking->decision, asking->policy, answer.errors[i].policy, level,
                answer.errors[i].message);
  if (!kept)
    return cx_error_memory(error);
  if (answer.decision == CEDAR_ALLOW)
    asking->decision->levels |= level;
  return CORTEX_OK;
}

static int64_t session_end(const struct cortex_policy *policy,
                           const struct cortex_question *question, int64_t limit) {
  const struct cortex_identity *identity = question->identity;
  int64_t now = question->now / 1000000;
  int64_t end;

  if (limit > 0)
    end = now + limit;
  else if (identity->session_not_on_or_after > 0)
    end = identity->session_not_on_or_after;
  else if (identity->usable_until > 0)
    end = identity->usable_until;
  else
    end = now + policy->session_default;
  return end < now + policy->session_max ? end : now + policy->session_max;
}

static enum cortex_reason ask_levels(const struct cortex_policy *policy,
                                     const struct cortex_question *question,
                                     struct cortex_decision *decision, struct cortex_error *error) {
  unsigned wanted = cx_question_levels(policy, question), level;
  struct asking asking = {policy, NULL, decision, 0};
  enum cortex_reason reason = cx_request_build(policy, question, &asking.request, error);

  for (level = 1; reason == CORTEX_OK && level <= wanted; level <<= 1) {
    if ((wanted & level) == 0)
      continue;
    cx_request_ask(asking.request, level);
    reason = ask(&asking, level, error);
  }
  cedar_request_free(&asking.request);
  if (reason != CORTEX_OK)
    return reason;
  if (decision->levels == 0)
    return cx_error_set(error,
                        wanted == CORTEX_LEVEL_ASSUME ? CORTEX_ASSUME_DENIED : CORTEX_POLICY_DENIED,
                        "the policy permits \"%s\" nothing on the service \"%s\"",
                        question->identity->username, question->service);
  decision->session_until = session_end(policy, question, asking.limit);
  if (policy->jit && wanted != CORTEX_LEVEL_ASSUME)
    reason = cx_standing_levels(policy, question, decision->levels, &decision->standing, error);
  if (reason == CORTEX_OK)
    decision->effect = CORTEX_ALLOW;
  return reason;
}

static enum cortex_reason refuse_image(struct cortex_decision *decision,
                                       struct cortex_error *error) {
  decision->effect = CORTEX_DENY;
  decision->levels = 0;
  decision->standing = 0;
  decision->session_until = 0;
  if (error != NULL)
    *error = (struct cortex_error)CORTEX_ERROR_NONE;
  return cx_error_set(error, CORTEX_POLICY_UNAVAILABLE,
                      "the policy image was written to while it was read");
}

enum cortex_reason cortex_decide(const struct cortex_policy *policy,
                                 const struct cortex_question *question,
                                 struct cortex_decision **decision_out,
                                 struct cortex_error *error) {
  struct cortex_decision *decision = calloc(1, sizeof *decision);
  enum cortex_reason reason;

  *decision_out = NULL;
  if (decision == NULL)
    return cx_error_memory(error);
  reason = cx_question_check(policy, question, error);
  if (reason == CORTEX_OK)
    reason = ask_levels(policy, question, decision, error);
  /* Neither an allow nor a deny may rest on what was not in the file when it was opened. */
  if (!cx_image_is_good(policy))
    reason = refuse_image(decision, error);
  if (reason == CORTEX_INTERNAL)
    cortex_decision_free(&decision);
  *decision_out = decision;
  return reason;
}

void cortex_decision_free(struct cortex_decision **decision) {
  size_t i;

  if (decision == NULL || *decision == NULL)
    return;
  for (i = 0; i < (*decision)->determining_count; i++) {
    const struct cortex_determining *item = &(*decision)->determining[i];

    free((char *)item->id);
    free((char *)item->source);
    free((char *)item->reason);
    free((char *)item->failure);
  }
  free((*decision)->determining);
  free(*decision);
  *decision = NULL;
}

enum cortex_effect cortex_decision_effect(const struct cortex_decision *decision) {
  return decision != NULL ? decision->effect : CORTEX_DENY;
}

unsigned cortex_decision_levels(const struct cortex_decision *decision) {
  return decision != NULL ? decision->levels : 0;
}

unsigned cx_decision_standing(const struct cortex_decision *decision) {
  return decision->standing;
}

int64_t cortex_decision_session_until(const struct cortex_decision *decision) {
  return decision != NULL ? decision->session_until : 0;
}

bool cortex_decision_determining(const struct cortex_decision *decision, size_t index,
                                 struct cortex_determining *determining_out) {
  if (decision == NULL || index >= decision->determining_count)
    return false;
  *determining_out = decision->determining[index];
  return true;
}
