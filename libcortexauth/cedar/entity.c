/*
 * Entities: the JSON form into the store, checked against a schema where there is one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "entity.h"

#include <string.h>

#include "fold.h"
#include "reader.h"

/* The text of one call of cedar_store_add_entities(). */
struct loader {
  struct cedar_reader r;
  struct cedar_store *store;
  struct cedar_places places;
  struct cedar_action_list actions; /* with a schema: its action entities, room for all */
  bool is_action;                   /* the entity being read is one */
  uint32_t source;                  /* symbol */
};

static struct cedar_value stored_record(uint32_t first, uint32_t count) {
  struct cedar_value value = cedar_value_make(CEDAR_KIND_RECORD, 0);

  value.flags = CEDAR_STORED;
  value.n = count;
  value.u.id = first;
  return value;
}

static bool entity_equal(const struct cedar_store *store, const struct cedar_uid *a,
                         const struct cedar_uid *b) {
  if (a->parent_count != b->parent_count ||
      (a->parent_count > 0 && memcmp(store->reach.at + a->parents, store->reach.at + b->parents,
                                     a->parent_count * sizeof(uint32_t)) != 0))
    return false;
  return cedar_value_compare(store, stored_record(a->attrs, a->attr_count),
                             stored_record(b->attrs, b->attr_count)) == 0 &&
         cedar_value_compare(store, stored_record(a->tags, a->tag_count),
                             stored_record(b->tags, b->tag_count)) == 0;
}

enum cedar_status cedar_entity_put(struct cedar_store *store, const struct cedar_draft *draft,
                                   bool *same_out) {
  struct cedar_uid *uid = &store->uids.at[draft->origin.uid], name = *uid;
  enum cedar_status status;

  *same_out = uid->entity == CEDAR_NONE || entity_equal(store, &draft->body, uid);
  if (uid->entity != CEDAR_NONE)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, entities, 1, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  *uid = draft->body;
  uid->type = name.type;
  uid->id = name.id;
  uid->len = name.len;
  memcpy(uid->text, name.text, sizeof(uid->text));
  uid->entity = store->entities.n;
  store->entities.at[store->entities.n++] = draft->origin;
  return CEDAR_OK;
}

enum cedar_status cedar_parents_put(struct cedar_store *store, uint32_t *uids, uint32_t count,
                                    struct cedar_uid *entity) {
  enum cedar_status status;

  count = cedar_ids_normalize(uids, count);
  status = CEDAR_ROOM(store, reach, count, CEDAR_MAX_REACH);
  if (status != CEDAR_OK)
    return status;
  entity->parents = store->reach.n;
  entity->parent_count = count;
  if (count > 0)
    memcpy(store->reach.at + store->reach.n, uids, count * sizeof(*uids));
  store->reach.n += count;
  return CEDAR_OK;
}

/* A member that must be there and of a kind. */
static enum cedar_status member_need(struct loader *l, const struct cedar_json *json,
                                     const char *key, enum cedar_json_kind kind,
                                     const struct cedar_json **member_out) {
  const struct cedar_json *member = cedar_json_member(json, key);

  *member_out = member;
  if (json->kind != CEDAR_JSON_OBJECT)
    return cedar_json_error(l->r.error, l->r.source, json, "expected an entity, found %s",
                            cedar_json_kind_name(json));
  if (member == NULL)
    return cedar_json_error(l->r.error, l->r.source, json, "the entity has no \"%s\"", key);
  if (member->kind != kind)
    return cedar_json_error(l->r.error, l->r.source, member, "\"%s\" must be %s, not %s", key,
                            kind == CEDAR_JSON_OBJECT ? "an object" : "an array",
                            cedar_json_kind_name(member));
  return CEDAR_OK;
}

static enum cedar_status record_load(struct loader *l, const struct cedar_json *json,
                                     const struct cedar_type *type, const struct cedar_type *each,
                                     struct cedar_value *out) {
  struct cedar_fields fields;
  enum cedar_status status = cedar_fields_read(&l->r, json, type, each, &fields);

  if (status != CEDAR_OK)
    return status;
  return cedar_reader_status(&l->r, json,
                             cedar_store_put_record(l->store, fields.at, fields.count, out));
}

/* An entity may only be in what the schema lets its type be in. */
static enum cedar_status parent_conforms(struct loader *l, const struct cedar_json *json,
                                         struct cedar_uid_text parent,
                                         const struct cedar_schema_entity *declared) {
  enum cedar_status status = cedar_uid_conforms(&l->r, json, parent);

  if (status == CEDAR_OK && l->is_action && !cedar_is_action_type(parent.type))
    return cedar_json_error(l->r.error, l->r.source, json, "an action can only be in actions");

  if (status != CEDAR_OK || declared == NULL ||
      cedar_text_in(declared->ancestors, declared->ancestor_count, parent.type))
    return status;
  return cedar_json_error(
      l->r.error, l->r.source, json, "an entity of type `%.*s` cannot be in one of type `%.*s`",
      (int)(declared->name.len < 100 ? declared->name.len : 100), declared->name.ptr,
      (int)(parent.type.len < 100 ? parent.type.len : 100), parent.type.ptr);
}

static enum cedar_status parents_load(struct loader *l, const struct cedar_json *json,
                                      const struct cedar_schema_entity *declared,
                                      struct cedar_uid *entity) {
  uint32_t *uids = cedar_arena_get_array(l->r.scratch, json->count, sizeof(*uids)), i;
  const struct cedar_json *child = json->u.child;
  enum cedar_status status = CEDAR_OK;
  struct cedar_uid_text text;

  if (uids == NULL)
    return cedar_reader_status(&l->r, json, CEDAR_NOMEM);
  for (i = 0; status == CEDAR_OK && i < json->count; i++, child = child->next) {
    status = cedar_uid_read(&l->r, child, &text);
    if (status == CEDAR_OK)
      status = parent_conforms(l, child, text, declared);
    if (status == CEDAR_OK)
      status = cedar_reader_status(&l->r, child, l->r.maker.uid(l->r.maker.ctx, text, &uids[i]));
  }
  if (status == CEDAR_OK)
    status =
        cedar_reader_status(&l->r, json, cedar_parents_put(l->store, uids, json->count, entity));
  return status;
}

/* Attributes, tags and parents into the store. */
static enum cedar_status body_load(struct loader *l, const struct cedar_json *json,
                                   const struct cedar_schema_entity *declared,
                                   struct cedar_uid *entity) {
  const struct cedar_json *attrs, *parents, *tags = cedar_json_member(json, "tags");
  const struct cedar_type *each = declared == NULL ? NULL : declared->tags;
  struct cedar_value record;
  enum cedar_status status;

  status = member_need(l, json, "attrs", CEDAR_JSON_OBJECT, &attrs);
  if (status == CEDAR_OK)
    status = member_need(l, json, "parents", CEDAR_JSON_ARRAY, &parents);
  if (status == CEDAR_OK && tags != NULL)
    status = member_need(l, json, "tags", CEDAR_JSON_OBJECT, &tags);
  if (status == CEDAR_OK && tags != NULL && tags->count > 0 && declared != NULL && each == NULL)
    status = cedar_json_error(l->r.error, l->r.source, tags, "entities of type `%.*s` have no tags",
                              (int)(declared->name.len < 100 ? declared->name.len : 100),
                              declared->name.ptr);
  if (status == CEDAR_OK)
    status = record_load(l, attrs, declared == NULL ? NULL : declared->shape, NULL, &record);
  if (status != CEDAR_OK)
    return status;
  entity->attrs = record.u.id;
  entity->attr_count = record.n;
  if (tags != NULL) {
    status = record_load(l, tags, NULL, each, &record);
    if (status != CEDAR_OK)
      return status;
    entity->tags = record.u.id;
    entity->tag_count = record.n;
  }
  return parents_load(l, parents, declared, entity);
}

/* Kept until all are read; the store has the schema's own actions already. */
static enum cedar_status action_put(struct loader *l, const struct cedar_json *json,
                                    const struct cedar_schema_action *action,
                                    const struct cedar_draft *draft) {
  struct cedar_action_entry *entry = &l->actions.at[l->actions.n++];

  entry->json = json;
  entry->action = action;
  entry->draft = *draft;
  return CEDAR_OK;
}

static enum cedar_status entity_load(struct loader *l, const struct cedar_json *json) {
  const struct cedar_json *uid = cedar_json_member(json, "uid");
  struct cedar_place place = cedar_places_at(&l->places, json->offset);
  struct cedar_draft draft = {
      .origin = {.source = l->source, .line = place.line, .column = place.column}};
  const struct cedar_schema_action *action = NULL;
  const struct cedar_schema_entity *declared = NULL;
  struct cedar_uid_text text;
  enum cedar_status status;
  bool same;

  if (uid == NULL)
    return cedar_json_error(l->r.error, l->r.source, json,
                            json->kind == CEDAR_JSON_OBJECT ? "the entity has no \"uid\"%s"
                                                            : "expected an entity, found %s",
                            json->kind == CEDAR_JSON_OBJECT ? "" : cedar_json_kind_name(json));
  status = cedar_uid_read(&l->r, uid, &text);
  if (status == CEDAR_OK)
    status = cedar_uid_conforms(&l->r, uid, text);
  if (status == CEDAR_OK)
    status =
        cedar_reader_status(&l->r, uid, l->r.maker.uid(l->r.maker.ctx, text, &draft.origin.uid));
  if (status != CEDAR_OK)
    return status;
  l->is_action = cedar_is_action_type(text.type);
  if (l->r.schema != NULL) {
    action = cedar_schema_action_find(l->r.schema, text);
    declared = action != NULL ? NULL : cedar_schema_entity_find(l->r.schema, text.type);
  }
  status = body_load(l, json, declared, &draft.body);
  if (status == CEDAR_OK && action != NULL)
    return action_put(l, json, action, &draft);
  if (status != CEDAR_OK)
    return status;
  status = cedar_reader_status(&l->r, json, cedar_entity_put(l->store, &draft, &same));
  if (status == CEDAR_OK && !same)
    status = cedar_json_error(l->r.error, l->r.source, json,
                              "%.*s::\"%.*s\" is there already, with other content",
                              (int)(text.type.len < 100 ? text.type.len : 100), text.type.ptr,
                              (int)(text.id.len < 100 ? text.id.len : 100), text.id.ptr);
  return status;
}

/* With a schema its actions come first, and room for those of the file. */
static enum cedar_status actions_prepare(struct loader *l, const struct cedar_json *json) {
  if (l->r.schema == NULL)
    return CEDAR_OK;
  l->actions.at = cedar_arena_get_array(l->r.scratch, json->count, sizeof(*l->actions.at));
  if (l->actions.at == NULL)
    return cedar_reader_status(&l->r, json, CEDAR_NOMEM);
  return cedar_reader_status(&l->r, json, cedar_actions_put(l->store, l->r.schema, l->source));
}

static enum cedar_status entities_load(struct loader *l) {
  const struct cedar_json *child;
  struct cedar_json *json;
  enum cedar_status status = cedar_json_parse(l->r.scratch, l->r.source, &json, l->r.error);

  if (status != CEDAR_OK)
    return status;
  if (json->kind != CEDAR_JSON_ARRAY)
    return cedar_json_error(l->r.error, l->r.source, json,
                            "expected an array of entities, found %s", cedar_json_kind_name(json));
  status = cedar_reader_status(
      &l->r, json,
      cedar_sym_put(l->store, l->r.source->name, strlen(l->r.source->name), &l->source));
  if (status == CEDAR_OK)
    status = actions_prepare(l, json);
  for (child = json->u.child; status == CEDAR_OK && child != NULL; child = child->next)
    status = entity_load(l, child);
  return status == CEDAR_OK ? cedar_actions_conform(&l->r, &l->actions) : status;
}

enum cedar_status cedar_store_add_entities(struct cedar_store *store,
                                           const struct cedar_source *source,
                                           const struct cedar_schema *schema,
                                           struct cedar_error *error) {
  struct cedar_arena scratch;
  struct loader l = {.r = {cedar_store_maker(store), source, schema, &scratch, error},
                     .store = store};
  enum cedar_status status;

  if (!cedar_store_is_open(store, error))
    return CEDAR_MISUSE;
  cedar_places_init(&l.places, source);
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  status = entities_load(&l);
  cedar_arena_clear(&scratch);
  store->broken = status != CEDAR_OK;
  return status;
}
