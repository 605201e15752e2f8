/*
 * A schema as the entity reader and the validator see it: resolved types, sorted tables.
 * SPDX-License-Identifier: PostgreSQL
 *
 * schema_*.c fills it (text and JSON form), schema.c looks things up, conform.c and entity.c read
 * by it. Names are full (`NS::User`), all memory is the schema's arena. Immutable once made.
 *
 * Equal types of a schema are one object, so they may be compared by address.
 */
#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "arena.h"
#include "error.h"
#include "text.h"

enum cedar_type_kind {
  CEDAR_TYPE_BOOL,
  CEDAR_TYPE_LONG,
  CEDAR_TYPE_STRING,
  CEDAR_TYPE_SET,
  CEDAR_TYPE_RECORD,
  CEDAR_TYPE_ENTITY,
  CEDAR_TYPE_DECIMAL,
  CEDAR_TYPE_IPADDR,
  CEDAR_TYPE_DATETIME,
  CEDAR_TYPE_DURATION
};

struct cedar_type;
struct cedar_schema_entity;

struct cedar_member {
  struct cedar_text name;
  const struct cedar_type *type;
  bool required;
};

struct cedar_type {
  enum cedar_type_kind kind;
  uint32_t height; /* of the types below, itself included; at most CEDAR_MAX_DEPTH */
  const struct cedar_type *element;   /* of a set */
  const struct cedar_member *members; /* of a record, sorted by name (cedar_text_compare) */
  size_t member_count;
  struct cedar_text entity;                   /* full name of an entity type */
  const struct cedar_schema_entity *declared; /* of an entity type; NULL for actions */
};

struct cedar_schema_entity {
  struct cedar_text name;
  const struct cedar_type *type;      /* a reference to it */
  const struct cedar_text *ancestors; /* entity types it may be in, transitive, sorted */
  size_t ancestor_count;
  const struct cedar_type *shape; /* always a record */
  const struct cedar_type *tags;  /* NULL: no tags allowed */
  const struct cedar_text *ids;   /* of an enum, sorted */
  size_t id_count;                /* 0: no enum */
};

struct cedar_schema_action {
  struct cedar_uid_text uid;                  /* type is `Action` or `NS::Action` */
  const struct cedar_type *type;              /* a reference to an action of its type */
  const struct cedar_schema_action **parents; /* direct action groups */
  size_t parent_count;
  const struct cedar_schema_action **ancestors; /* all groups it is in, sorted by address */
  size_t ancestor_count;
  const struct cedar_text *principals; /* entity types, sorted; both empty: applies to nothing */
  size_t principal_count;
  const struct cedar_text *resources;
  size_t resource_count;
  const struct cedar_type *context; /* always a record */
};

struct cedar_schema {
  struct cedar_arena arena;
  struct cedar_schema_entity *entities; /* sorted by name */
  size_t entity_count;
  struct cedar_schema_action *actions; /* sorted by type, then id */
  size_t action_count;
  const struct cedar_type **action_types; /* one for each type of action, sorted by name */
  size_t action_type_count;
};

/* The type of that kind, for kinds that need no more: all but SET, RECORD, ENTITY. */
const struct cedar_type *cedar_type_plain(enum cedar_type_kind kind);

/* The extension type of that name, NULL when there is none. */
const struct cedar_type *cedar_type_extension(struct cedar_text name);

/* "Set<String>", "User", ...: cut to size, NUL-terminated. */
void cedar_type_print(const struct cedar_type *type, char *out, size_t size);

/* Each gives NULL or false when the schema has no such thing. */
const struct cedar_schema_entity *cedar_schema_entity_find(const struct cedar_schema *schema,
                                                           struct cedar_text name);
const struct cedar_schema_action *cedar_schema_action_find(const struct cedar_schema *schema,
                                                           struct cedar_uid_text uid);
const struct cedar_type *cedar_schema_action_type(const struct cedar_schema *schema,
                                                  struct cedar_text name);
const struct cedar_member *cedar_type_member(const struct cedar_type *record,
                                             struct cedar_text name);
bool cedar_text_in(const struct cedar_text *sorted, size_t count, struct cedar_text text);

#endif
