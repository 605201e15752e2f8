/*
 * A schema as it was written: declarations with names that are not resolved yet.
 * SPDX-License-Identifier: PostgreSQL
 *
 * schema_text.c and schema_json.c fill a draft, schema_resolve.c turns it into a schema. All
 * memory is the schema's arena; the source is copied there first, so texts may point into it.
 */
#ifndef CEDAR_SCHEMA_DRAFT_H
#define CEDAR_SCHEMA_DRAFT_H

#include "limits.h"
#include "schema.h"

enum cedar_draft_kind {
  CEDAR_DRAFT_EITHER,    /* a name: a common type, else an entity type */
  CEDAR_DRAFT_COMMON,    /* a name of a common type */
  CEDAR_DRAFT_ENTITY,    /* a name of an entity type */
  CEDAR_DRAFT_EXTENSION, /* a name of an extension type */
  CEDAR_DRAFT_PLAIN,     /* Bool, Long, String */
  CEDAR_DRAFT_SET,
  CEDAR_DRAFT_RECORD
};

struct cedar_draft_member;

struct cedar_draft_type {
  enum cedar_draft_kind kind;
  enum cedar_type_kind plain;
  uint32_t offset;        /* in the source */
  uint32_t count;         /* of members */
  struct cedar_text name; /* as written, without blanks */
  struct cedar_draft_type *element;
  struct cedar_draft_member *members; /* in text order; a repeated name counts as its last */
};

struct cedar_draft_member {
  struct cedar_text name;
  struct cedar_draft_type *type;
  bool required;
  struct cedar_draft_member *next;
};

/* A reference to an entity type, an action (type may be empty), or an id of an enum. */
struct cedar_draft_name {
  struct cedar_text type;
  struct cedar_text id;
  uint32_t offset;
  struct cedar_draft_name *next;
};

struct cedar_draft_names {
  struct cedar_draft_name *first;
  struct cedar_draft_name **last;
  uint32_t count;
};

enum cedar_draft_state { CEDAR_DRAFT_NEW, CEDAR_DRAFT_OPEN, CEDAR_DRAFT_DONE };

struct cedar_draft_common {
  struct cedar_text space; /* its namespace, empty for none */
  struct cedar_text name;  /* full */
  struct cedar_draft_type *type;
  uint32_t offset;
  enum cedar_draft_state state; /* of resolving */
  uint32_t height;              /* types below it, aliases counted */
  const struct cedar_type *resolved;
  struct cedar_draft_common *next;
};

struct cedar_draft_entity {
  struct cedar_text space;
  struct cedar_text name;
  uint32_t offset;
  struct cedar_draft_names parents;
  struct cedar_draft_names ids;   /* of an enum */
  struct cedar_draft_type *shape; /* NULL: no attributes */
  struct cedar_draft_type *tags;
  struct cedar_draft_entity *next;
};

struct cedar_draft_action {
  struct cedar_text space;
  struct cedar_uid_text uid;
  uint32_t offset;
  struct cedar_draft_names parents;
  struct cedar_draft_names principals;
  struct cedar_draft_names resources;
  struct cedar_draft_type *context; /* NULL: empty */
  struct cedar_draft_action *next;
};

/* A namespace that was seen: no name may come twice. */
struct cedar_draft_space {
  struct cedar_text name;
  uint32_t offset;
  struct cedar_draft_space *next;
};

struct cedar_draft {
  struct cedar_schema *schema;
  struct cedar_source source; /* the copy in the arena */
  struct cedar_error *error;
  enum cedar_status status; /* of the first failure */
  struct cedar_draft_space *spaces;
  struct cedar_draft_common *commons;
  struct cedar_draft_entity *entities;
  struct cedar_draft_action *actions;
  uint32_t space_count;
  uint32_t common_count;
  uint32_t entity_count;
  uint32_t action_count;
};

/* Records a failure at an offset of the source; gives false. */
__attribute__((format(printf, 3, 4))) bool
cedar_draft_fail(struct cedar_draft *draft, uint32_t offset, const char *format, ...);

/* The same for a ceiling. */
__attribute__((format(printf, 3, 4))) bool
cedar_draft_limit(struct cedar_draft *draft, uint32_t offset, const char *format, ...);

/* Zeroed memory; NULL after recording that there is none. */
CEDAR_MUST_CHECK void *cedar_draft_get(struct cedar_draft *draft, size_t count, size_t size);

/* `space::name`, or name alone when space is empty; false: no memory. */
CEDAR_MUST_CHECK bool cedar_draft_join(struct cedar_draft *draft, struct cedar_text space,
                                       struct cedar_text name, struct cedar_text *full_out);

void cedar_draft_names_init(struct cedar_draft_names *names);
CEDAR_MUST_CHECK bool cedar_draft_names_put(struct cedar_draft *draft,
                                            struct cedar_draft_names *names, struct cedar_text type,
                                            struct cedar_text id, uint32_t offset);

CEDAR_MUST_CHECK struct cedar_draft_type *
cedar_draft_type_new(struct cedar_draft *draft, enum cedar_draft_kind kind, uint32_t offset);

/*
 * Each declares one thing in a namespace: checks the name and gives the new entry at the head of
 * its list, NULL after a failure. Whether it is there twice is found when resolving.
 */
CEDAR_MUST_CHECK struct cedar_draft_common *cedar_draft_common_put(struct cedar_draft *draft,
                                                                   struct cedar_text space,
                                                                   struct cedar_text name,
                                                                   uint32_t offset);
CEDAR_MUST_CHECK struct cedar_draft_entity *cedar_draft_entity_put(struct cedar_draft *draft,
                                                                   struct cedar_text space,
                                                                   struct cedar_text name,
                                                                   uint32_t offset);
CEDAR_MUST_CHECK struct cedar_draft_action *cedar_draft_action_put(struct cedar_draft *draft,
                                                                   struct cedar_text space,
                                                                   struct cedar_text id,
                                                                   uint32_t offset);
CEDAR_MUST_CHECK bool cedar_draft_space_put(struct cedar_draft *draft, struct cedar_text name,
                                            uint32_t offset);

/* Whether a name has a part `__cedar`, which is the language's own. */
bool cedar_name_is_internal(struct cedar_text name);

/* For messages: a length for `%.*s` that keeps them readable. */
int cedar_draft_len(struct cedar_text text);

/* Reads the text or the JSON form. */
CEDAR_MUST_CHECK bool cedar_schema_read_text(struct cedar_draft *draft);
CEDAR_MUST_CHECK bool cedar_schema_read_json(struct cedar_draft *draft);

/* Fills the schema. */
CEDAR_MUST_CHECK bool cedar_schema_resolve(struct cedar_draft *draft);

#endif
