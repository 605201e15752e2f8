/*
 * Looking things up in a schema.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema.h"

const struct cedar_schema_entity *cedar_schema_entity_find(const struct cedar_schema *schema,
                                                           struct cedar_text name) {
  size_t low = 0, high = schema->entity_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cedar_text_compare(schema->entities[middle].name, name);

    if (order == 0)
      return &schema->entities[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static int uid_compare(struct cedar_uid_text a, struct cedar_uid_text b) {
  int order = cedar_text_compare(a.type, b.type);

  return order != 0 ? order : cedar_text_compare(a.id, b.id);
}

const struct cedar_schema_action *cedar_schema_action_find(const struct cedar_schema *schema,
                                                           struct cedar_uid_text uid) {
  size_t low = 0, high = schema->action_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = uid_compare(schema->actions[middle].uid, uid);

    if (order == 0)
      return &schema->actions[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const struct cedar_member *cedar_type_member(const struct cedar_type *record,
                                             struct cedar_text name) {
  size_t low = 0, high = record->member_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cedar_text_compare(record->members[middle].name, name);

    if (order == 0)
      return &record->members[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

bool cedar_text_in(const struct cedar_text *sorted, size_t count, struct cedar_text text) {
  size_t low = 0, high = count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cedar_text_compare(sorted[middle], text);

    if (order == 0)
      return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

const struct cedar_type *cedar_schema_action_type(const struct cedar_schema *schema,
                                                  struct cedar_text name) {
  size_t low = 0, high = schema->action_type_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cedar_text_compare(schema->action_types[middle]->entity, name);

    if (order == 0)
      return schema->action_types[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}
