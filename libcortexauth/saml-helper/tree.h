/*
 * Reading a parsed document: elements by namespace and name, values as text.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_TREE_H
#define SAML_TREE_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "names.h"

bool saml_is(const xmlNode *node, const char *ns, const char *name);

/* The element children, in order; NULL after the last. */
xmlNode *saml_first(const xmlNode *parent);
xmlNode *saml_next(const xmlNode *node);

/* The first child of that name, and the next sibling of that name; NULL: none. */
xmlNode *saml_child(const xmlNode *parent, const char *ns, const char *name);
xmlNode *saml_sibling(const xmlNode *node, const char *ns, const char *name);
size_t saml_count(const xmlNode *parent, const char *ns, const char *name);

/* The node after this one in the whole document, parents first; NULL after the last. */
const xmlNode *saml_walk(const xmlNode *node);

/*
 * The text of an element; "" for an empty one, NULL when the node is NULL or
 * has element children. Borrowed. A document of ours has one text node in a
 * value: CDATA is joined to it, comments in values are refused.
 */
const char *saml_text(const xmlNode *node);

/* The same without blanks around it, as xs:anyURI and the like are read: *len_out bytes. */
const char *saml_trimmed(const xmlNode *node, size_t *len_out);
bool saml_has_text(const xmlNode *node, const char *text);

/* The value of an attribute without namespace; NULL: there is none. Borrowed. */
const char *saml_attribute(const xmlNode *node, const char *name);
const xmlAttr *saml_attributes(const xmlNode *node);
const char *saml_attribute_text(const xmlAttr *attribute);

#endif
