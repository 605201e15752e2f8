/*
 * The document by which an OpenID provider says where its keys are.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_DISCOVERY_H
#define TOOLS_COMMON_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

/* Where the document of an issuer is (OpenID Connect Discovery 4); release with free(). */
char *discovery_url(const char *issuer);

/*
 * Reads the document: it must speak of exactly the issuer that was asked for,
 * and name a jwks_uri that may be fetched and is no less protected than itself.
 *
 *   in   url: where it came from, for messages and to compare
 *   out  jwks_uri_out: release with free(); NULL on failure
 *   out  why: on failure, in one line
 */
bool discovery_read(const char *issuer, const char *url, const char *bytes, size_t len,
                    char **jwks_uri_out, char *why, size_t why_size);

#endif
