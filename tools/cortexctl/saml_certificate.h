/*
 * The service provider's own certificate, which identity providers encrypt for.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_SAML_CERTIFICATE_H
#define CORTEXCTL_SAML_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/* The first certificate of a PEM file; release with X509_free; NULL: none can be read. */
X509 *saml_certificate_load(const char *path);

/* Whether it is of the private key in a file. */
bool saml_certificate_fits(X509 *certificate, const char *key_path);

/* When it ends, in seconds since 1970. */
int64_t saml_certificate_end(const X509 *certificate);

#endif
