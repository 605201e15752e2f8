/*
 * The OpenID Connect kind of credential: a signed JWT.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_OIDC_H
#define CX_OIDC_OIDC_H

#include "credential/credential.h"

extern const struct cx_credential_kind cx_oidc_kind;

#endif
