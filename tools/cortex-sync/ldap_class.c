/*
 * Object classes of LDAP groups whose members are mandatory.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_class.h"

#include <string.h>
#include <strings.h>

/* RFC 4519 3.5 and 3.6. */
static const struct class {
  const char *name;
  const char *attribute;
} classes[] = {{"groupOfNames", "member"}, {"groupOfUniqueNames", "uniqueMember"}};

static bool is_of_class(struct berval *const *values, const char *name) {
  size_t i;

  for (i = 0; values != NULL && values[i] != NULL; i++)
    if (values[i]->bv_len == strlen(name) &&
        strncasecmp(values[i]->bv_val, name, values[i]->bv_len) == 0)
      return true;
  return false;
}

/*
 * 389 Directory Server lets such groups be empty. Who may not see an attribute may not compare it
 * either, so that its absence is a proof.
 */
static bool has_no(struct ldap_link *link, const char *dn, const char *attribute) {
  int code = ldap_link_compare(link, dn, attribute, dn);

  if (code == LDAP_NO_SUCH_ATTRIBUTE)
    return true;
  return ldap_link_fail(link,
                        "%s: the members of group %.100s cannot be read (%s: %s): may the name "
                        "that [directory] binds as see and compare them, and has "
                        "member_attribute their name?",
                        link->url, dn, attribute, ldap_err2string(code));
}

bool ldap_class_is_empty(struct ldap_link *link, LDAPMessage *group, const char *dn) {
  struct berval **values = ldap_get_values_len(link->ld, group, "objectClass");
  bool is_empty = true;
  size_t i;

  for (i = 0; is_empty && i < sizeof classes / sizeof classes[0]; i++)
    if (is_of_class(values, classes[i].name))
      is_empty = has_no(link, dn, classes[i].attribute);
  ldap_value_free_len(values);
  return is_empty;
}
