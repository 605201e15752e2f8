/*
 * A search as the configuration has it: BASE?SCOPE?FILTER, of which only the base is needed.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_SEARCH_H
#define SYNC_LDAP_SEARCH_H

#include "ldap_link.h"

#define LDAP_SEARCH_MAX 4096 /* as long as a line of cortex.conf may be */

struct ldap_search {
  char room[LDAP_SEARCH_MAX];
  struct ldap_query query; /* its texts are in room */
};

/* Reads one; the attributes are the caller's. It has been checked with the configuration. */
void ldap_search_read(struct ldap_search *search, const char *text, char **attributes);

/* Whether it would meet an entry, whatever the filter says; base and entry as normal DNs. */
bool ldap_search_reaches(const struct ldap_search *search, const char *base, const char *entry);

#endif
