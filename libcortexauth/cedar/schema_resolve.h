/*
 * From draft to schema: the declared names, sorted, and the types made so far.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_SCHEMA_RESOLVE_H
#define CEDAR_SCHEMA_RESOLVE_H

#include "schema_draft.h"

/* Equal types become one object: an open hash table of those made so far. */
struct cedar_type_table {
  const struct cedar_type **slots;
  size_t size; /* a power of two */
  size_t used;
};

struct cedar_resolver {
  struct cedar_draft *draft;
  struct cedar_schema *schema;
  struct cedar_draft_common **commons;  /* sorted by name */
  struct cedar_draft_entity **entities; /* sorted by name; same order as schema->entities */
  struct cedar_draft_action **actions;  /* sorted by type, then id; as schema->actions */
  struct cedar_type_table table;
};

/* What a type reference may mean. */
enum cedar_reference { CEDAR_REFERS_COMMON = 1, CEDAR_REFERS_ENTITY = 2, CEDAR_REFERS_EITHER = 3 };

/* ---- schema_name.c ---- */

/* Sorts the declarations; refuses duplicates and names that shadow others. */
CEDAR_MUST_CHECK bool cedar_names_sort(struct cedar_resolver *r);

struct cedar_draft_common *cedar_common_find(const struct cedar_resolver *r,
                                             struct cedar_text name);

/* Whether the user declared an entity or common type of that name. */
bool cedar_name_is_declared(const struct cedar_resolver *r, struct cedar_text name);

/* ---- schema_reference.c ---- */

/* The type that a draft type stands for; NULL after a failure. */
CEDAR_MUST_CHECK const struct cedar_type *cedar_type_resolve(struct cedar_resolver *r,
                                                             const struct cedar_draft_type *draft,
                                                             struct cedar_text space);

/* The type of a common type, resolved once; NULL after a failure (a cycle, too). */
CEDAR_MUST_CHECK const struct cedar_type *cedar_common_resolve(struct cedar_resolver *r,
                                                               struct cedar_draft_common *common,
                                                               unsigned int depth);

/* A declared entity type by reference; NULL after a failure. */
CEDAR_MUST_CHECK const struct cedar_schema_entity *
cedar_entity_resolve(struct cedar_resolver *r, const struct cedar_draft_name *name,
                     struct cedar_text space);

/* A declared action by reference; NULL after a failure. */
CEDAR_MUST_CHECK struct cedar_schema_action *
cedar_action_resolve(struct cedar_resolver *r, const struct cedar_draft_name *name,
                     struct cedar_text space);

/* ---- schema_intern.c ---- */

/* The one object for a set of element, or for a record of sorted members; NULL: no memory. */
CEDAR_MUST_CHECK const struct cedar_type *cedar_type_set(struct cedar_resolver *r,
                                                         const struct cedar_type *element);
CEDAR_MUST_CHECK const struct cedar_type *
cedar_type_record(struct cedar_resolver *r, const struct cedar_member *members, size_t count);

#endif
