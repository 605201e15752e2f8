/*
 * The SAML kind of credential: a base64 response.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SAML_SAML_H
#define CX_SAML_SAML_H

#include "credential/credential.h"

extern const struct cx_credential_kind cx_saml_kind;

#endif
