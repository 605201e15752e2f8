/*
 * A search as the configuration has it: BASE?SCOPE?FILTER, of which only the base is needed.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_search.h"

#include <stdio.h>
#include <string.h>

#include "ldap_name.h"

void ldap_search_read(struct ldap_search *search, const char *text, char **attributes) {
  static const struct {
    const char *name;
    int scope;
  } scopes[] = {{"", LDAP_SCOPE_SUBTREE},
                {"sub", LDAP_SCOPE_SUBTREE},
                {"one", LDAP_SCOPE_ONELEVEL},
                {"base", LDAP_SCOPE_BASE}};
  char *scope, *filter = NULL;
  size_t i;

  search->query = (struct ldap_query){search->room, -1, LDAP_ANY, attributes};
  snprintf(search->room, sizeof search->room, "%s", text);
  scope = strchr(search->room, '?');
  if (scope != NULL) {
    *scope++ = '\0';
    filter = strchr(scope, '?');
  }
  if (filter != NULL)
    *filter++ = '\0';
  for (i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
    if (strcmp(scope != NULL ? scope : "", scopes[i].name) == 0)
      search->query.scope = scopes[i].scope;
  if (filter != NULL && *filter != '\0')
    search->query.filter = filter;
}

bool ldap_search_reaches(const struct ldap_search *search, const char *base, const char *entry) {
  size_t depth;

  return ldap_name_is_below(entry, base, &depth) &&
         (search->query.scope == LDAP_SCOPE_SUBTREE ||
          depth == (search->query.scope == LDAP_SCOPE_ONELEVEL));
}
