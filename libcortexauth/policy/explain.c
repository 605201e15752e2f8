/*
 * Why a decision is as it is, in lines for people.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "util/buf.h"

/* Each permit that came near shows the whole value of a claim, and thousands may have decided. */
#define TEXT_MAX (64 * 1024 * 1024)
#define NEAR_MAX 5

struct telling {
  const struct cortex_policy *policy;
  struct cx_buf text;
};

/* "  ID (FILE:LINE)" and its @reason, without a newline. */
static void tell_policy(struct telling *telling, uint32_t index) {
  struct cedar_policy_info info;
  struct cedar_text reason;

  if (!cedar_policy_get(telling->policy->store, index, &info))
    return;
  cx_buf_printf(&telling->text, "  %s \"%.*s\" (%.*s:%u)",
                info.effect == CEDAR_FORBID ? "forbid" : "permit", (int)info.id.len, info.id.ptr,
                (int)info.source.len, info.source.ptr, (unsigned)info.line);
  if (cedar_policy_annotation_get(telling->policy->store, index, "reason", &reason))
    cx_buf_printf(&telling->text, ": %.*s", (int)reason.len, reason.ptr);
}

static void tell_answer(struct telling *telling, const struct cedar_answer *answer) {
  uint32_t i;

  for (i = 0; i < answer->reason_count; i++) {
    tell_policy(telling, answer->reasons[i]);
    cx_buf_put_text(&telling->text, "\n");
  }
  for (i = 0; i < answer->error_count; i++) {
    tell_policy(telling, answer->errors[i].policy);
    cx_buf_printf(&telling->text, "\n    could not be evaluated and was skipped: %s\n",
                  answer->errors[i].message);
  }
}

static void tell_near(struct telling *telling, const struct cedar_near_miss *near) {
  uint32_t i;

  tell_policy(telling, near->policy);
  cx_buf_printf(&telling->text, "\n    line %u: %s %s\n", (unsigned)near->line, near->clause,
                near->outcome);
  for (i = 0; i < near->observation_count; i++)
    cx_buf_printf(&telling->text, "      %s = %s\n", near->observations[i].expression,
                  near->observations[i].value);
}

static enum cortex_reason tell_level(struct telling *telling, struct cedar_request *request,
                                     unsigned level, struct cortex_error *error) {
  struct cedar_explanation explanation;
  struct cedar_error why = {0};
  uint32_t i;

  if (cedar_explain(request, NEAR_MAX, &explanation, &why) != CEDAR_OK)
    return cx_policy_error(error, CORTEX_INTERNAL, &why);
  cx_buf_printf(&telling->text, "%s: %s\n", cortex_level_name(level),
                explanation.answer.decision == CEDAR_ALLOW ? "allowed by"
                : explanation.answer.reason_count > 0      ? "denied by"
                                                           : "denied, no permit applies");
  tell_answer(telling, &explanation.answer);
  if (explanation.near_count > 0)
    cx_buf_put_text(&telling->text, "  nearest:\n");
  for (i = 0; i < explanation.near_count; i++)
    tell_near(telling, &explanation.near[i]);
  return CORTEX_OK;
}

static enum cortex_reason tell_levels(struct telling *telling,
                                      const struct cortex_question *question,
                                      struct cortex_error *error) {
  unsigned wanted = cx_question_levels(telling->policy, question), level;
  struct cedar_request *request = NULL;
  enum cortex_reason reason = cx_request_build(telling->policy, question, &request, error);

  for (level = 1; reason == CORTEX_OK && level <= wanted; level <<= 1) {
    if ((wanted & level) == 0)
      continue;
    cx_request_ask(request, level);
    reason = tell_level(telling, request, level, error);
  }
  cedar_request_free(&request);
  return reason;
}

enum cortex_reason cortex_explain(const struct cortex_policy *policy,
                                  const struct cortex_question *question, char **text_out,
                                  struct cortex_error *error) {
  struct telling telling = {.policy = policy};
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  *text_out = NULL;
  cx_buf_init(&telling.text, TEXT_MAX);
  reason = cx_question_check(policy, question, &why);
  if (reason == CORTEX_OK)
    reason = tell_levels(&telling, question, error);
  else
    cx_buf_printf(&telling.text, "no policy was asked: %s\n", why.message);
  if (reason == CORTEX_INTERNAL) {
    cx_buf_clear(&telling.text);
    return reason;
  }
  *text_out = cx_buf_take(&telling.text);
  return *text_out != NULL ? CORTEX_OK : cx_error_memory(error);
}
