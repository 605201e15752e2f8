/*
 * Asking a SAML identity provider for a response (AuthnRequest, HTTP-Redirect binding).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_SAML_REQUEST_H
#define CORTEX_LOGIN_SAML_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "profile.h"
#include "text.h"

/*
 * The value of SAMLRequest: an AuthnRequest of sp_entity_id to sso_url, to be
 * answered to the consumer, deflated and in base64 (SAML Bindings 3.4.4.1).
 * False after a complaint.
 */
bool saml_request_make(const struct profile *profile, const char *consumer, int64_t now,
                       struct text *request);

#endif
