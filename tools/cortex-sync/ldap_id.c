/*
 * What stays of an LDAP entry whatever it is called.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_id.h"

#include <stdio.h>
#include <string.h>

/* objectGUID and its like are bytes: written as hex, a stable id is a text. */
static void put_id(const struct berval *value, char *id, size_t size) {
  size_t i, used = 0;
  bool is_plain = value->bv_len < size;

  for (i = 0; is_plain && i < value->bv_len; i++)
    is_plain = value->bv_val[i] > 0x20 && value->bv_val[i] < 0x7f;
  if (is_plain) {
    memcpy(id, value->bv_val, value->bv_len);
    id[value->bv_len] = '\0';
    return;
  }
  for (i = 0; i < value->bv_len && used + 3 < size; i++)
    used += (size_t)snprintf(id + used, size - used, "%02x", (unsigned char)value->bv_val[i]);
}

void ldap_id_read(struct ldap_link *link, LDAPMessage *entry, const char *attribute, char *id,
                  size_t size) {
  struct berval **values = ldap_get_values_len(link->ld, entry, attribute);

  id[0] = '\0';
  if (values != NULL && values[0] != NULL)
    put_id(values[0], id, size);
  ldap_value_free_len(values);
}
