/*
 * The question that the helper is asked: a response, and whom to believe.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "question.h"

#include "util/json.h"

static const char *text(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}

static bool is_provider(const json_t *item) {
  static const char *const needed[] = {"label", "audience", "acs_url"};
  size_t i;

  for (i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (text(item, needed[i]) == NULL)
      return false;
  return (text(item, "metadata") != NULL || text(item, "why") != NULL) &&
         json_is_array(json_object_get(item, "algorithms")) &&
         json_is_boolean(json_object_get(item, "unsolicited")) &&
         json_is_integer(json_object_get(item, "skew"));
}

static bool is_question(const json_t *json) {
  const json_t *providers = json_object_get(json, "providers"), *item;
  bool is_inspection = json_is_true(json_object_get(json, "inspect"));
  size_t i;

  if ((text(json, "response") == NULL) != is_inspection ||
      (is_inspection && json_array_size(providers) != 1) ||
      !json_is_integer(json_object_get(json, "now")) ||
      !json_is_array(providers) || cx_json_has_nul(json))
    return false;
  json_array_foreach(providers, i, item)
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
  question_out->is_inspection = json_is_true(json_object_get(question_out->json, "inspect"));
  question_out->response = text(question_out->json, "response");
  question_out->request = text(question_out->json, "request");
  question_out->now = json_integer_value(json_object_get(question_out->json, "now"));
  return CORTEX_OK;
}

void saml_question_clear(struct saml_question *question) {
  json_decref(question->json);
  question->json = NULL;
}

bool saml_question_provider(const struct saml_question *question, size_t index,
                            struct saml_provider *provider_out) {
  const json_t *item = json_array_get(json_object_get(question->json, "providers"), index);

  if (item == NULL)
    return false;
  *provider_out = (struct saml_provider){
      .label = text(item, "label"),
      .metadata = text(item, "metadata"),
      .why = text(item, "why"),
      .is_stale = json_is_true(json_object_get(item, "stale")),
      .entity_id = text(item, "entity_id"),
      .anchors = text(item, "anchors"),
      .audience = text(item, "audience"),
      .acs_url = text(item, "acs_url"),
      .key = text(item, "key"),
      .algorithms = json_object_get(item, "algorithms"),
      .unsolicited = json_is_true(json_object_get(item, "unsolicited")),
      .skew = json_integer_value(json_object_get(item, "skew")),
  };
  return true;
}
