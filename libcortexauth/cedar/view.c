/*
 * How callers look at entities and values of a store.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "entity.h"
#include "ext.h"
#include "text.h"

/* An entity by its number; NULL past the last. */
static const struct cedar_uid *entity_at(const struct cedar_store *store, uint32_t index) {
  const struct cedar_entity *origin = cedar_entities_get(store, index, 1);

  return origin == NULL ? NULL : cedar_uid_get(store, origin->uid);
}

bool cedar_entity_get(const struct cedar_store *store, uint32_t index,
                      struct cedar_entity_info *info_out) {
  const struct cedar_entity *origin = cedar_entities_get(store, index, 1);
  const struct cedar_uid *entity = entity_at(store, index);

  memset(info_out, 0, sizeof(*info_out));
  if (origin == NULL || entity == NULL)
    return false;
  info_out->uid = cedar_uid_text_get(store, origin->uid);
  info_out->attr_count = entity->attr_count;
  info_out->tag_count = entity->tag_count;
  info_out->parent_count = entity->parent_count;
  info_out->ancestor_count = entity->ancestor_count;
  info_out->line = origin->line;
  info_out->column = origin->column;
  info_out->source = cedar_sym_text(store, origin->source);
  return true;
}

bool cedar_entity_find(const struct cedar_store *store, struct cedar_uid_text uid,
                       uint32_t *index_out) {
  const struct cedar_uid *found = cedar_uid_get(store, cedar_uid_find(store, uid));

  *index_out = found == NULL ? CEDAR_NONE : found->entity;
  return *index_out < store->entities.n;
}

bool cedar_entity_next_of_type(const struct cedar_store *store, struct cedar_text type,
                               uint32_t *cursor, uint32_t *index_out) {
  uint32_t sym = cedar_sym_find(store, type.ptr, type.len);

  while (sym != CEDAR_NONE && *cursor < store->entities.n) {
    const struct cedar_uid *entity = entity_at(store, (*cursor)++);

    if (entity != NULL && entity->type == sym) {
      *index_out = *cursor - 1;
      return true;
    }
  }
  return false;
}

static bool field_find(const struct cedar_store *store, uint32_t first, uint32_t count,
                       const char *name, struct cedar_value *out) {
  uint32_t key = cedar_sym_find(store, name, strlen(name));
  const struct cedar_value *found = NULL;

  if (key != CEDAR_NONE)
    found = cedar_fields_find(cedar_fields_get(store, first, count), count, key);
  *out = found == NULL ? cedar_value_make(CEDAR_KIND_NONE, 0) : cedar_value_stored(*found);
  return found != NULL;
}

static bool field_at(const struct cedar_store *store, uint32_t first, uint32_t count,
                     uint32_t position, struct cedar_text *name_out, struct cedar_value *out) {
  const struct cedar_field *fields = cedar_fields_get(store, first, count);

  *out = cedar_value_make(CEDAR_KIND_NONE, 0);
  if (fields == NULL || position >= count)
    return false;
  *name_out = cedar_sym_text(store, fields[position].key);
  *out = cedar_value_stored(fields[position].value);
  return true;
}

bool cedar_entity_attr(const struct cedar_store *store, uint32_t index, const char *name,
                       struct cedar_value *value_out) {
  const struct cedar_uid *entity = entity_at(store, index);

  return entity != NULL && field_find(store, entity->attrs, entity->attr_count, name, value_out);
}

bool cedar_entity_tag(const struct cedar_store *store, uint32_t index, const char *name,
                      struct cedar_value *value_out) {
  const struct cedar_uid *entity = entity_at(store, index);

  return entity != NULL && field_find(store, entity->tags, entity->tag_count, name, value_out);
}

bool cedar_entity_attr_at(const struct cedar_store *store, uint32_t index, uint32_t position,
                          struct cedar_text *name_out, struct cedar_value *value_out) {
  const struct cedar_uid *entity = entity_at(store, index);

  return entity != NULL &&
         field_at(store, entity->attrs, entity->attr_count, position, name_out, value_out);
}

bool cedar_entity_tag_at(const struct cedar_store *store, uint32_t index, uint32_t position,
                         struct cedar_text *name_out, struct cedar_value *value_out) {
  const struct cedar_uid *entity = entity_at(store, index);

  return entity != NULL &&
         field_at(store, entity->tags, entity->tag_count, position, name_out, value_out);
}

static bool reach_at(const struct cedar_store *store, const uint32_t *uids, uint32_t count,
                     uint32_t position, struct cedar_uid_text *uid_out) {
  if (uids == NULL || position >= count)
    return false;
  *uid_out = cedar_uid_text_get(store, uids[position]);
  return uid_out->type.ptr != NULL;
}

bool cedar_entity_parent_at(const struct cedar_store *store, uint32_t index, uint32_t position,
                            struct cedar_uid_text *uid_out) {
  const struct cedar_uid *entity = entity_at(store, index);

  return entity != NULL &&
         reach_at(store, cedar_reach_get(store, entity->parents, entity->parent_count),
                  entity->parent_count, position, uid_out);
}

bool cedar_entity_ancestor_at(const struct cedar_store *store, uint32_t index, uint32_t position,
                              struct cedar_uid_text *uid_out) {
  const struct cedar_uid *entity = entity_at(store, index);
  uint32_t count = 0;
  const uint32_t *uids = entity == NULL ? NULL : cedar_entity_reach(store, entity, &count);

  return reach_at(store, uids, count, position, uid_out);
}

enum cedar_kind cedar_value_kind(struct cedar_value value) {
  return value.kind <= CEDAR_KIND_DURATION ? (enum cedar_kind)value.kind : CEDAR_KIND_NONE;
}

bool cedar_value_get_bool(struct cedar_value value, bool *out) {
  *out = value.kind == CEDAR_KIND_BOOL && value.u.i != 0;
  return value.kind == CEDAR_KIND_BOOL;
}

bool cedar_value_get_long(struct cedar_value value, int64_t *out) {
  *out = value.kind == CEDAR_KIND_LONG ? value.u.i : 0;
  return value.kind == CEDAR_KIND_LONG;
}

bool cedar_value_get_millis(struct cedar_value value, int64_t *out) {
  bool ok = value.kind == CEDAR_KIND_DATETIME || value.kind == CEDAR_KIND_DURATION;

  *out = ok ? value.u.i : 0;
  return ok;
}

bool cedar_value_get_string(const struct cedar_store *store, struct cedar_value value,
                            struct cedar_text *out) {
  out->ptr = NULL;
  out->len = 0;
  if (value.kind != CEDAR_KIND_STRING)
    return false;
  *out = cedar_sym_text(store, value.u.id);
  return out->ptr != NULL;
}

bool cedar_value_get_entity(const struct cedar_store *store, struct cedar_value value,
                            struct cedar_uid_text *out) {
  memset(out, 0, sizeof(*out));
  if (value.kind != CEDAR_KIND_ENTITY)
    return false;
  *out = cedar_uid_text_get(store, value.u.id);
  return out->type.ptr != NULL;
}

uint32_t cedar_value_count(struct cedar_value value) {
  return value.kind == CEDAR_KIND_SET || value.kind == CEDAR_KIND_RECORD ? value.n : 0;
}

bool cedar_value_element(const struct cedar_store *store, struct cedar_value value,
                         uint32_t position, struct cedar_value *out) {
  const struct cedar_value *elements = cedar_value_elements(store, value);

  *out = cedar_value_make(CEDAR_KIND_NONE, 0);
  if (elements == NULL || position >= value.n)
    return false;
  *out = cedar_value_child(value, elements[position]);
  return true;
}

bool cedar_value_field(const struct cedar_store *store, struct cedar_value value, const char *name,
                       struct cedar_value *out) {
  const struct cedar_field *fields = cedar_value_fields(store, value);
  uint32_t key = cedar_sym_find(store, name, strlen(name));
  const struct cedar_value *found = NULL;

  if (fields != NULL && key != CEDAR_NONE)
    found = cedar_fields_find(fields, value.n, key);
  *out = found == NULL ? cedar_value_make(CEDAR_KIND_NONE, 0) : cedar_value_child(value, *found);
  return found != NULL;
}

bool cedar_value_field_at(const struct cedar_store *store, struct cedar_value value,
                          uint32_t position, struct cedar_text *name_out, struct cedar_value *out) {
  const struct cedar_field *fields = cedar_value_fields(store, value);

  *out = cedar_value_make(CEDAR_KIND_NONE, 0);
  if (fields == NULL || position >= value.n)
    return false;
  *name_out = cedar_sym_text(store, fields[position].key);
  *out = cedar_value_child(value, fields[position].value);
  return true;
}
