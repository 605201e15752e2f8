/*
 * An assertion's attributes (SAML core 2.7.3), by name only.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "attributes.h"

#include "tree.h"

static bool put_value(json_t *values, const xmlNode *value) {
  const char *text = saml_text(value);

  return json_array_append_new(values, text != NULL ? json_string(text) : json_null()) == 0;
}

/* 2.7.3.1: the name alone identifies; FriendlyName is for people and carries no meaning. */
static enum cortex_reason read_attribute(const xmlNode *attribute, json_t *attributes,
                                         struct cortex_error *error) {
  const char *name = saml_attribute(attribute, "Name");
  const xmlNode *value = saml_child(attribute, NS_ASSERTION, "AttributeValue");
  json_t *values;

  if (name == NULL || *name == '\0')
    return cx_error_set(error, CORTEX_MALFORMED, "an attribute has no name");
  values = json_object_get(attributes, name);
  if (values == NULL) {
    values = json_array();
    if (json_object_set_new(attributes, name, values) != 0)
      return cx_error_memory(error);
  }
  for (; value != NULL; value = saml_sibling(value, NS_ASSERTION, "AttributeValue"))
    if (!put_value(values, value))
      return cx_error_memory(error);
  return CORTEX_OK;
}

enum cortex_reason saml_attributes_read(const xmlNode *assertion, json_t *facts,
                                        struct cortex_error *error) {
  const xmlNode *statement = saml_child(assertion, NS_ASSERTION, "AttributeStatement"), *item;
  json_t *attributes = json_object();
  enum cortex_reason reason = CORTEX_OK;

  if (json_object_set_new(facts, "attributes", attributes) != 0)
    return cx_error_memory(error);
  for (; statement != NULL; statement = saml_sibling(statement, NS_ASSERTION, "AttributeStatement")) {
    item = saml_child(statement, NS_ASSERTION, "Attribute");
    for (; item != NULL && reason == CORTEX_OK; item = saml_sibling(item, NS_ASSERTION, "Attribute"))
      reason = read_attribute(item, attributes, error);
  }
  return reason;
}
