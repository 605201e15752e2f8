/*
 * The helper's one answer to one question.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "metadata.h"
#include "response.h"

static json_t *make_refusal(enum cortex_reason reason, const struct cortex_error *error) {
  json_t *refusal =
      json_pack("{s:b, s:s, s:s}", "ok", 0, "error", cortex_reason_name(reason), "detail",
                error->message[0] != '\0' ? error->message : cortex_reason_sentence(reason));

  if (refusal != NULL && error->source[0] != '\0')
    json_object_set_new(refusal, "label", json_string(error->source));
  return refusal;
}

static enum cortex_reason inspect(const struct saml_question *question, json_t *facts,
                                  struct cortex_error *error) {
  struct saml_provider provider;

  if (!saml_question_provider(question, 0, &provider))
    return cx_error_set(error, CORTEX_INTERNAL, "there is no provider to look at");
  return saml_metadata_inspect(&provider, question->now, facts, error);
}

char *saml_answer(const char *bytes, size_t len) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct saml_question question;
  enum cortex_reason reason = saml_question_parse(bytes, len, &question, &error);
  json_t *answer = json_object();
  char *text;

  if (reason == CORTEX_OK)
    reason = question.is_inspection ? inspect(&question, answer, &error)
                                    : saml_response_verify(&question, answer, &error);
  if (reason == CORTEX_OK && json_object_set_new(answer, "ok", json_true()) != 0)
    reason = cx_error_memory(&error);
  if (reason != CORTEX_OK) {
    json_decref(answer);
    answer = make_refusal(reason, &error);
  }
  text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
  json_decref(answer);
  saml_question_clear(&question);
  return text;
}
