/*
 * Object classes of LDAP groups whose members are mandatory.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_CLASS_H
#define SYNC_LDAP_CLASS_H

#include "ldap_link.h"

/*
 * Whether a group of which no member was seen has none: where its class says that it has some, the
 * server must say that there are none.
 *   gives  false with link->why
 */
bool ldap_class_is_empty(struct ldap_link *link, LDAPMessage *group, const char *dn);

#endif
