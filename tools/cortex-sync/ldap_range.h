/*
 * Values of an attribute that come in ranges: Active Directory sends 1500 at a time.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_RANGE_H
#define SYNC_LDAP_RANGE_H

#include "ldap_link.h"

/* What to ask for next. */
struct ldap_range {
  char attribute[128]; /* "member;range=1499-*"; "" where there is nothing left */
  unsigned long from;  /* where that begins */
  struct berval *last; /* of what came before; it must come first again. NULL: nothing came */
};

/*
 * What comes behind an answer, from what was asked for and how the answer's attribute is called.
 * It begins with the last value of the answer: the others have moved where that is another one.
 *   out  next: release with ldap_range_clear
 *   gives  false with link->why: the answer does not begin or end where it should
 */
bool ldap_range_next(struct ldap_link *link, const struct ldap_range *asked, const char *attribute,
                     struct berval **values, struct ldap_range *next);

/* Whether the values that were asked for are what comes behind those before. */
bool ldap_range_fits(const struct ldap_range *asked, struct berval **values);

void ldap_range_clear(struct ldap_range *range);

#endif
