/*
 * One XML document from a stranger: parsed within bounds, without any of XML's extras.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_DOCUMENT_H
#define SAML_DOCUMENT_H

#include <cortexauth/reason.h>
#include <libxml/tree.h>

#include "util/error.h"

struct saml_bounds {
  size_t bytes;
  size_t depth;
  size_t elements;
  size_t attributes; /* of the document; namespace declarations count too */
};

#define SAML_SIGNED_MAX (2 * 1024 * 1024) /* bytes that a signature may cover */

extern const struct saml_bounds saml_response_bounds, saml_metadata_bounds;
extern const struct saml_bounds saml_signed_response_bounds, saml_signed_metadata_bounds;

/*
 * Parses a document. UTF-8 only; a document type, an entity, a processing
 * instruction, a comment inside a value, or more than the bounds is refused
 * while it is being parsed. Nothing outside the bytes is ever read.
 *
 *   in   what: names the text in messages
 *   out  doc_out: release with xmlFreeDoc; NULL on failure
 *   gives  CORTEX_OK, CORTEX_TOO_LARGE, CORTEX_BAD_ENCODING, CORTEX_XML_REFUSED,
 *          CORTEX_MALFORMED, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason saml_document_parse(const char *what, const char *bytes,
                                                        size_t len,
                                                        const struct saml_bounds *bounds,
                                                        xmlDoc **doc_out,
                                                        struct cortex_error *error);

/*
 * Parses one element that was cut out of a document, by the same rules: prefixes
 * mean what they mean at its place there (XML Encryption 4.5.4, text wrapping).
 *
 *   in   place: the element of that document that it stands in
 *   out  doc_out: release with xmlFreeDoc; piece_out: the element, in doc_out; NULL on failure
 *   gives  as saml_document_parse; CORTEX_MALFORMED also for more than one element
 */
CORTEX_MUSTCHECK enum cortex_reason
saml_document_parse_piece(const char *what, const char *bytes, size_t len, const xmlNode *place,
                          const struct saml_bounds *bounds, xmlDoc **doc_out, xmlNode **piece_out,
                          struct cortex_error *error);

/*
 * Every attribute that a standard calls an ID (ID, Id, id, xml:id) has a value
 * of its own: a reference means one element.
 *   in   around: the document that held this one encrypted, whose IDs count too; NULL: none
 *   gives  CORTEX_OK, CORTEX_REFERENCE_INVALID, CORTEX_XML_REFUSED (too many)
 */
CORTEX_MUSTCHECK enum cortex_reason saml_document_check_ids(const xmlDoc *doc,
                                                            const xmlDoc *around,
                                                            struct cortex_error *error);

#endif
