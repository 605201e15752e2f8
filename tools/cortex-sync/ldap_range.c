/*
 * Values of an attribute that come in ranges: Active Directory sends 1500 at a time.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUES_MAX 100000000
#define RANGE ";range="

/* "member;range=0-1499" (MS-ADTS 3.1.1.3.1.3.3); NULL: all values are there. */
static const char *find_range(const char *attribute) {
  const char *range = strchr(attribute, ';');

  while (range != NULL && strncasecmp(range, RANGE, strlen(RANGE)) != 0)
    range = strchr(range + 1, ';');
  return range;
}

bool ldap_range_next(struct ldap_link *link, const struct ldap_range *asked, const char *attribute,
                     struct berval **values, struct ldap_range *next) {
  const char *range = find_range(attribute);
  int count = ldap_count_values_len(values);
  unsigned long first, last;
  char *end;

  *next = (struct ldap_range){.from = 0};
  if (range == NULL)
    return true;
  first = strtoul(range + strlen(RANGE), &end, 10);
  if (first == asked->from && strcmp(end, "-*") == 0)
    return true;
  last = *end == '-' ? strtoul(end + 1, &end, 10) : VALUES_MAX;
  if (first != asked->from || *end != '\0' || last <= first || last >= VALUES_MAX || count == 0)
    return ldap_link_fail(link, "%s: the server answers with an attribute \"%.60s\"", link->url,
                          attribute);
  next->from = last;
  next->last = ber_bvdup(values[count - 1]);
  snprintf(next->attribute, sizeof next->attribute, "%.*s" RANGE "%lu-*", (int)(range - attribute),
           attribute, next->from);
  return next->last != NULL || ldap_link_fail(link, "out of memory");
}

bool ldap_range_fits(const struct ldap_range *asked, struct berval **values) {
  return asked->last == NULL ||
         (values[0]->bv_len == asked->last->bv_len &&
          memcmp(values[0]->bv_val, asked->last->bv_val, asked->last->bv_len) == 0);
}

void ldap_range_clear(struct ldap_range *range) {
  ber_bvfree(range->last);
  range->last = NULL;
}
