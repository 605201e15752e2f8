/*
 * Template links: a template's body with its slots filled in.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "link.h"

#include <string.h>

#include "parser.h"
#include "reader.h"

struct linker {
  struct cedar_store *store;
  const struct cedar_source *source;
  struct cedar_arena *scratch;
  struct cedar_error *error;
  struct cedar_places places;
  uint32_t name; /* symbol of the source's name */
};

/* A member under one of its two names. */
static const struct cedar_json *member_either(const struct cedar_json *json, const char *a,
                                              const char *b) {
  const struct cedar_json *member = cedar_json_member(json, a);

  return member != NULL ? member : cedar_json_member(json, b);
}

/* The entity a slot is given: Type::"id", {"type","id"} or {"__entity":{..}}. */
static enum cedar_status slot_value(struct linker *l, const struct cedar_json *json,
                                    uint32_t *uid_out) {
  struct cedar_reader r = {cedar_store_maker(l->store), l->source, NULL, l->scratch, l->error};
  struct cedar_uid_text text;
  enum cedar_status status;

  if (json->kind == CEDAR_JSON_STRING) {
    if (!cedar_uid_parse(l->scratch, json->u.string, &text))
      return cedar_json_error(l->error, l->source, json,
                              "a slot's value must be of the form Type::\"id\"");
  } else {
    status = cedar_uid_read(&r, json, &text);
    if (status != CEDAR_OK)
      return status;
  }
  return cedar_reader_status(&r, json, r.maker.uid(r.maker.ctx, text, uid_out));
}

static enum cedar_status slots_fill(struct linker *l, const struct cedar_json *values,
                                    struct cedar_policy *policy) {
  static const struct {
    const char *name;
    enum cedar_var var;
  } slots[] = {{"?principal", CEDAR_PRINCIPAL}, {"?resource", CEDAR_RESOURCE}};
  uint32_t wanted = 0;
  size_t i;

  for (i = 0; i < 2; i++) {
    struct cedar_scope *scope = &policy->scope[slots[i].var];
    const struct cedar_json *value = cedar_json_member(values, slots[i].name);
    enum cedar_status status;

    if (!scope->slot)
      continue;
    wanted++;
    if (value == NULL)
      return cedar_json_error(l->error, l->source, values, "the slot `%s` has no value",
                              slots[i].name);
    status = slot_value(l, value, &scope->uid);
    if (status != CEDAR_OK)
      return status;
    scope->slot = 0;
  }
  if (values->count != wanted)
    return cedar_json_error(l->error, l->source, values,
                            "a value is given for a slot that the template does not have");
  return CEDAR_OK;
}

static enum cedar_status link_load(struct linker *l, const struct cedar_json *json) {
  const struct cedar_json *template_id = member_either(json, "template_id", "templateId");
  const struct cedar_json *id = member_either(json, "link_id", "newId");
  const struct cedar_json *values = member_either(json, "args", "values");
  struct cedar_place place = cedar_places_at(&l->places, json->offset);
  struct cedar_policy policy;
  enum cedar_status status;
  uint32_t index;

  if (template_id == NULL || template_id->kind != CEDAR_JSON_STRING || id == NULL ||
      id->kind != CEDAR_JSON_STRING || values == NULL || values->kind != CEDAR_JSON_OBJECT)
    return cedar_json_error(l->error, l->source, json,
                            "a link needs \"template_id\", \"link_id\" and \"args\"");
  if (!cedar_policy_find(l->store, template_id->u.string, &index) ||
      l->store->policies.at[index].kind != CEDAR_POLICY_TEMPLATE)
    return cedar_json_error(
        l->error, l->source, template_id, "there is no template \"%.*s\"",
        (int)(template_id->u.string.len < 100 ? template_id->u.string.len : 100),
        template_id->u.string.ptr);
  policy = l->store->policies.at[index];
  policy.kind = CEDAR_POLICY_LINK;
  policy.tmpl = index;
  policy.source = l->name;
  policy.line = place.line;
  policy.column = place.column;
  status = slots_fill(l, values, &policy);
  if (status == CEDAR_OK)
    status = cedar_sym_put(l->store, id->u.string.ptr, id->u.string.len, &policy.id);
  if (status == CEDAR_OK)
    status = cedar_policy_put(l->store, &policy, l->error);
  if (status != CEDAR_OK && status != CEDAR_INVALID)
    cedar_error_set(l->error, status, place, "%s",
                    status == CEDAR_NOMEM ? "out of memory" : "too many policies");
  return status;
}

enum cedar_status cedar_links_load(struct cedar_store *store, const struct cedar_source *source,
                                   const struct cedar_json *json, struct cedar_arena *scratch,
                                   struct cedar_error *error) {
  struct linker l = {
      .store = store, .source = source, .scratch = scratch, .error = error, .name = CEDAR_NONE};
  const struct cedar_json *child;
  enum cedar_status status;

  if (json->kind != CEDAR_JSON_ARRAY)
    return cedar_json_error(error, source, json, "expected an array of links, found %s",
                            cedar_json_kind_name(json));
  cedar_places_init(&l.places, source);
  status = cedar_sym_put(store, source->name, strlen(source->name), &l.name);
  for (child = json->u.child; status == CEDAR_OK && child != NULL; child = child->next)
    status = link_load(&l, child);
  return status;
}

enum cedar_status cedar_store_add_links(struct cedar_store *store,
                                        const struct cedar_source *source,
                                        struct cedar_error *error) {
  struct cedar_arena scratch;
  struct cedar_json *json;
  enum cedar_status status;

  if (!cedar_store_is_open(store, error))
    return CEDAR_MISUSE;
  cedar_arena_init(&scratch, &store->alloc, SIZE_MAX / 2);
  status = cedar_json_parse(&scratch, source, &json, error);
  if (status == CEDAR_OK)
    status = cedar_links_load(store, source, json, &scratch, error);
  cedar_arena_clear(&scratch);
  store->broken = status != CEDAR_OK;
  return status;
}
