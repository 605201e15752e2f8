/*
 * Signs a changed SAML response anew, so that a fuzzer gets past its signature.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TESTS_FUZZ_SAML_RESIGN_H
#define TESTS_FUZZ_SAML_RESIGN_H

#include <stddef.h>
#include <stdint.h>

/* Signing needs xmlsec's own engine, which the helper does without; 0: it is there. */
int saml_resign_init(void);

/*
 * Every signature of the text is made good by the test key (keys/idp-p256.key of
 * tests/support/saml), the innermost first; one that cannot be stays as it is.
 *
 *   gives  the new text, released with xmlFree, or NULL where it is no XML
 */
char *saml_resign(const uint8_t *text, size_t len, size_t *len_out);

#endif
