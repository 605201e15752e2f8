/*
 * Declarations of a schema as they are read, and the public calls that read one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema_draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static bool draft_fail(struct cedar_draft *draft,
                                                             enum cedar_status status,
                                                             uint32_t offset, const char *format,
                                                             va_list args) {
  char message[sizeof(draft->error->message)];

  if (draft->status != CEDAR_OK)
    return false;
  vsnprintf(message, sizeof(message), format, args);
  draft->status =
      cedar_error_set(draft->error, status, cedar_place_at(&draft->source, offset), "%s", message);
  return false;
}

bool cedar_draft_fail(struct cedar_draft *draft, uint32_t offset, const char *format, ...) {
  va_list args;

  va_start(args, format);
  draft_fail(draft, CEDAR_INVALID, offset, format, args);
  va_end(args);
  return false;
}

bool cedar_draft_limit(struct cedar_draft *draft, uint32_t offset, const char *format, ...) {
  va_list args;

  va_start(args, format);
  draft_fail(draft, CEDAR_LIMIT, offset, format, args);
  va_end(args);
  return false;
}

void *cedar_draft_get(struct cedar_draft *draft, size_t count, size_t size) {
  void *piece = cedar_arena_get_array(&draft->schema->arena, count, size);

  if (piece == NULL && draft->status == CEDAR_OK)
    draft->status = cedar_error_plain(draft->error, CEDAR_NOMEM, "out of memory while reading %s",
                                      draft->source.name);
  return piece;
}

bool cedar_draft_join(struct cedar_draft *draft, struct cedar_text space, struct cedar_text name,
                      struct cedar_text *full_out) {
  char *full;

  *full_out = name;
  if (space.len == 0)
    return true;
  full = cedar_draft_get(draft, space.len + name.len + 2, 1);
  if (full == NULL)
    return false;
  memcpy(full, space.ptr, space.len);
  memcpy(full + space.len, "::", 2);
  memcpy(full + space.len + 2, name.ptr, name.len);
  full_out->ptr = full;
  full_out->len = space.len + name.len + 2;
  return true;
}

void cedar_draft_names_init(struct cedar_draft_names *names) {
  names->first = NULL;
  names->last = &names->first;
  names->count = 0;
}

bool cedar_draft_names_put(struct cedar_draft *draft, struct cedar_draft_names *names,
                           struct cedar_text type, struct cedar_text id, uint32_t offset) {
  struct cedar_draft_name *name = cedar_draft_get(draft, 1, sizeof(*name));

  if (name == NULL)
    return false;
  name->type = type;
  name->id = id;
  name->offset = offset;
  if (names->count++ == 0)
    names->first = name;
  else
    *names->last = name;
  names->last = &name->next;
  return true;
}

struct cedar_draft_type *cedar_draft_type_new(struct cedar_draft *draft, enum cedar_draft_kind kind,
                                              uint32_t offset) {
  struct cedar_draft_type *type = cedar_draft_get(draft, 1, sizeof(*type));

  if (type == NULL)
    return NULL;
  type->kind = kind;
  type->offset = offset;
  return type;
}

bool cedar_name_is_internal(struct cedar_text name) {
  size_t start = 0, i;

  for (i = 0; i <= name.len; i++) {
    struct cedar_text part = {name.ptr + start, i - start};

    if (i < name.len && name.ptr[i] != ':')
      continue;
    if (cedar_text_is(part, "__cedar"))
      return true;
    start = i + 1;
  }
  return false;
}

int cedar_draft_len(struct cedar_text text) {
  return (int)(text.len < 100 ? text.len : 100);
}

static bool internal_refuse(struct cedar_draft *draft, struct cedar_text name, uint32_t offset) {
  if (!cedar_name_is_internal(name))
    return true;
  return cedar_draft_fail(draft, offset, "names with `__cedar` belong to the language");
}

struct cedar_draft_common *cedar_draft_common_put(struct cedar_draft *draft,
                                                  struct cedar_text space, struct cedar_text name,
                                                  uint32_t offset) {
  static const char taken[][10] = {"Bool", "Boolean", "Entity", "Extension",
                                   "Long", "Record",  "Set",    "String"};
  struct cedar_draft_common *common;
  size_t i;

  if (!internal_refuse(draft, name, offset))
    return NULL;
  for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
    if (cedar_text_is(name, taken[i])) {
      cedar_draft_fail(draft, offset, "a common type may not be called `%s`", taken[i]);
      return NULL;
    }
  }
  common = cedar_draft_get(draft, 1, sizeof(*common));
  if (common == NULL || !cedar_draft_join(draft, space, name, &common->name))
    return NULL;
  common->space = space;
  common->offset = offset;
  common->next = draft->commons;
  draft->commons = common;
  draft->common_count++;
  return common;
}

struct cedar_draft_entity *cedar_draft_entity_put(struct cedar_draft *draft,
                                                  struct cedar_text space, struct cedar_text name,
                                                  uint32_t offset) {
  struct cedar_draft_entity *entity;

  if (!internal_refuse(draft, name, offset))
    return NULL;
  if (cedar_text_is(name, "Action")) {
    cedar_draft_fail(
        draft, offset,
        "`Action` is the type of all actions and cannot be declared as an entity type");
    return NULL;
  }
  entity = cedar_draft_get(draft, 1, sizeof(*entity));
  if (entity == NULL || !cedar_draft_join(draft, space, name, &entity->name))
    return NULL;
  entity->space = space;
  entity->offset = offset;
  entity->next = draft->entities;
  draft->entities = entity;
  draft->entity_count++;
  return entity;
}

struct cedar_draft_action *cedar_draft_action_put(struct cedar_draft *draft,
                                                  struct cedar_text space, struct cedar_text id,
                                                  uint32_t offset) {
  struct cedar_draft_action *action = cedar_draft_get(draft, 1, sizeof(*action));

  if (action == NULL || !cedar_draft_join(draft, space, cedar_text_of("Action"), &action->uid.type))
    return NULL;
  action->uid.id = id;
  action->space = space;
  action->offset = offset;
  action->next = draft->actions;
  draft->actions = action;
  draft->action_count++;
  return action;
}

bool cedar_draft_space_put(struct cedar_draft *draft, struct cedar_text name, uint32_t offset) {
  struct cedar_draft_space *space;

  if (!internal_refuse(draft, name, offset))
    return false;
  space = cedar_draft_get(draft, 1, sizeof(*space));
  if (space == NULL)
    return false;
  space->name = name;
  space->offset = offset;
  space->next = draft->spaces;
  draft->spaces = space;
  draft->space_count++;
  return true;
}

/* ---- the public calls ---- */

static enum cedar_status schema_load(struct cedar_draft *draft, const struct cedar_source *source,
                                     bool json) {
  if (source->len > CEDAR_MAX_SOURCE)
    return cedar_error_plain(draft->error, CEDAR_LIMIT, "%s is larger than %u bytes", source->name,
                             CEDAR_MAX_SOURCE);
  draft->source.name = source->name;
  draft->source.len = source->len;
  draft->source.bytes = cedar_arena_dup(&draft->schema->arena, source->bytes, source->len);
  if (draft->source.bytes == NULL)
    return cedar_error_plain(draft->error, CEDAR_NOMEM, "out of memory while reading %s",
                             source->name);
  if (!(json ? cedar_schema_read_json(draft) : cedar_schema_read_text(draft)) ||
      !cedar_schema_resolve(draft))
    return draft->status;
  return CEDAR_OK;
}

static enum cedar_status schema_parse(const struct cedar_source *source,
                                      const struct cedar_allocator *allocator, bool json,
                                      struct cedar_schema **schema_out, struct cedar_error *error) {
  struct cedar_allocator alloc = cedar_allocator_get(allocator);
  struct cedar_schema *schema = alloc.alloc(alloc.ctx, sizeof(*schema));
  struct cedar_draft draft = {.schema = schema, .error = error};
  enum cedar_status status;

  *schema_out = NULL;
  if (schema == NULL)
    return cedar_error_plain(error, CEDAR_NOMEM, "out of memory");
  memset(schema, 0, sizeof(*schema));
  cedar_arena_init(&schema->arena, &alloc, CEDAR_MAX_SCHEMA);
  status = schema_load(&draft, source, json);
  if (status != CEDAR_OK) {
    cedar_schema_free(&schema);
    return status;
  }
  *schema_out = schema;
  return CEDAR_OK;
}

enum cedar_status cedar_schema_parse(const struct cedar_source *source,
                                     const struct cedar_allocator *allocator,
                                     struct cedar_schema **schema_out, struct cedar_error *error) {
  return schema_parse(source, allocator, false, schema_out, error);
}

enum cedar_status cedar_schema_parse_json(const struct cedar_source *source,
                                          const struct cedar_allocator *allocator,
                                          struct cedar_schema **schema_out,
                                          struct cedar_error *error) {
  return schema_parse(source, allocator, true, schema_out, error);
}

void cedar_schema_free(struct cedar_schema **schema) {
  struct cedar_allocator alloc;

  if (schema == NULL || *schema == NULL)
    return;
  alloc = (*schema)->arena.alloc;
  cedar_arena_clear(&(*schema)->arena);
  alloc.free(alloc.ctx, *schema, sizeof(**schema));
  *schema = NULL;
}
