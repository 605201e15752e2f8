/*
 * Names of LDAP entries, so that two spellings of one DN are one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_name.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* RFC 4519 2, as far as RFC 4514 3 has them: each with what else it is called. */
static const struct type {
  const char *name;
  const char *others[2];
} types_of_all[] = {{"cn", {"commonname", "2.5.4.3"}},
                    {"l", {"localityname", "2.5.4.7"}},
                    {"st", {"stateorprovincename", "2.5.4.8"}},
                    {"o", {"organizationname", "2.5.4.10"}},
                    {"ou", {"organizationalunitname", "2.5.4.11"}},
                    {"c", {"countryname", "2.5.4.6"}},
                    {"street", {"streetaddress", "2.5.4.9"}},
                    {"dc", {"domaincomponent", "0.9.2342.19200300.100.1.25"}},
                    {"uid", {"userid", "0.9.2342.19200300.100.1.1"}}};

struct part {
  struct berval type;
  struct berval value;
};

static bool is_called(const struct berval *type, const char *name) {
  return type->bv_len == strlen(name) && strncasecmp(type->bv_val, name, type->bv_len) == 0;
}

/* No name is longer than the others, and of those none is shorter than "userid". */
static struct berval name_of_type(const struct berval *type) {
  size_t i;

  for (i = 0; type->bv_len >= strlen("userid") && i < sizeof types_of_all / sizeof types_of_all[0];
       i++) {
    const struct type *known = &types_of_all[i];

    if (is_called(type, known->others[0]) || is_called(type, known->others[1]))
      return (struct berval){strlen(known->name), (char *)(size_t)known->name};
  }
  return *type;
}

static int compare_parts(const void *left, const void *right) {
  const struct berval *a = &((const struct part *)left)->type,
                      *b = &((const struct part *)right)->type;
  size_t len = a->bv_len < b->bv_len ? a->bv_len : b->bv_len, i;

  for (i = 0; i < len; i++)
    if (lower(a->bv_val[i]) != lower(b->bv_val[i]))
      return lower(a->bv_val[i]) < lower(b->bv_val[i]) ? -1 : 1;
  return (a->bv_len > b->bv_len) - (a->bv_len < b->bv_len);
}

static bool put_rdn(struct name *name, LDAPRDN rdn) {
  struct part parts[PARTS_MAX];
  size_t count = 0, i;

  for (; rdn[count] != NULL; count++) {
    if (count == PARTS_MAX)
      return false;
    parts[count] = (struct part){name_of_type(&rdn[count]->la_attr), rdn[count]->la_value};
  }
  qsort(parts, count, sizeof parts[0], compare_parts);
  for (i = 0; i < count; i++) {
    put(name, parts[i].type.bv_val, parts[i].type.bv_len, END_OF_TYPE);
    put(name, parts[i].value.bv_val, parts[i].value.bv_len, END_OF_VALUE);
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
  name.text = malloc(3 * len + 5);
  fine = name.text != NULL;
  for (i = 0; fine && parts != NULL && parts[i] != NULL; i++)
    fine = put_rdn(&name, parts[i]);
  ldap_dnfree(parts);
  if (!fine) {
    free(name.text);
    return NULL;
  }
  name.text[name.len] = '\0';
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

/* The next type of a normal DN; NULL: there is none. *at begins as the DN. */
static const char *next_type(const char **at, size_t *len) {
  const char *type = *at + (**at == END_OF_RDN), *end = strchr(type, END_OF_TYPE);

  if (end == NULL)
    return NULL;
  *len = (size_t)(end - type);
  *at = strchr(end, END_OF_VALUE) + 1;
  return type;
}

bool ldap_name_put_types(const char *normal, struct names *types) {
  const char *type;
  size_t len;

  while ((type = next_type(&normal, &len)) != NULL)
    if (names_put(types, type, len) == NAMES_NONE)
      return false;
  return true;
}

bool ldap_name_is_plain(const char *normal, const struct names *types) {
  const char *at = normal, *type;
  size_t len;

  while ((type = next_type(&at, &len)) != NULL)
    if (names_find(types, type, len) == NAMES_NONE)
      return false;
  for (; *normal != '\0'; normal++)
    if ((*normal < ' ' || *normal > '~') && *normal != END_OF_TYPE && *normal != END_OF_VALUE &&
        *normal != END_OF_RDN)
      return false;
  return true;
}

bool ldap_name_is_below(const char *normal, const char *base, size_t *depth_out) {
  size_t len = strlen(normal), base_len = strlen(base), i;

  *depth_out = 0;
  if (len < base_len || strcmp(normal + len - base_len, base) != 0 ||
      (len > base_len && normal[len - base_len - 1] != END_OF_RDN))
    return false;
  for (i = 0; i < len - base_len; i++)
    *depth_out += normal[i] == END_OF_RDN;
  return true;
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
