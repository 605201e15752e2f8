/*
 * Names of LDAP entries, so that two spellings of one DN are one.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_NAME_H
#define SYNC_LDAP_NAME_H

#include <stddef.h>

/*
 * The DN with types and ASCII letters of values in lower case, blanks as one and values unescaped:
 * to be compared, not to be sent. Multi-valued RDNs are put in order. No NUL is in it.
 *   gives  a new text, its length in *len_out; NULL: no DN, or no memory. Release with free().
 */
char *ldap_name_normal(const char *dn, size_t len, size_t *len_out);

/* A DN to send, from a normal one. Release with free(); NULL without memory. */
char *ldap_name_text(const char *normal);

#endif
