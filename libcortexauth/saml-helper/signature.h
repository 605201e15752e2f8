/*
 * XML signatures (XML-DSig, SAML core 5.4): one shape, pinned keys, and the bytes they cover.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_SIGNATURE_H
#define SAML_SIGNATURE_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "key.h"
#include "util/buf.h"
#include "util/json.h"

/* Sets up libxml2 and xmlsec for this process, once. */
CORTEX_MUSTCHECK bool saml_signature_init(void);
void saml_signature_end(void);

/* The signature of an element, its own child; NULL: none. */
xmlNode *saml_signature_of(const xmlNode *element);

/*
 * Every signature of the document is the only one of its parent, and the parent
 * is one of the elements given (NULL: not there).
 *   gives  CORTEX_OK, CORTEX_REFERENCE_INVALID
 */
CORTEX_MUSTCHECK enum cortex_reason
saml_signature_check_places(const xmlDoc *doc, const xmlNode *first, const xmlNode *second,
                            struct cortex_error *error);

/*
 * Verifies an element's signature: one reference, to the element itself, by its
 * ID; enveloped signature and canonicalisation as the only transforms; an
 * algorithm of the list; one of the keys. Whatever its KeyInfo says is ignored.
 *
 *   in   algorithms: array of names (RS256, …); NULL: all that are known
 *   out  covered_out: the canonical bytes that were signed; made by this call
 *   gives  CORTEX_OK, CORTEX_REFERENCE_INVALID, CORTEX_ALGORITHM_NOT_ALLOWED,
 *          CORTEX_KEY_MISMATCH, CORTEX_WEAK_KEY, CORTEX_SIGNATURE_INVALID,
 *          CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason
saml_signature_verify(xmlNode *element, const struct saml_keys *keys, const cx_json *algorithms,
                      struct cx_buf *covered_out, struct cortex_error *error);

#endif
