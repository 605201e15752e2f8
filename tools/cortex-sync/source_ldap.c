/*
 * People and groups from an LDAP directory: OpenLDAP, Active Directory and the like.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "directory.h"
#include "ldap_class.h"
#include "ldap_id.h"
#include "ldap_link.h"
#include "ldap_name.h"
#include "ldap_range.h"
#include "ldap_search.h"

#define ATTRIBUTES_MAX 16

/* What an entry that was read is to us. */
enum entry_kind { ENTRY_UNKNOWN = 0, ENTRY_STRANGER, ENTRY_PERSON, ENTRY_GROUP };

struct entry {
  enum entry_kind kind;
  uint32_t number; /* in directory.people or directory.groups */
};

/* Values of a group's attribute that the server held back. */
struct rest {
  char *dn;
  struct ldap_range range;
  uint32_t group;
  struct rest *next;
};

struct reading {
  const struct source_request *request;
  struct ldap_link link;
  struct directory directory;
  struct names dns;      /* normalised, of entries and of members */
  struct names types;    /* in the DNs of entries */
  struct entry *entries; /* by number of the DN */
  size_t entry_room;
  struct edges members; /* role: a group, member: a DN, or a person's name where values are names */
  struct names member_names;
  struct rest *rests;
  char *attributes[ATTRIBUTES_MAX + 4];
  size_t member_attributes; /* how many of them, from the first on, hold members */
  char attribute_text[1024];
  size_t unidentified; /* people without an id */
  bool by_name, lower; /* members are usernames, not DNs; and compared in lower case */
};

static const char *value_of(const struct reading *reading, const char *key) {
  return cortex_section_value(reading->request->section, key);
}

static bool out_of_memory(struct reading *reading) {
  return ldap_link_fail(&reading->link, "out of memory");
}

/* ---- values ---- */

/* The first value of an attribute; release with ldap_value_free_len. */
static struct berval **values_of(struct reading *reading, LDAPMessage *entry, const char *name) {
  return ldap_get_values_len(reading->link.ld, entry, name);
}

/* The number of a DN; NAMES_NONE: it is none, or there is no memory. */
static uint32_t number_of_dn(struct reading *reading, const char *dn, size_t len) {
  size_t normal_len = 0;
  char *normal = ldap_name_normal(dn, len, &normal_len);
  uint32_t number = NAMES_NONE;

  if (normal != NULL)
    number = names_put(&reading->dns, normal, normal_len);
  free(normal);
  return number;
}

/* What is known about a DN; NULL without memory. */
static struct entry *entry_at(struct reading *reading, uint32_t number) {
  if (number >= reading->entry_room) {
    size_t room = reading->entry_room == 0 ? 256 : 2 * reading->entry_room;
    struct entry *entries;

    while (room <= number)
      room *= 2;
    entries = realloc(reading->entries, room * sizeof *entries);
    if (entries == NULL)
      return NULL;
    memset(entries + reading->entry_room, 0, (room - reading->entry_room) * sizeof *entries);
    reading->entries = entries;
    reading->entry_room = room;
  }
  return &reading->entries[number];
}

/* The place to say what an entry is; NULL with link.why set. */
static struct entry *entry_of(struct reading *reading, LDAPMessage *message, char **dn_out) {
  uint32_t number;
  struct entry *entry = NULL;

  *dn_out = ldap_get_dn(reading->link.ld, message);
  if (*dn_out != NULL) {
    number = number_of_dn(reading, *dn_out, strlen(*dn_out));
    if (number != NAMES_NONE &&
        ldap_name_put_types(names_text(&reading->dns, number), &reading->types))
      entry = entry_at(reading, number);
  }
  if (entry == NULL)
    ldap_link_fail(&reading->link, "%s: an entry has a name that cannot be read",
                   reading->link.url);
  return entry;
}

/* ---- people ---- */

/*
 * Somebody whose name cannot be read is handed over without one: rejected, and where the stable id
 * is known, left as they are.
 */
static bool take_user(void *context, LDAPMessage *message) {
  struct reading *reading = context;
  struct berval **names = values_of(reading, message, value_of(reading, "username_attribute"));
  char *dn = NULL, id[256], room[DIRECTORY_NAME_ROOM];
  struct directory_text name = {"", 0};
  struct entry *entry = entry_of(reading, message, &dn);
  uint32_t before = reading->directory.people.count, person;
  bool fine = false;

  if (entry == NULL)
    goto out;
  fine = true;
  if (entry->kind == ENTRY_PERSON)
    goto out; /* two searches may find the same */
  ldap_id_read(&reading->link, message, value_of(reading, "id_attribute"), id, sizeof id);
  if (names != NULL && names[0] != NULL)
    name = directory_spell(names[0]->bv_val, names[0]->bv_len, reading->lower, room);
  person = name.len > 0 ? directory_person(&reading->directory, name.ptr, name.len, id, strlen(id))
                        : directory_nameless(&reading->directory, dn, id);
  fine = person != NAMES_NONE || out_of_memory(reading);
  if (fine && person < before)
    reading->directory.person_of[person].is_contested = true; /* ids that nobody sees are alike */
  reading->unidentified += id[0] == '\0';
  *entry = (struct entry){ENTRY_PERSON, person};
out:
  ldap_value_free_len(names);
  ldap_memfree(dn);
  return fine;
}

/* ---- groups ---- */

static bool put_member(struct reading *reading, uint32_t group, const struct berval *value) {
  struct directory_text name;
  uint32_t member;
  char room[DIRECTORY_NAME_ROOM];

  if (reading->by_name) {
    name = directory_spell(value->bv_val, value->bv_len, reading->lower, room);
    member = names_put(&reading->member_names, name.ptr, name.len);
    if (member == NAMES_NONE)
      return out_of_memory(reading);
  } else {
    member = number_of_dn(reading, value->bv_val, value->bv_len);
    if (member == NAMES_NONE)
      return ldap_link_fail(&reading->link,
                            "%s: a member of group %.100s has a name that cannot "
                            "be read",
                            reading->link.url, names_text(&reading->directory.groups, group));
  }
  edges_put(&reading->members, (struct edge){group, member, 0});
  return !reading->members.failed || out_of_memory(reading);
}

/* Takes the range. */
static bool put_rest(struct reading *reading, const char *dn, uint32_t group,
                     struct ldap_range *range) {
  struct rest *rest = calloc(1, sizeof *rest);

  if (rest != NULL)
    rest->dn = strdup(dn);
  if (rest == NULL || rest->dn == NULL) {
    free(rest);
    ldap_range_clear(range);
    return out_of_memory(reading);
  }
  rest->range = *range;
  rest->group = group;
  rest->next = reading->rests;
  reading->rests = rest;
  return true;
}

static void free_rest(struct rest *rest) {
  ldap_range_clear(&rest->range);
  free(rest->dn);
  free(rest);
}

static bool is_member_attribute(const struct reading *reading, const char *attribute) {
  size_t len = strcspn(attribute, ";"), i;

  for (i = 0; i < reading->member_attributes; i++)
    if (strlen(reading->attributes[i]) == len &&
        strncasecmp(reading->attributes[i], attribute, len) == 0)
      return true;
  return false;
}

/* The values of one attribute, of which there are some. */
static bool put_values(struct reading *reading, const char *dn, uint32_t group,
                       const struct ldap_range *asked, const char *attribute,
                       struct berval **values) {
  struct ldap_range next;
  size_t i = asked->last != NULL; /* which was put before */
  bool fine = ldap_range_next(&reading->link, asked, attribute, values, &next);

  if (fine && !ldap_range_fits(asked, values))
    fine = ldap_link_fail(&reading->link, "%s: %.100s changed while its members were read",
                          reading->link.url, dn);
  for (; fine && values[i] != NULL; i++)
    fine = put_member(reading, group, values[i]);
  if (fine && next.attribute[0] != '\0')
    return put_rest(reading, dn, group, &next);
  ldap_range_clear(&next);
  return fine;
}

/* All values of all member attributes that an answer holds; counts the attributes with values. */
static bool put_members(struct reading *reading, LDAPMessage *message, const char *dn,
                        uint32_t group, const struct ldap_range *asked, size_t *found) {
  BerElement *cursor = NULL;
  char *attribute;
  bool fine = true;

  for (attribute = ldap_first_attribute(reading->link.ld, message, &cursor);
       fine && attribute != NULL;
       attribute = ldap_next_attribute(reading->link.ld, message, cursor)) {
    struct berval **values = NULL;

    if (is_member_attribute(reading, attribute))
      values = values_of(reading, message, attribute);
    if (values != NULL && values[0] != NULL) {
      (*found)++;
      fine = put_values(reading, dn, group, asked, attribute, values);
    }
    ldap_value_free_len(values);
    ldap_memfree(attribute);
  }
  ber_free(cursor, 0);
  return fine;
}

/* A new group; two of one name would each give the other's members its rights. */
static uint32_t new_group(struct reading *reading, LDAPMessage *message, const char *dn) {
  struct berval **names = values_of(reading, message, value_of(reading, "group_attribute"));
  char room[DIRECTORY_NAME_ROOM];
  uint32_t before = reading->directory.groups.count, group = NAMES_NONE;
  struct directory_text name;

  if (names == NULL || names[0] == NULL) {
    ldap_link_fail(&reading->link, "%s: the name of group %.100s cannot be read (group_attribute)",
                   reading->link.url, dn);
  } else {
    name = directory_safe(names[0]->bv_val, names[0]->bv_len, room);
    group = directory_group(&reading->directory, name.ptr, name.len);
    if (group != NAMES_NONE && group < before) {
      ldap_link_fail(&reading->link, "%s: two groups are called %.100s", reading->link.url,
                     names_text(&reading->directory.groups, group));
      group = NAMES_NONE;
    } else if (group == NAMES_NONE) {
      out_of_memory(reading);
    }
  }
  ldap_value_free_len(names);
  return group;
}

static bool take_group(void *context, LDAPMessage *message) {
  struct reading *reading = context;
  const struct ldap_range all = {.from = 0};
  size_t found = 0;
  char *dn = NULL;
  struct entry *entry = entry_of(reading, message, &dn);
  uint32_t group;
  bool fine = entry != NULL;

  if (!fine || entry->kind == ENTRY_GROUP)
    goto out;
  fine = false;
  if (entry->kind == ENTRY_PERSON) {
    ldap_link_fail(&reading->link,
                   "%s: %.100s is found by users and by groups: narrow one of the filters",
                   reading->link.url, dn);
    goto out;
  }
  group = new_group(reading, message, dn);
  if (group == NAMES_NONE)
    goto out;
  *entry = (struct entry){ENTRY_GROUP, group};
  if (!put_members(reading, message, dn, group, &all, &found))
    goto out;
  fine = found > 0 || ldap_class_is_empty(&reading->link, message, dn);
out:
  ldap_memfree(dn);
  return fine;
}

/* ---- what was held back ---- */

struct more {
  struct reading *reading;
  struct rest *rest;
  size_t found;
};

static bool take_more(void *context, LDAPMessage *message) {
  struct more *more = context;

  return put_members(more->reading, message, more->rest->dn, more->rest->group, &more->rest->range,
                     &more->found);
}

/* Each answer may leave another rest. */
static bool read_rests(struct reading *reading) {
  bool fine = true;

  while (fine && reading->rests != NULL) {
    struct rest *rest = reading->rests;
    char *attributes[] = {rest->range.attribute, NULL};
    struct ldap_query query = {rest->dn, LDAP_SCOPE_BASE, LDAP_ANY, attributes};
    struct more more = {reading, rest, 0};

    reading->rests = rest->next;
    fine = ldap_link_search(&reading->link, &query, take_more, &more) &&
           (more.found > 0 ||
            ldap_link_fail(&reading->link, "%s: the server keeps the rest of %.100s to itself",
                           reading->link.url, rest->dn));
    free_rest(rest);
  }
  return fine;
}

/* ---- searches ---- */

/* Attributes to ask for: those with members first, then the others of this kind of entry. */
static void choose_attributes(struct reading *reading, bool groups) {
  size_t count = 0;
  char *name, *rest = NULL;

  reading->member_attributes = 0;
  snprintf(reading->attribute_text, sizeof reading->attribute_text, "%s",
           groups ? value_of(reading, "member_attribute") : "");
  for (name = strtok_r(reading->attribute_text, "\n", &rest);
       name != NULL && count < ATTRIBUTES_MAX; name = strtok_r(NULL, "\n", &rest))
    reading->attributes[count++] = name;
  reading->member_attributes = count;
  reading->attributes[count++] =
      (char *)(size_t)value_of(reading, groups ? "group_attribute" : "username_attribute");
  reading->attributes[count++] =
      (char *)(size_t)(groups ? "objectClass" : value_of(reading, "id_attribute"));
  reading->attributes[count] = NULL;
}

static bool run_searches(struct reading *reading, const char *key, ldap_taker taker) {
  struct ldap_search search;
  const char *text;
  size_t cursor = 0;

  choose_attributes(reading, taker == take_group);
  while ((text = cortex_section_next(reading->request->section, key, &cursor)) != NULL) {
    ldap_search_read(&search, text, reading->attributes);
    if (!ldap_link_search(&reading->link, &search.query, taker, reading))
      return false;
  }
  return true;
}

/* ---- who is in which group ---- */

/*
 * Another spelling of an entry that was read? The server knows, and is asked once about a name that
 * may be one: there are directories with many members whom no search finds.
 */
static bool look_up(struct reading *reading, uint32_t number) {
  const char *normal = names_text(&reading->dns, number);
  struct entry *known = NULL;
  char *dn = NULL, *asked;
  uint32_t found = NAMES_NONE;
  bool fine;

  if (ldap_name_is_plain(normal, &reading->types)) {
    reading->entries[number].kind = ENTRY_STRANGER;
    return true;
  }
  asked = ldap_name_text(normal);
  fine = asked != NULL ? ldap_link_dn(&reading->link, asked, &dn) : out_of_memory(reading);
  if (fine && dn != NULL)
    found = number_of_dn(reading, dn, strlen(dn));
  if (found != NAMES_NONE)
    known = entry_at(reading, found);
  if (known != NULL && known->kind == ENTRY_UNKNOWN)
    known->kind = ENTRY_STRANGER;
  reading->entries[number] = known != NULL ? *known : (struct entry){ENTRY_STRANGER, 0};
  ldap_memfree(dn);
  free(asked);
  return fine;
}

/* A member whom no search of people had found, and one finds now. */
static bool take_again(void *context, LDAPMessage *message) {
  struct reading *reading = context;
  char *dn = NULL;
  const struct entry *entry = entry_of(reading, message, &dn);
  bool fine = entry != NULL && entry->kind != ENTRY_STRANGER;

  if (!fine && entry != NULL)
    ldap_link_fail(&reading->link,
                   "%s: the directory changed while it was read: %.150s was not there before",
                   reading->link.url, dn);
  ldap_memfree(dn);
  return fine;
}

/* Whether a search would meet a member whom it did not find. */
static bool meets_stranger(const struct reading *reading, const struct ldap_search *search,
                           uint32_t count) {
  size_t len;
  char *base = ldap_name_normal(search->query.base, strlen(search->query.base), &len);
  bool meets = base == NULL; /* without memory that is not known */
  uint32_t i;

  for (i = 0; !meets && i < count; i++)
    meets = reading->entries[i].kind == ENTRY_STRANGER &&
            ldap_search_reaches(search, base, names_text(&reading->dns, i));
  free(base);
  return meets;
}

/*
 * Who is moved between two searches is found by neither, or has another name in the groups: where
 * the search would meet a member whom it did not find, it is made again.
 */
static bool check_moves(struct reading *reading) {
  static char none[] = LDAP_NO_ATTRS;
  char *attributes[] = {none, NULL};
  struct ldap_search search;
  const char *text;
  size_t cursor = 0;
  uint32_t count = reading->dns.count;

  while ((text = cortex_section_next(reading->request->section, "users", &cursor)) != NULL) {
    ldap_search_read(&search, text, attributes);
    if (meets_stranger(reading, &search, count) &&
        !ldap_link_search(&reading->link, &search.query, take_again, reading))
      return false;
  }
  return true;
}

static bool put_edge(struct reading *reading, uint32_t group, const struct entry *entry) {
  struct edges *edges =
      entry->kind == ENTRY_PERSON ? &reading->directory.members : &reading->directory.nesting;

  edges_put(edges, (struct edge){entry->number, group, 0});
  return !edges->failed || out_of_memory(reading);
}

static bool resolve_by_name(struct reading *reading) {
  size_t i;

  for (i = 0; i < reading->members.count; i++) {
    const struct edge *edge = &reading->members.items[i];
    const char *name = names_text(&reading->member_names, edge->member);
    struct entry entry = {ENTRY_PERSON, names_find(&reading->directory.people, name, strlen(name))};

    if (entry.number == NAMES_NONE)
      reading->directory.unknown++;
    else if (!put_edge(reading, edge->role, &entry))
      return false;
  }
  return true;
}

static bool resolve_by_dn(struct reading *reading) {
  uint32_t known = reading->dns.count;
  size_t i;

  if (known > 0 && entry_at(reading, known - 1) == NULL)
    return out_of_memory(reading);
  for (i = 0; i < reading->members.count; i++) {
    const struct edge *edge = &reading->members.items[i];

    if (reading->entries[edge->member].kind == ENTRY_UNKNOWN && !look_up(reading, edge->member))
      return false;
    if (reading->entries[edge->member].kind == ENTRY_STRANGER)
      reading->directory.unknown++;
    else if (!put_edge(reading, edge->role, &reading->entries[edge->member]))
      return false;
  }
  return check_moves(reading);
}

/* ---- proof that we may see ---- */

static bool check_sentinels(struct reading *reading) {
  const char *dn;
  size_t cursor = 0, i;

  while ((dn = cortex_section_next(reading->request->section, "sentinel", &cursor)) != NULL) {
    uint32_t number = number_of_dn(reading, dn, strlen(dn));
    struct entry entry = {ENTRY_UNKNOWN, 0};
    bool is_seen;

    if (number < reading->entry_room)
      entry = reading->entries[number];
    is_seen = entry.kind == ENTRY_PERSON;
    for (i = 0; entry.kind == ENTRY_GROUP && i < reading->members.count; i++)
      is_seen = is_seen || reading->members.items[i].role == entry.number;
    if (!is_seen)
      return ldap_link_fail(&reading->link, "%s: the sentinel %.150s cannot be read",
                            reading->link.url, dn);
  }
  return true;
}

/* ---- all of it ---- */

static bool read_whole(struct reading *reading) {
  if (!ldap_link_open(&reading->link, reading->request->section) ||
      !run_searches(reading, "users", take_user) || !run_searches(reading, "groups", take_group) ||
      !read_rests(reading) || !check_sentinels(reading))
    return false;
  return reading->by_name ? resolve_by_name(reading) : resolve_by_dn(reading);
}

static void clear(struct reading *reading) {
  ldap_link_close(&reading->link);
  directory_clear(&reading->directory);
  names_clear(&reading->dns);
  names_clear(&reading->types);
  names_clear(&reading->member_names);
  edges_clear(&reading->members);
  free(reading->entries);
  while (reading->rests != NULL) {
    struct rest *rest = reading->rests;

    reading->rests = rest->next;
    free_rest(rest);
  }
}

static enum source_state read_ldap(const struct source_request *request,
                                   const struct source_taker *taker, struct source_report *report) {
  struct reading reading = {.request = request};
  enum source_state state = SOURCE_INCOMPLETE;

  reading.link.deadline = request->deadline;
  reading.link.page_size = (int)strtol(value_of(&reading, "page_size"), NULL, 10);
  reading.by_name = strcmp(value_of(&reading, "member_value"), "name") == 0;
  reading.lower = reading.by_name && strcmp(value_of(&reading, "username_case"), "lower") == 0;
  if (read_whole(&reading)) {
    report->unknown_members = reading.directory.unknown;
    report->unidentified = reading.unidentified;
    /* A loop of groups is no error in a directory: all in it are members of all. */
    state = directory_hand_over(&reading.directory, taker, NULL) ? SOURCE_COMPLETE : SOURCE_FAILED;
  } else {
    snprintf(report->error.message, sizeof report->error.message, "%s", reading.link.why);
  }
  clear(&reading);
  return state;
}

const struct source_kind source_ldap = {"ldap", read_ldap};
