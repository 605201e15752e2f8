/*
 * One XML document from a stranger: parsed within bounds, without any of XML's extras.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "document.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "tree.h"
#include "util/buf.h"
#include "util/text.h"

#define IDS_MAX 256
#define DEPTH_MAX 32
#define TAG_MAX 256   /* attributes of one element: the parser compares each with each */
#define SCOPE_MAX 256 /* namespaces declared around an element: a prefix is looked for among them */

/* A password has at most 64 KiB, so 48 KiB of XML; 4096 groups fit. */
const struct saml_bounds saml_response_bounds = {65536, DEPTH_MAX, 6000, 12000};
const struct saml_bounds saml_metadata_bounds = {1024 * 1024, DEPTH_MAX, 40000, 80000};

/*
 * Of the same documents what a signature covers: an exclusive canonical form declares a prefix
 * anew at each element that uses it first (Exclusive XML Canonicalization 3), so it is longer.
 */
const struct saml_bounds saml_signed_response_bounds = {SAML_SIGNED_MAX, DEPTH_MAX, 6000, 60000};
const struct saml_bounds saml_signed_metadata_bounds = {SAML_SIGNED_MAX, DEPTH_MAX, 40000, 400000};

/* One parse on its way; the parser's own private pointer leads here. */
struct parse {
  const char *what;
  const struct saml_bounds *bounds;
  size_t depth;
  size_t elements;
  size_t attributes;
  size_t declared[DEPTH_MAX + 2]; /* namespaces, by the element at each depth */
  size_t scope;                   /* and by all that are open */
  bool refused;
  struct cortex_error *error;
};

static void refuse(void *context, const char *why) {
  xmlParserCtxt *parser = context;
  struct parse *parse = parser->_private;

  parse->refused = true;
  cx_error_set(parse->error, CORTEX_XML_REFUSED, "the %s has %s", parse->what, why);
  xmlStopParser(parser);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system) {
  (void)name;
  (void)external;
  (void)system;
  refuse(context, "a document type");
}

static void on_entity(void *context, const xmlChar *name, int type, const xmlChar *external,
                      const xmlChar *system, xmlChar *content) {
  (void)name;
  (void)type;
  (void)external;
  (void)system;
  (void)content;
  refuse(context, "an entity declaration");
}

static void on_reference(void *context, const xmlChar *name) {
  (void)name;
  refuse(context, "an entity reference");
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *data) {
  (void)target;
  (void)data;
  refuse(context, "a processing instruction");
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int default_count, const xmlChar **attributes) {
  xmlParserCtxt *parser = context;
  struct parse *parse = parser->_private;

  if (parse->refused)
    return;
  parse->attributes += (size_t)namespace_count + (size_t)attribute_count;
  parse->declared[++parse->depth] = (size_t)namespace_count;
  parse->scope += (size_t)namespace_count;
  if (parse->depth > parse->bounds->depth)
    refuse(context, "elements nested too deep");
  else if (parse->scope > SCOPE_MAX)
    refuse(context, "too many namespaces");
  else if (++parse->elements > parse->bounds->elements)
    refuse(context, "too many elements");
  else if (parse->attributes > parse->bounds->attributes)
    refuse(context, "too many attributes");
  else
    xmlSAX2StartElementNs(context, name, prefix, uri, namespace_count, namespaces, attribute_count,
                          default_count, attributes);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
  xmlParserCtxt *parser = context;
  struct parse *parse = parser->_private;

  if (parse->refused)
    return;
  parse->scope -= parse->declared[parse->depth--];
  xmlSAX2EndElementNs(context, name, prefix, uri);
}

/* The error handlers of libxml2 write to standard error: ours say nothing. */
static void set_handlers(xmlSAXHandler *sax) {
  sax->internalSubset = on_doctype;
  sax->externalSubset = on_doctype;
  sax->entityDecl = on_entity;
  sax->reference = on_reference;
  sax->processingInstruction = on_instruction;
  sax->startElementNs = on_start;
  sax->endElementNs = on_end;
  sax->getEntity = NULL;
  sax->getParameterEntity = NULL;
  sax->resolveEntity = NULL;
  sax->warning = NULL;
  sax->error = NULL;
  sax->serror = NULL;
}

static bool has_word(const char *bytes, size_t len, const char *word) {
  return memmem(bytes, len, word, strlen(word)) != NULL;
}

/*
 * What the XML declaration says of the encoding, where it says something: the
 * parser is told UTF-8 whatever stands there, another reader would believe it.
 */
static bool declares_other_encoding(const char *bytes, size_t len) {
  static const char name[] = "encoding";
  const char *end, *at;
  char quote;

  if (len < 5 || memcmp(bytes, "<?xml", 5) != 0 || (end = memmem(bytes, len, "?>", 2)) == NULL)
    return false;
  at = memmem(bytes, (size_t)(end - bytes), name, strlen(name));
  if (at == NULL)
    return false;
  at += strlen(name);
  while (at < end && strchr(XML_BLANKS "=", *at) != NULL)
    at++;
  quote = *at;
  return end - at < 7 || (quote != '"' && quote != '\'') || strncasecmp(at + 1, "utf-8", 5) != 0 ||
         at[6] != quote;
}

/*
 * Looked for before it is parsed, in which time grows with the square. A tag ends at ">" outside
 * quotes, no value holds "<", and each attribute has one "=" outside them.
 */
static bool has_crowded_tag(const char *bytes, size_t len) {
  const char *end = bytes + len, *at = bytes;

  while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
    size_t count = 0;
    char quote = '\0';

    if (++at == end || *at == '!' || *at == '?')
      continue;
    for (; at < end && *at != '<' && (*at != '>' || quote != '\0'); at++)
      if (quote != '\0')
        quote = *at == quote ? '\0' : quote;
      else if (*at == '"' || *at == '\'')
        quote = *at;
      else
        count += *at == '=';
    if (count > TAG_MAX)
      return true;
  }
  return false;
}

static enum cortex_reason check_bytes(const char *what, const char *bytes, size_t len,
                                      const struct saml_bounds *bounds,
                                      struct cortex_error *error) {
  if (len > bounds->bytes)
    return cx_error_set(error, CORTEX_TOO_LARGE, "the %s has %zu bytes, at most %zu are read", what,
                        len, bounds->bytes);
  if (!cx_text_is_utf8(bytes, len) || memchr(bytes, '\0', len) != NULL ||
      declares_other_encoding(bytes, len))
    return cx_error_set(error, CORTEX_BAD_ENCODING, "the %s is not UTF-8", what);
  if (has_word(bytes, len, "<!DOCTYPE") || has_word(bytes, len, "<!ENTITY"))
    return cx_error_set(error, CORTEX_XML_REFUSED, "the %s has a document type", what);
  if (has_crowded_tag(bytes, len))
    return cx_error_set(error, CORTEX_XML_REFUSED, "the %s has too many attributes", what);
  return CORTEX_OK;
}

/* A comment beside text splits a value: readers differ in what they take of it. */
static bool has_split_value(const xmlNode *element) {
  bool has_comment = false, has_element = false, has_text = false;
  const xmlNode *node;

  for (node = element->children; node != NULL; node = node->next) {
    has_comment |= node->type == XML_COMMENT_NODE;
    has_element |= node->type == XML_ELEMENT_NODE;
    has_text |= node->type == XML_TEXT_NODE && !xmlIsBlankNode(node);
  }
  return has_comment && (has_text || !has_element);
}

/* What the tree may hold: elements, text, and comments between elements. */
static enum cortex_reason check_nodes(const char *what, xmlDoc *doc, struct cortex_error *error) {
  const xmlNode *node;

  for (node = doc->children; node != NULL; node = saml_walk(node)) {
    if (node->type == XML_ELEMENT_NODE && has_split_value(node))
      return cx_error_set(error, CORTEX_XML_REFUSED, "the %s has a comment inside a value", what);
    if (node->type != XML_ELEMENT_NODE && node->type != XML_TEXT_NODE && node->type != XML_COMMENT_NODE)
      return cx_error_set(error, CORTEX_XML_REFUSED, "the %s has a node that is not accepted", what);
  }
  return CORTEX_OK;
}

static enum cortex_reason judge(const struct parse *parse, const xmlParserCtxt *parser,
                                xmlDoc *doc) {
  if (parse->refused)
    return CORTEX_XML_REFUSED;
  if (parser->errNo == XML_ERR_NO_MEMORY)
    return cx_error_memory(parse->error);
  if (doc == NULL || !parser->wellFormed || !parser->nsWellFormed ||
      xmlDocGetRootElement(doc) == NULL)
    return cx_error_set(parse->error, CORTEX_MALFORMED, "the %s is not well-formed XML (line %d)",
                        parse->what, parser->lastError.line);
  if (doc->version != NULL && !xmlStrEqual(doc->version, (const xmlChar *)"1.0"))
    return cx_error_set(parse->error, CORTEX_XML_REFUSED, "the %s is not XML 1.0", parse->what);
  return check_nodes(parse->what, doc, parse->error);
}

enum cortex_reason saml_document_parse(const char *what, const char *bytes, size_t len,
                                       const struct saml_bounds *bounds, xmlDoc **doc_out,
                                       struct cortex_error *error) {
  struct parse parse = {.what = what, .bounds = bounds, .error = error};
  enum cortex_reason reason = check_bytes(what, bytes, len, bounds, error);
  xmlParserCtxt *parser;
  xmlDoc *doc;

  *doc_out = NULL;
  if (reason != CORTEX_OK)
    return reason;
  parser = xmlNewParserCtxt();
  if (parser == NULL)
    return cx_error_memory(error);
  set_handlers(parser->sax);
  parser->_private = &parse;
  doc = xmlCtxtReadMemory(parser, bytes, (int)len, NULL, "UTF-8",
                          XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
                              XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
  reason = judge(&parse, parser, doc);
  if (reason == CORTEX_OK)
    *doc_out = doc;
  else
    xmlFreeDoc(doc);
  xmlFreeParserCtxt(parser);
  return reason;
}

static void put_declaration(struct cx_buf *text, const xmlNs *ns) {
  xmlChar *uri = xmlEncodeSpecialChars(NULL, ns->href);

  if (uri != NULL)
    cx_buf_printf(text, " xmlns%s%s=\"%s\"", ns->prefix != NULL ? ":" : "",
                  ns->prefix != NULL ? (const char *)ns->prefix : "", (const char *)uri);
  else
    text->failed = true;
  xmlFree(uri);
}

/* An element around the piece declares every prefix that is declared around its place. */
static void wrap(struct cx_buf *text, const char *bytes, size_t len, const xmlNode *place) {
  xmlNs **scope = xmlGetNsList(place->doc, place);
  size_t i;

  cx_buf_put_text(text, "<scope");
  for (i = 0; scope != NULL && scope[i] != NULL; i++)
    put_declaration(text, scope[i]);
  cx_buf_put_text(text, ">");
  cx_buf_put(text, bytes, len);
  cx_buf_put_text(text, "</scope>");
  xmlFree(scope);
}

/* The element of a wrapped piece; NULL: it is not one, or there is text beside it. */
static xmlNode *piece_of(const xmlDoc *doc) {
  xmlNode *scope = xmlDocGetRootElement(doc), *piece = saml_first(scope);
  const xmlNode *node;

  for (node = scope->children; node != NULL; node = node->next)
    if (node != piece && node->type != XML_COMMENT_NODE && !xmlIsBlankNode(node))
      return NULL;
  return piece;
}

enum cortex_reason saml_document_parse_piece(const char *what, const char *bytes, size_t len,
                                             const xmlNode *place, const struct saml_bounds *bounds,
                                             xmlDoc **doc_out, xmlNode **piece_out,
                                             struct cortex_error *error) {
  enum cortex_reason reason;
  struct cx_buf text;

  *doc_out = NULL;
  *piece_out = NULL;
  cx_buf_init(&text, 2 * bounds->bytes);
  wrap(&text, bytes, len, place);
  reason = text.failed ? cx_error_set(error, CORTEX_TOO_LARGE, "the %s is too large", what)
                       : saml_document_parse(what, text.bytes, text.len, bounds, doc_out, error);
  cx_buf_clear(&text);
  if (reason != CORTEX_OK)
    return reason;
  *piece_out = piece_of(*doc_out);
  if (*piece_out != NULL)
    return CORTEX_OK;
  xmlFreeDoc(*doc_out);
  *doc_out = NULL;
  return cx_error_set(error, CORTEX_MALFORMED, "the %s is not one element", what);
}

static bool is_id(const xmlAttr *attribute) {
  const char *name = (const char *)attribute->name;

  if (attribute->ns != NULL)
    return strcmp(name, "id") == 0 &&
           xmlStrEqual(attribute->ns->href, (const xmlChar *)XML_XML_NAMESPACE);
  return strcasecmp(name, "id") == 0;
}

/* The IDs of a document, added to those that are known. */
static enum cortex_reason add_ids(const xmlDoc *doc, const char *ids[IDS_MAX], size_t *count,
                                  struct cortex_error *error) {
  const xmlAttr *attribute;
  const xmlNode *node;
  const char *id;
  size_t i;

  for (node = doc->children; node != NULL; node = saml_walk(node)) {
    for (attribute = saml_attributes(node); attribute != NULL; attribute = attribute->next) {
      if (!is_id(attribute))
        continue;
      id = saml_attribute_text(attribute);
      if (id == NULL || *count == IDS_MAX)
        return cx_error_set(error, CORTEX_XML_REFUSED, "the document has more than %d IDs",
                            IDS_MAX);
      for (i = 0; i < *count; i++)
        if (strcmp(ids[i], id) == 0)
          return cx_error_set(error, CORTEX_REFERENCE_INVALID, "two elements have one ID");
      ids[(*count)++] = id;
    }
  }
  return CORTEX_OK;
}

enum cortex_reason saml_document_check_ids(const xmlDoc *doc, const xmlDoc *around,
                                           struct cortex_error *error) {
  const char *ids[IDS_MAX];
  size_t count = 0;
  enum cortex_reason reason = around != NULL ? add_ids(around, ids, &count, error) : CORTEX_OK;

  return reason == CORTEX_OK ? add_ids(doc, ids, &count, error) : reason;
}
