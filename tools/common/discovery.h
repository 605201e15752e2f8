/*
 * The document by which an OpenID provider says where its keys are.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_DISCOVERY_H
#define TOOLS_COMMON_DISCOVERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the document of an issuer is (OpenID Connect Discovery 4); release with free(). */
char *discovery_url(const char *issuer);

/*
 * Parses the document: an object without a member twice, which speaks of exactly the issuer
 * that was asked for.
 *
 *   in   url: where it came from, for messages
 *   out  why: on failure, in one line without control characters
 *   gives  to be released with json_decref(); NULL on failure
 */
json_t *discovery_document(const char *issuer, const char *url, const char *bytes, size_t len,
                           char *why, size_t why_size);

/* A text member of a document or answer, borrowed; NULL when it is none, or holds NUL. */
const char *discovery_text(const json_t *object, const char *name);

/*
 * An address in a document or answer that may be asked or shown, borrowed: of printable
 * characters, and no less protected than the one given; NULL: none.
 */
const char *discovery_address(const json_t *object, const char *name, const char *than);

/*
 * The jwks_uri of a document.
 *
 *   out  jwks_uri_out: release with free(); NULL on failure
 *   out  why: as above
 */
bool discovery_read(const char *issuer, const char *url, const char *bytes, size_t len,
                    char **jwks_uri_out, char *why, size_t why_size);

#endif
