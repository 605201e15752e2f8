/*
 * The rules of an assertion (SAML core 2, web browser SSO profile 4.1.4.2-3), and what it says.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_ASSERTION_H
#define SAML_ASSERTION_H

#include <libxml/tree.h>

#include "question.h"

/* What an assertion is judged by. */
struct saml_setting {
  const struct saml_question *question;
  const struct saml_provider *provider;
  const char *entity_id;      /* the issuer that was verified */
  const char *in_response_to; /* of the response around; NULL: none */
};

/* An issuer element's text when it names an entity (core 2.2.5); NULL: it does not. Borrowed. */
const char *saml_issuer_text(const xmlNode *issuer);

/* The request that a response or a confirmation answers; NULL: none. Borrowed. */
const char *saml_request_of(const xmlNode *node);

/*
 * Applies every rule to a verified assertion and puts what it says into facts:
 * subject, format, attributes, acr, assertion_id, usable_until, session_until,
 * authenticated_at, one_time.
 *
 *   gives  CORTEX_OK, or the reason of refusal
 */
CORTEX_MUSTCHECK enum cortex_reason saml_assertion_read(const xmlNode *assertion,
                                                        const struct saml_setting *setting,
                                                        struct cx_buf *facts,
                                                        struct cortex_error *error);

#endif
