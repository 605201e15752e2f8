/*
 * Sets and records of a schema, each made once, so that equal types have one address.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema_resolve.h"

#include <string.h>

static size_t mix(size_t hash, size_t value) {
  hash ^= value;
  return (hash ^ hash >> 29) * (size_t)0x9e3779b97f4a7c15U;
}

static size_t type_hash(const struct cedar_type *type) {
  size_t hash = (size_t)type->kind, i, k;

  if (type->kind == CEDAR_TYPE_SET)
    return mix(hash, (size_t)type->element);
  for (i = 0; i < type->member_count; i++) {
    for (k = 0; k < type->members[i].name.len; k++)
      hash = hash * 31 + (unsigned char)type->members[i].name.ptr[k];
    hash = mix(hash, (size_t)type->members[i].type + type->members[i].required);
  }
  return mix(hash, type->member_count);
}

static bool type_same(const struct cedar_type *a, const struct cedar_type *b) {
  size_t i;

  if (a->kind != b->kind || a->element != b->element || a->member_count != b->member_count)
    return false;
  for (i = 0; i < a->member_count; i++)
    if (a->members[i].type != b->members[i].type ||
        a->members[i].required != b->members[i].required ||
        cedar_text_compare(a->members[i].name, b->members[i].name) != 0)
      return false;
  return true;
}

/* The slot of an equal type, or the free one where it belongs. */
static const struct cedar_type **slot_of(const struct cedar_type_table *table,
                                         const struct cedar_type *type) {
  size_t at = type_hash(type) & (table->size - 1);

  while (table->slots[at] != NULL && !type_same(table->slots[at], type))
    at = (at + 1) & (table->size - 1);
  return &table->slots[at];
}

static bool table_room(struct cedar_resolver *r) {
  struct cedar_type_table old = r->table;
  size_t i;

  if (old.used * 2 < old.size)
    return true;
  r->table.size = old.size == 0 ? 32 : old.size * 2;
  r->table.slots = cedar_draft_get(r->draft, r->table.size, sizeof(*r->table.slots));
  if (r->table.slots == NULL)
    return false;
  for (i = 0; i < old.size; i++)
    if (old.slots[i] != NULL)
      *slot_of(&r->table, old.slots[i]) = old.slots[i];
  return true;
}

static const struct cedar_type *intern(struct cedar_resolver *r, const struct cedar_type *wanted) {
  const struct cedar_type **slot;
  struct cedar_member *members;
  struct cedar_type *made;

  if (!table_room(r))
    return NULL;
  slot = slot_of(&r->table, wanted);
  if (*slot != NULL)
    return *slot;
  made = cedar_draft_get(r->draft, 1, sizeof(*made));
  if (made == NULL)
    return NULL;
  *made = *wanted;
  if (wanted->member_count > 0) {
    members = cedar_draft_get(r->draft, wanted->member_count, sizeof(*members));
    if (members == NULL)
      return NULL;
    memcpy(members, wanted->members, wanted->member_count * sizeof(*members));
    made->members = members;
  }
  *slot = made;
  r->table.used++;
  return made;
}

const struct cedar_type *cedar_type_set(struct cedar_resolver *r,
                                        const struct cedar_type *element) {
  struct cedar_type set = {
      .kind = CEDAR_TYPE_SET, .element = element, .height = element->height + 1};

  return intern(r, &set);
}

const struct cedar_type *cedar_type_record(struct cedar_resolver *r,
                                           const struct cedar_member *members, size_t count) {
  struct cedar_type record = {
      .kind = CEDAR_TYPE_RECORD, .members = members, .member_count = count, .height = 1};
  size_t i;

  for (i = 0; i < count; i++)
    if (members[i].type->height >= record.height)
      record.height = members[i].type->height + 1;
  return intern(r, &record);
}
