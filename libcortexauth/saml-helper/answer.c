/*
 * The helper's one answer to one question.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "answer.h"

#include "metadata.h"
#include "response.h"

static void put_refusal(struct cx_buf *answer, enum cortex_reason reason,
                        const struct cortex_error *error) {
  cx_buf_put_text(answer, "{");
  cx_json_member_bool(answer, "ok", false);
  cx_json_member_text(answer, "error", cortex_reason_name(reason));
  cx_json_member_text(answer, "detail",
                      error->message[0] != '\0' ? error->message : cortex_reason_sentence(reason));
  if (error->source[0] != '\0')
    cx_json_member_text(answer, "label", error->source);
  cx_buf_put_text(answer, "}");
}

static enum cortex_reason inspect(const struct saml_question *question, struct cx_buf *facts,
                                  struct cortex_error *error) {
  struct saml_provider provider;

  if (!saml_question_provider(question, 0, &provider))
    return cx_error_set(error, CORTEX_INTERNAL, "there is no provider to look at");
  return saml_metadata_inspect(&provider, question->now, facts, error);
}

static enum cortex_reason put_facts(struct cx_buf *answer, const char *bytes, size_t len,
                                    struct cortex_error *error) {
  struct saml_question question;
  enum cortex_reason reason = saml_question_parse(bytes, len, &question, error);

  cx_buf_put_text(answer, "{");
  if (reason == CORTEX_OK)
    reason = question.is_inspection ? inspect(&question, answer, error)
                                    : saml_response_verify(&question, answer, error);
  cx_json_member_bool(answer, "ok", true);
  cx_buf_put_text(answer, "}");
  saml_question_clear(&question);
  return reason;
}

char *saml_answer(const char *bytes, size_t len) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;
  struct cx_buf answer;

  cx_buf_init(&answer, SAML_ANSWER_MAX);
  reason = put_facts(&answer, bytes, len, &error);
  if (reason != CORTEX_OK) {
    cx_buf_clear(&answer);
    put_refusal(&answer, reason, &error);
  }
  return cx_buf_take(&answer);
}
