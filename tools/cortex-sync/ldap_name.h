/*
 * Names of LDAP entries, so that two spellings of one DN are one.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_NAME_H
#define SYNC_LDAP_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "names.h"

/*
 * The DN with types and ASCII letters of values in lower case, blanks as one and values unescaped:
 * to be compared, not to be sent. Multi-valued RDNs are put in order, and the types that every
 * server knows are called by one of their names. No NUL is in it, but one is behind it.
 *   gives  a new text, its length in *len_out; NULL: no DN, or no memory. Release with free().
 */
char *ldap_name_normal(const char *dn, size_t len, size_t *len_out);

/* Takes note of the types in a normal DN. false: no memory. */
bool ldap_name_put_types(const char *normal, struct names *types);

/*
 * Whether a normal DN is the only one of its entry, where the entries have these types only: it has
 * no other, and nothing that servers compare by more than ASCII.
 */
bool ldap_name_is_plain(const char *normal, const struct names *types);

/* Whether a normal DN is the other one, or so many RDNs below it. */
bool ldap_name_is_below(const char *normal, const char *base, size_t *depth_out);

/* A DN to send, from a normal one. Release with free(); NULL without memory. */
char *ldap_name_text(const char *normal);

#endif
