/*
 * From the bytes of a response to the facts that its issuer has signed.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_RESPONSE_H
#define SAML_RESPONSE_H

#include "question.h"

/*
 * Verifies a response (SAML bindings 3.5, web browser SSO profile 4.1.4.2-3) and
 * puts what the signed assertion says into facts, "label" and "issuer" too.
 *
 *   gives  CORTEX_OK, or the reason of refusal; error->source is the label of
 *          the provider whose metadata is not available
 */
CORTEX_MUSTCHECK enum cortex_reason saml_response_verify(const struct saml_question *question,
                                                         struct cx_buf *facts,
                                                         struct cortex_error *error);

#endif
