/*
 * An assertion's attributes (SAML core 2.7.3), by name only.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "attributes.h"

#include <string.h>

#include "tree.h"
#include "util/json.h"

/* An attribute and the statement around it, in the order of the text. */
struct place {
  const xmlNode *statement;
  const xmlNode *attribute;
};

static void step(struct place *place) {
  place->attribute = place->attribute == NULL
                         ? saml_child(place->statement, NS_ASSERTION, "Attribute")
                         : saml_sibling(place->attribute, NS_ASSERTION, "Attribute");
  while (place->attribute == NULL && place->statement != NULL) {
    place->statement = saml_sibling(place->statement, NS_ASSERTION, "AttributeStatement");
    place->attribute = saml_child(place->statement, NS_ASSERTION, "Attribute");
  }
}

static struct place first(const xmlNode *assertion) {
  struct place place = {saml_child(assertion, NS_ASSERTION, "AttributeStatement"), NULL};

  step(&place);
  return place;
}

static bool is_named(const struct place *place, const char *name) {
  return strcmp(saml_attribute(place->attribute, "Name"), name) == 0;
}

static void put_values(struct cx_buf *facts, const xmlNode *attribute) {
  const xmlNode *value = saml_child(attribute, NS_ASSERTION, "AttributeValue");

  for (; value != NULL; value = saml_sibling(value, NS_ASSERTION, "AttributeValue")) {
    const char *text = saml_text(value);

    cx_json_put_comma(facts);
    if (text != NULL)
      cx_json_put_text(facts, text, strlen(text));
    else
      cx_buf_put_text(facts, "null");
  }
}

/*
 * 2.7.3.1: the name alone identifies; FriendlyName is for people and carries no meaning. What
 * stands several times is written where it stands first, with the values of all.
 */
static void put_attribute(struct cx_buf *facts, const xmlNode *assertion, struct place place) {
  const char *name = saml_attribute(place.attribute, "Name");
  struct place earlier = first(assertion);

  while (!is_named(&earlier, name))
    step(&earlier);
  if (earlier.attribute != place.attribute)
    return;
  cx_json_put_name(facts, name);
  cx_buf_put_text(facts, "[");
  for (; place.attribute != NULL; step(&place))
    if (is_named(&place, name))
      put_values(facts, place.attribute);
  cx_buf_put_text(facts, "]");
}

/* Core 2.7.3.2. It could hold the very groups that a policy forbids: nobody is taken to have none. */
static bool has_encrypted(const xmlNode *assertion) {
  const xmlNode *statement = saml_child(assertion, NS_ASSERTION, "AttributeStatement");

  while (statement != NULL && saml_child(statement, NS_ASSERTION, "EncryptedAttribute") == NULL)
    statement = saml_sibling(statement, NS_ASSERTION, "AttributeStatement");
  return statement != NULL;
}

enum cortex_reason saml_attributes_read(const xmlNode *assertion, struct cx_buf *facts,
                                        struct cortex_error *error) {
  struct place place;

  if (has_encrypted(assertion))
    return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                        "an attribute is encrypted by itself, which is not read: let the provider "
                        "encrypt the whole assertion");
  for (place = first(assertion); place.attribute != NULL; step(&place)) {
    const char *name = saml_attribute(place.attribute, "Name");

    if (name == NULL || *name == '\0')
      return cx_error_set(error, CORTEX_MALFORMED, "an attribute has no name");
  }
  cx_json_put_name(facts, "attributes");
  cx_buf_put_text(facts, "{");
  for (place = first(assertion); place.attribute != NULL; step(&place))
    put_attribute(facts, assertion, place);
  cx_buf_put_text(facts, "}");
  return CORTEX_OK;
}
