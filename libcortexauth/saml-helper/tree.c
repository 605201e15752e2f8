/*
 * Reading a parsed document: elements by namespace and name, values as text.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tree.h"

#include <string.h>

bool saml_is(const xmlNode *node, const char *ns, const char *name) {
  return node != NULL && node->type == XML_ELEMENT_NODE && node->ns != NULL &&
         strcmp((const char *)node->name, name) == 0 &&
         strcmp((const char *)node->ns->href, ns) == 0;
}

static xmlNode *element_from(xmlNode *node) {
  while (node != NULL && node->type != XML_ELEMENT_NODE)
    node = node->next;
  return node;
}

xmlNode *saml_first(const xmlNode *parent) {
  return parent != NULL ? element_from(parent->children) : NULL;
}

xmlNode *saml_next(const xmlNode *node) {
  return element_from(node->next);
}

xmlNode *saml_child(const xmlNode *parent, const char *ns, const char *name) {
  xmlNode *node = saml_first(parent);

  while (node != NULL && !saml_is(node, ns, name))
    node = saml_next(node);
  return node;
}

xmlNode *saml_sibling(const xmlNode *node, const char *ns, const char *name) {
  xmlNode *next = saml_next(node);

  while (next != NULL && !saml_is(next, ns, name))
    next = saml_next(next);
  return next;
}

size_t saml_count(const xmlNode *parent, const char *ns, const char *name) {
  const xmlNode *node;
  size_t count = 0;

  for (node = saml_first(parent); node != NULL; node = saml_next(node))
    count += saml_is(node, ns, name);
  return count;
}

const xmlNode *saml_walk(const xmlNode *node) {
  if (node->type == XML_ELEMENT_NODE && node->children != NULL)
    return node->children;
  while (node != NULL && node->next == NULL) {
    node = node->parent;
    if (node != NULL && node->type != XML_ELEMENT_NODE)
      return NULL;
  }
  return node != NULL ? node->next : NULL;
}

const char *saml_text(const xmlNode *node) {
  const xmlNode *child = node != NULL ? node->children : NULL;

  if (node == NULL || (child != NULL && (child->type != XML_TEXT_NODE || child->next != NULL)))
    return NULL;
  return child != NULL ? (const char *)child->content : "";
}

const char *saml_trimmed(const xmlNode *node, size_t *len_out) {
  const char *text = saml_text(node);
  size_t len;

  *len_out = 0;
  if (text == NULL)
    return NULL;
  text += strspn(text, XML_BLANKS);
  for (len = strlen(text); len > 0 && strchr(XML_BLANKS, text[len - 1]) != NULL; len--)
    ;
  *len_out = len;
  return text;
}

bool saml_has_text(const xmlNode *node, const char *text) {
  size_t len;
  const char *own = saml_trimmed(node, &len);

  return own != NULL && strlen(text) == len && memcmp(own, text, len) == 0;
}

const xmlAttr *saml_attributes(const xmlNode *node) {
  return node->type == XML_ELEMENT_NODE ? node->properties : NULL;
}

const char *saml_attribute_text(const xmlAttr *attribute) {
  const xmlNode *value = attribute->children;

  if (value != NULL && (value->type != XML_TEXT_NODE || value->next != NULL))
    return NULL;
  return value != NULL ? (const char *)value->content : "";
}

const char *saml_attribute(const xmlNode *node, const char *name) {
  const xmlAttr *attribute;

  for (attribute = saml_attributes(node); attribute != NULL; attribute = attribute->next)
    if (attribute->ns == NULL && strcmp((const char *)attribute->name, name) == 0)
      return saml_attribute_text(attribute);
  return NULL;
}
