/*
 * Names of LDAP entries, so that two spellings of one DN are one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_name.h"

#include <ldap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A value, which is unescaped, may hold them as well: there each has a mark before it. */
#define END_OF_TYPE '\x01'
#define END_OF_VALUE '\x02'
#define END_OF_RDN '\x03'
#define MARK '\x04'
#define MARKED '@' /* added to what follows a mark */

#define PARTS_MAX 8 /* of one RDN */

struct name {
  char *text;
  size_t len;
};

static char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* Leading and trailing blanks go, those between count as one (RFC 4518 2.6.1). */
static void put(struct name *name, const char *text, size_t len, char end) {
  size_t i;

  while (len > 0 && text[len - 1] == ' ')
    len--;
  while (len > 0 && *text == ' ') {
    text++;
    len--;
  }
  for (i = 0; i < len; i++) {
    if ((unsigned char)text[i] <= MARK) {
      name->text[name->len++] = MARK;
      name->text[name->len++] = (char)(text[i] + MARKED);
    } else if (text[i] != ' ' || text[i - 1] != ' ') {
      name->text[name->len++] = lower(text[i]);
    }
  }
  name->text[name->len++] = end;
}

static int compare_parts(const void *left, const void *right) {
  const LDAPAVA *a = *(LDAPAVA *const *)left, *b = *(LDAPAVA *const *)right;
  size_t len = a->la_attr.bv_len < b->la_attr.bv_len ? a->la_attr.bv_len : b->la_attr.bv_len, i;

  for (i = 0; i < len; i++)
    if (lower(a->la_attr.bv_val[i]) != lower(b->la_attr.bv_val[i]))
      return lower(a->la_attr.bv_val[i]) < lower(b->la_attr.bv_val[i]) ? -1 : 1;
  return (a->la_attr.bv_len > b->la_attr.bv_len) - (a->la_attr.bv_len < b->la_attr.bv_len);
}

static bool put_rdn(struct name *name, LDAPRDN rdn) {
  LDAPAVA *parts[PARTS_MAX];
  size_t count = 0, i;

  for (; rdn[count] != NULL; count++) {
    if (count == PARTS_MAX)
      return false;
    parts[count] = rdn[count];
  }
  qsort(parts, count, sizeof parts[0], compare_parts);
  for (i = 0; i < count; i++) {
    put(name, parts[i]->la_attr.bv_val, parts[i]->la_attr.bv_len, END_OF_TYPE);
    put(name, parts[i]->la_value.bv_val, parts[i]->la_value.bv_len, END_OF_VALUE);
  }
  name->text[name->len++] = END_OF_RDN;
  return true;
}

char *ldap_name_normal(const char *dn, size_t len, size_t *len_out) {
  struct berval text = {len, (char *)(size_t)dn};
  struct name name = {NULL, 0};
  LDAPDN parts = NULL;
  bool fine;
  size_t i;

  if (ldap_bv2dn(&text, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
    return NULL;
  /*
   * Unescaping shortens, and a mark doubles; each part gets two ends, where it had two signs, and
   * each RDN one more.
   */
  name.text = malloc(3 * len + 4);
  fine = name.text != NULL;
  for (i = 0; fine && parts != NULL && parts[i] != NULL; i++)
    fine = put_rdn(&name, parts[i]);
  ldap_dnfree(parts);
  if (!fine) {
    free(name.text);
    return NULL;
  }
  *len_out = name.len;
  return name.text;
}

static char *put_byte(char *at, unsigned char byte) {
  static const char digits[] = "0123456789abcdef";

  *at++ = '\\';
  *at++ = digits[byte >> 4];
  *at++ = digits[byte & 15];
  return at;
}

/*
 * What is a mark, or may be one, is written as its number (RFC 4514 2.4), and nothing else: 389
 * Directory Server finds no entry by a name in which a blank is.
 */
static bool is_plain(char byte) {
  return byte >= ' ' && byte <= '~' && strchr("\"#+,;<=>\\", byte) == NULL;
}

char *ldap_name_text(const char *normal) {
  char *text = malloc(3 * strlen(normal) + 1), *at = text;
  bool in_value = false;

  for (; text != NULL && *normal != '\0'; normal++) {
    if (*normal == END_OF_TYPE) {
      *at++ = '=';
      in_value = true;
    } else if (*normal == END_OF_VALUE) {
      *at++ = normal[1] == END_OF_RDN ? ',' : '+';
      in_value = false;
    } else if (*normal == MARK) {
      at = put_byte(at, (unsigned char)(*++normal - MARKED));
    } else if (*normal != END_OF_RDN && in_value && !is_plain(*normal)) {
      at = put_byte(at, (unsigned char)*normal);
    } else if (*normal != END_OF_RDN) {
      *at++ = *normal;
    }
  }
  if (text != NULL)
    *(at > text ? at - 1 : at) = '\0';
  return text;
}
