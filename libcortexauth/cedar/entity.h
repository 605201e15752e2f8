/*
 * Entities of a store.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_ENTITY_H
#define CEDAR_ENTITY_H

#include "store.h"

/* Sorts numbers ascending. */
void cedar_ids_sort(uint32_t *ids, uint32_t count);

/* Sorts and drops duplicates; gives what is left. */
uint32_t cedar_ids_normalize(uint32_t *ids, uint32_t count);

/* Whether sorted numbers hold one. */
bool cedar_ids_has(const uint32_t *ids, uint32_t count, uint32_t id);

/* An entity as it is read. */
struct cedar_draft {
  struct cedar_uid body; /* the name aside */
  struct cedar_entity origin;
};

/* Appends an entity; *same_out is false when a different one of that name is there. */
CEDAR_MUST_CHECK enum cedar_status
cedar_entity_put(struct cedar_store *store, const struct cedar_draft *draft, bool *same_out);

/* An entity's ancestors, sorted; count 0 when it has none or the image is damaged. */
const uint32_t *cedar_entity_reach(const struct cedar_store *store, const struct cedar_uid *entity,
                                   uint32_t *count_out);

struct cedar_reader;
struct cedar_json;
struct cedar_schema;
struct cedar_schema_action;

/* Puts a schema's actions with their groups into the store. */
CEDAR_MUST_CHECK enum cedar_status
cedar_actions_put(struct cedar_store *store, const struct cedar_schema *schema, uint32_t source);

/* The action entities of a file, which must be the ones its schema declares. */
struct cedar_action_entry {
  const struct cedar_json *json;
  const struct cedar_schema_action *action;
  struct cedar_draft draft;
};

struct cedar_action_list {
  struct cedar_action_entry *at;
  uint32_t n;
};

/* Ancestors count as the file gives them: through its own action entities only. */
CEDAR_MUST_CHECK enum cedar_status cedar_actions_conform(struct cedar_reader *r,
                                                         const struct cedar_action_list *list);

/* Appends an entity's parents, duplicates dropped. */
CEDAR_MUST_CHECK enum cedar_status cedar_parents_put(struct cedar_store *store, uint32_t *uids,
                                                     uint32_t count, struct cedar_uid *entity);

/* Computes all ancestors; a cycle is an error at one of its entities. */
CEDAR_MUST_CHECK enum cedar_status cedar_closure_compute(struct cedar_store *store,
                                                         struct cedar_error *error);

/* Fills the scope index and lays the code out in its order. */
CEDAR_MUST_CHECK enum cedar_status cedar_index_build(struct cedar_store *store);

/* Whether what a head asks of a variable is all told by the bucket that it lies in. */
bool cedar_bucket_answers(const struct cedar_bucket *bucket, const struct cedar_ask *ask,
                          enum cedar_var var);

/* Lays the code out: first and count of each bucket are a range of order, which has policies. */
CEDAR_MUST_CHECK enum cedar_status
cedar_code_lay_out(struct cedar_store *store, struct cedar_arena *scratch, const uint32_t *order);

#endif
