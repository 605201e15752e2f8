/*
 * The question that the helper is asked: a response, and whom to believe.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "question.h"

#include "util/json.h"

static const char *text(const cx_json *object, const char *name) {
  return cx_json_text(cx_json_get(object, name));
}

static bool is_provider(const cx_json *item) {
  static const char *const needed[] = {"label", "audience", "acs_url"};
  size_t i;

  for (i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (text(item, needed[i]) == NULL)
      return false;
  return (text(item, "metadata") != NULL || text(item, "why") != NULL) &&
         cx_json_is_array(cx_json_get(item, "algorithms")) &&
         cx_json_is_boolean(cx_json_get(item, "unsolicited")) &&
         cx_json_is_integer(cx_json_get(item, "skew"));
}

static bool is_question(const cx_json *json) {
  const cx_json *providers = cx_json_get(json, "providers"), *item;
  bool is_inspection = cx_json_is_true(cx_json_get(json, "inspect"));

  if ((text(json, "response") == NULL) != is_inspection ||
      (is_inspection && cx_json_count(providers) != 1) ||
      !cx_json_is_integer(cx_json_get(json, "now")) || !cx_json_is_array(providers) ||
      cx_json_has_nul(json))
    return false;
  for (item = cx_json_items(providers); item != NULL; item = item->next)
    if (!is_provider(item))
      return false;
  return true;
}

enum cortex_reason saml_question_parse(const char *bytes, size_t len,
                                       struct saml_question *question_out,
                                       struct cortex_error *error) {
  enum cortex_reason reason;

  *question_out = (struct saml_question){.json = NULL};
  reason = cx_json_parse("question", bytes, len, &question_out->json, error);
  if (reason == CORTEX_OK && !is_question(question_out->json))
    reason = cx_error_set(error, CORTEX_INTERNAL, "the question is not one that is understood");
  if (reason != CORTEX_OK)
    return reason;
  question_out->is_inspection = cx_json_is_true(cx_json_get(question_out->json, "inspect"));
  question_out->response = text(question_out->json, "response");
  question_out->request = text(question_out->json, "request");
  question_out->now = cx_json_integer(cx_json_get(question_out->json, "now"));
  return CORTEX_OK;
}

void saml_question_clear(struct saml_question *question) {
  cx_json_release(question->json);
  question->json = NULL;
}

bool saml_question_provider(const struct saml_question *question, size_t index,
                            struct saml_provider *provider_out) {
  const cx_json *item = cx_json_items(cx_json_get(question->json, "providers"));

  for (; item != NULL && index > 0; index--)
    item = item->next;
  if (item == NULL)
    return false;
  *provider_out = (struct saml_provider){
      .label = text(item, "label"),
      .metadata = text(item, "metadata"),
      .why = text(item, "why"),
      .is_stale = cx_json_is_true(cx_json_get(item, "stale")),
      .entity_id = text(item, "entity_id"),
      .anchors = text(item, "anchors"),
      .audience = text(item, "audience"),
      .acs_url = text(item, "acs_url"),
      .key = text(item, "key"),
      .algorithms = cx_json_get(item, "algorithms"),
      .unsolicited = cx_json_is_true(cx_json_get(item, "unsolicited")),
      .skew = cx_json_integer(cx_json_get(item, "skew")),
  };
  return true;
}
