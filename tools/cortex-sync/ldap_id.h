/*
 * What stays of an LDAP entry whatever it is called.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_ID_H
#define SYNC_LDAP_ID_H

#include "ldap_link.h"

/* The id of an entry as a text; "" where it has none, or none that can be seen. */
void ldap_id_read(struct ldap_link *link, LDAPMessage *entry, const char *attribute, char *id,
                  size_t size);

#endif
