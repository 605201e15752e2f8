/*
 * The schema's JSON form: declarations to a draft, every unknown field refused.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "json.h"
#include "schema_draft.h"

#define MAX_FIELDS 7

/* The members of one object, in the order of its field list. */
struct fields {
  const struct cedar_json *at[MAX_FIELDS];
};

typedef char field_name[21]; /* lists of them end with an empty one */

static struct cedar_draft_type *type_read(struct cedar_draft *draft, const struct cedar_json *json,
                                          const field_name *names, struct fields *fields);

/* "expected X, found Y" at a value. */
static bool expected(struct cedar_draft *draft, const struct cedar_json *json, const char *what) {
  return cedar_draft_fail(draft, json->offset, "expected %s, found %s", what,
                          cedar_json_kind_name(json));
}

static bool kind_is(struct cedar_draft *draft, const struct cedar_json *json,
                    enum cedar_json_kind kind, const char *what) {
  return json->kind == kind || expected(draft, json, what);
}

static bool unknown_field(struct cedar_draft *draft, const struct cedar_json *member,
                          const field_name *names) {
  char list[160] = "";
  size_t i;

  for (i = 0; names[i][0] != '\0'; i++) {
    strncat(list, i == 0 ? "`" : ", `", sizeof(list) - strlen(list) - 1);
    strncat(list, names[i], sizeof(list) - strlen(list) - 1);
    strncat(list, "`", sizeof(list) - strlen(list) - 1);
  }
  return cedar_draft_fail(draft, member->key_offset, "unknown field `%.*s`, expected one of %s",
                          cedar_draft_len(member->key), member->key.ptr, list);
}

/* Sorts the members of an object by a list of names; any other name is refused. */
static bool fields_read(struct cedar_draft *draft, const struct cedar_json *json,
                        const field_name *names, struct fields *fields) {
  const struct cedar_json *member;
  size_t i;

  memset(fields, 0, sizeof(*fields));
  if (!kind_is(draft, json, CEDAR_JSON_OBJECT, "an object"))
    return false;
  for (member = json->u.child; member != NULL; member = member->next) {
    for (i = 0; names[i][0] != '\0' && !cedar_text_is(member->key, names[i]); i++)
      ;
    if (names[i][0] == '\0')
      return unknown_field(draft, member, names);
    fields->at[i] = member;
  }
  return true;
}

/*
 * The same for a declaration, which the official reader also takes as an array of its fields in
 * the order of the names.
 */
static bool declared_read(struct cedar_draft *draft, const struct cedar_json *json,
                          const field_name *names, struct fields *fields) {
  const struct cedar_json *item;
  size_t i = 0;

  if (json->kind != CEDAR_JSON_ARRAY)
    return fields_read(draft, json, names, fields);
  memset(fields, 0, sizeof(*fields));
  for (item = json->u.child; item != NULL; item = item->next, i++) {
    if (names[i][0] == '\0')
      return expected(draft, json, "an object");
    fields->at[i] = item;
  }
  return true;
}

/* A member that may be null, which counts as absent. */
static const struct cedar_json *nullable(const struct cedar_json *json) {
  return json != NULL && json->kind == CEDAR_JSON_NULL ? NULL : json;
}

/* Identifiers joined by `::`; `__cedar` may be one of them where the caller allows it. */
static bool path_is_good(struct cedar_text path, bool internal) {
  size_t start = 0, i;

  for (i = 0; i <= path.len; i++) {
    struct cedar_text part = {path.ptr + start, i - start};

    if (i < path.len && path.ptr[i] != ':')
      continue;
    if (!cedar_is_ident(part) ||
        (cedar_is_reserved(part) && !(internal && cedar_text_is(part, "__cedar"))))
      return false;
    if (i == path.len)
      return true;
    if (path.len - i < 2 || path.ptr[i + 1] != ':')
      return false;
    start = i + 2;
    i++;
  }
  return false;
}

static bool path_read(struct cedar_draft *draft, const struct cedar_json *json, const char *what,
                      struct cedar_text *out) {
  if (!kind_is(draft, json, CEDAR_JSON_STRING, what))
    return false;
  *out = json->u.string;
  return path_is_good(*out, true) ||
         cedar_draft_fail(draft, json->offset, "expected %s, found \"%.*s\"", what,
                          cedar_draft_len(*out), out->ptr);
}

static bool key_is_ident(struct cedar_draft *draft, const struct cedar_json *member,
                         const char *what) {
  return (cedar_is_ident(member->key) && !cedar_is_reserved(member->key)) ||
         cedar_draft_fail(draft, member->key_offset, "expected %s, found \"%.*s\"", what,
                          cedar_draft_len(member->key), member->key.ptr);
}

/* ["A", "N::B"] as names of entity types */
static bool types_read(struct cedar_draft *draft, const struct cedar_json *json,
                       struct cedar_draft_names *names) {
  struct cedar_text path, none = {"", 0};
  const struct cedar_json *item;

  if (!kind_is(draft, json, CEDAR_JSON_ARRAY, "an array of entity types"))
    return false;
  for (item = json->u.child; item != NULL; item = item->next)
    if (!path_read(draft, item, "the name of an entity type", &path) ||
        !cedar_draft_names_put(draft, names, path, none, item->offset))
      return false;
  return true;
}

/* {"key": "value"}: checked, not kept */
static bool annotations_read(struct cedar_draft *draft, const struct cedar_json *json) {
  const struct cedar_json *member;

  if (json == NULL)
    return true;
  if (!kind_is(draft, json, CEDAR_JSON_OBJECT, "an object"))
    return false;
  for (member = json->u.child; member != NULL; member = member->next) {
    if (!cedar_is_ident(member->key))
      return cedar_draft_fail(draft, member->key_offset,
                              "expected the name of an annotation, found \"%.*s\"",
                              cedar_draft_len(member->key), member->key.ptr);
    if (member->kind != CEDAR_JSON_NULL && !kind_is(draft, member, CEDAR_JSON_STRING, "a string"))
      return false;
  }
  return true;
}

/* ---- types ---- */

/* The fields of a type come first in every list that may stand around one. */
enum { TYPE, ELEMENT, ATTRIBUTES, ADDITIONAL, NAME, ANNOTATIONS, REQUIRED };

static const field_name type_names[] = {"type", "element", "attributes", "additionalAttributes",
                                        "name", ""};
static const field_name common_names[] = {
    "type", "element", "attributes", "additionalAttributes", "name", "annotations", ""};
static const field_name member_names[] = {
    "type", "element", "attributes", "additionalAttributes", "name", "annotations", "required", ""};

/* Which fields a type takes besides "type". */
struct shape {
  char name[15];
  enum cedar_draft_kind kind;
  enum cedar_type_kind plain;
  unsigned int fields; /* bits by field number */
};

static const struct shape shapes[] = {
    {"String", CEDAR_DRAFT_PLAIN, CEDAR_TYPE_STRING, 0},
    {"Long", CEDAR_DRAFT_PLAIN, CEDAR_TYPE_LONG, 0},
    {"Boolean", CEDAR_DRAFT_PLAIN, CEDAR_TYPE_BOOL, 0},
    {"Set", CEDAR_DRAFT_SET, CEDAR_TYPE_SET, 1U << ELEMENT},
    {"Record", CEDAR_DRAFT_RECORD, CEDAR_TYPE_RECORD, 1U << ATTRIBUTES | 1U << ADDITIONAL},
    {"Entity", CEDAR_DRAFT_ENTITY, CEDAR_TYPE_ENTITY, 1U << NAME},
    {"EntityOrCommon", CEDAR_DRAFT_EITHER, CEDAR_TYPE_ENTITY, 1U << NAME},
    {"Extension", CEDAR_DRAFT_EXTENSION, CEDAR_TYPE_DECIMAL, 1U << NAME},
    {"", CEDAR_DRAFT_COMMON, CEDAR_TYPE_ENTITY, 0}, /* any other name */
};

static const struct shape *shape_of(struct cedar_text name) {
  const struct shape *shape = shapes;

  while (shape->name[0] != '\0' && !cedar_text_is(name, shape->name))
    shape++;
  return shape;
}

static bool shape_check(struct cedar_draft *draft, const struct cedar_json *json,
                        const struct shape *shape, const struct fields *fields) {
  unsigned int i, needed = shape->fields & ~(1U << ADDITIONAL);

  for (i = ELEMENT; i <= NAME; i++) {
    if (fields->at[i] != NULL && (shape->fields & 1U << i) == 0)
      return cedar_draft_fail(draft, fields->at[i]->key_offset, "a type \"%s\" has no field `%s`",
                              shape->name[0] != '\0' ? shape->name : "(common)", type_names[i]);
    if (fields->at[i] == NULL && (needed & 1U << i) != 0)
      return cedar_draft_fail(draft, json->offset, "a type \"%s\" needs the field `%s`",
                              shape->name, type_names[i]);
  }
  return true;
}

/* {"name": Type with annotations and required, ...} */
static bool members_read(struct cedar_draft *draft, const struct cedar_json *json,
                         struct cedar_draft_type *type) {
  struct cedar_draft_member **last = &type->members, *member;
  const struct cedar_json *item;
  struct fields fields;

  if (!kind_is(draft, json, CEDAR_JSON_OBJECT, "an object with attributes"))
    return false;
  for (item = json->u.child; item != NULL; item = item->next) {
    member = cedar_draft_get(draft, 1, sizeof(*member));
    if (member == NULL)
      return false;
    member->name = item->key;
    member->required = true;
    member->type = type_read(draft, item, member_names, &fields);
    if (member->type == NULL || !annotations_read(draft, fields.at[ANNOTATIONS]))
      return false;
    if (fields.at[REQUIRED] != NULL) {
      if (!kind_is(draft, fields.at[REQUIRED], CEDAR_JSON_BOOL, "true or false"))
        return false;
      member->required = fields.at[REQUIRED]->u.b;
    }
    *last = member;
    last = &member->next;
    type->count++;
  }
  return true;
}

static bool record_read(struct cedar_draft *draft, const struct fields *fields,
                        struct cedar_draft_type *type) {
  const struct cedar_json *open = fields->at[ADDITIONAL];

  if (open != NULL) {
    if (!kind_is(draft, open, CEDAR_JSON_BOOL, "true or false"))
      return false;
    if (open->u.b)
      return cedar_draft_fail(
          draft, open->offset,
          "records with further attributes (additionalAttributes) are not supported");
  }
  return members_read(draft, fields->at[ATTRIBUTES], type);
}

/* The part of a type that its kind asks for. */
static bool type_body_read(struct cedar_draft *draft, const struct fields *fields,
                           struct cedar_draft_type *type) {
  struct fields inner;

  switch (type->kind) {
  case CEDAR_DRAFT_PLAIN:
    return true;
  case CEDAR_DRAFT_SET:
    type->element = type_read(draft, fields->at[ELEMENT], type_names, &inner);
    return type->element != NULL;
  case CEDAR_DRAFT_RECORD:
    return record_read(draft, fields, type);
  case CEDAR_DRAFT_COMMON:
    return path_read(draft, fields->at[TYPE], "the name of a type", &type->name);
  case CEDAR_DRAFT_EXTENSION:
  case CEDAR_DRAFT_ENTITY:
  case CEDAR_DRAFT_EITHER:
    return path_read(draft, fields->at[NAME], "the name of a type", &type->name);
  }
  return false;
}

/*
 * A type whose object may have the fields of names, those of a type first. Depth needs no
 * counting: the JSON reader has bounded it.
 */
static struct cedar_draft_type *type_read(struct cedar_draft *draft, const struct cedar_json *json,
                                          const field_name *names, struct fields *fields) {
  struct cedar_draft_type *type;
  const struct shape *shape;

  if (!fields_read(draft, json, names, fields))
    return NULL;
  if (fields->at[TYPE] == NULL) {
    cedar_draft_fail(draft, json->offset, "a type needs the field `type`");
    return NULL;
  }
  if (!kind_is(draft, fields->at[TYPE], CEDAR_JSON_STRING, "the name of a type"))
    return NULL;
  shape = shape_of(fields->at[TYPE]->u.string);
  type = cedar_draft_type_new(draft, shape->kind, json->offset);
  if (type == NULL || !shape_check(draft, json, shape, fields))
    return NULL;
  type->plain = shape->plain;
  return type_body_read(draft, fields, type) ? type : NULL;
}

/* ---- declarations ---- */

static bool common_read(struct cedar_draft *draft, struct cedar_text space,
                        const struct cedar_json *member) {
  struct cedar_draft_common *common;
  struct fields fields;

  if (!key_is_ident(draft, member, "the name of a common type"))
    return false;
  common = cedar_draft_common_put(draft, space, member->key, member->key_offset);
  if (common == NULL)
    return false;
  common->type = type_read(draft, member, common_names, &fields);
  return common->type != NULL && annotations_read(draft, fields.at[ANNOTATIONS]);
}

static bool enum_read(struct cedar_draft *draft, const struct cedar_json *json,
                      struct cedar_draft_names *ids) {
  const struct cedar_json *item;
  struct cedar_text none = {"", 0};

  if (!kind_is(draft, json, CEDAR_JSON_ARRAY, "an array of strings"))
    return false;
  if (json->count == 0)
    return cedar_draft_fail(draft, json->offset, "an enum needs at least one id");
  for (item = json->u.child; item != NULL; item = item->next)
    if (!kind_is(draft, item, CEDAR_JSON_STRING, "a string") ||
        !cedar_draft_names_put(draft, ids, none, item->u.string, item->offset))
      return false;
  return true;
}

static bool entity_read(struct cedar_draft *draft, struct cedar_text space,
                        const struct cedar_json *member) {
  static const field_name names[] = {"memberOfTypes", "shape", "tags", "enum", "annotations", ""};
  struct cedar_draft_entity *entity;
  struct fields fields, inner;
  size_t i;

  if (!key_is_ident(draft, member, "the name of an entity type"))
    return false;
  entity = cedar_draft_entity_put(draft, space, member->key, member->key_offset);
  if (entity == NULL || !declared_read(draft, member, names, &fields) ||
      !annotations_read(draft, fields.at[4]))
    return false;
  for (i = 0; i < 3 && fields.at[3] != NULL; i++)
    if (fields.at[i] != NULL)
      return cedar_draft_fail(draft, fields.at[i]->offset,
                              "an entity type with `enum` has no field `%s`", names[i]);
  if (fields.at[3] != NULL)
    return enum_read(draft, fields.at[3], &entity->ids);
  if (fields.at[0] != NULL && !types_read(draft, fields.at[0], &entity->parents))
    return false;
  if (fields.at[1] != NULL) {
    entity->shape = type_read(draft, fields.at[1], type_names, &inner);
    if (entity->shape == NULL)
      return false;
  }
  if (fields.at[2] != NULL)
    entity->tags = type_read(draft, fields.at[2], type_names, &inner);
  return fields.at[2] == NULL || entity->tags != NULL;
}

/* [{"id": "x", "type": "N::Action"}, ...] */
static bool action_parents_read(struct cedar_draft *draft, const struct cedar_json *json,
                                struct cedar_draft_names *parents) {
  static const field_name names[] = {"id", "type", ""};
  const struct cedar_json *item, *type;
  struct cedar_text path;
  struct fields fields;

  if (!kind_is(draft, json, CEDAR_JSON_ARRAY, "an array of actions"))
    return false;
  for (item = json->u.child; item != NULL; item = item->next) {
    if (!declared_read(draft, item, names, &fields))
      return false;
    if (fields.at[0] == NULL)
      return cedar_draft_fail(draft, item->offset, "an action needs the field `id`");
    if (!kind_is(draft, fields.at[0], CEDAR_JSON_STRING, "a string"))
      return false;
    path = cedar_text_of("");
    type = nullable(fields.at[1]);
    if (type != NULL && !path_read(draft, type, "the type of an action", &path))
      return false;
    if (!cedar_draft_names_put(draft, parents, path, fields.at[0]->u.string, item->offset))
      return false;
  }
  return true;
}

static bool applies_read(struct cedar_draft *draft, const struct cedar_json *json,
                         struct cedar_draft_action *action) {
  static const field_name names[] = {"resourceTypes", "principalTypes", "context", ""};
  struct fields fields, inner;
  size_t i;

  if (!declared_read(draft, json, names, &fields))
    return false;
  for (i = 0; i < 2; i++)
    if (fields.at[i] == NULL)
      return cedar_draft_fail(draft, json->offset, "`appliesTo` needs the field `%s`", names[i]);
  if (!types_read(draft, fields.at[0], &action->resources) ||
      !types_read(draft, fields.at[1], &action->principals))
    return false;
  if (fields.at[2] != NULL)
    action->context = type_read(draft, fields.at[2], type_names, &inner);
  return fields.at[2] == NULL || action->context != NULL;
}

static bool action_read(struct cedar_draft *draft, struct cedar_text space,
                        const struct cedar_json *member) {
  static const field_name names[] = {"attributes", "appliesTo", "memberOf", "annotations", ""};
  struct cedar_draft_action *action;
  struct fields fields;

  action = cedar_draft_action_put(draft, space, member->key, member->key_offset);
  if (action == NULL || !declared_read(draft, member, names, &fields) ||
      !annotations_read(draft, fields.at[3]))
    return false;
  if (nullable(fields.at[0]) != NULL)
    return cedar_draft_fail(draft, fields.at[0]->offset, "attributes of actions are not supported");
  if (nullable(fields.at[1]) != NULL && !applies_read(draft, fields.at[1], action))
    return false;
  return nullable(fields.at[2]) == NULL ||
         action_parents_read(draft, fields.at[2], &action->parents);
}

static bool
each_read(struct cedar_draft *draft, struct cedar_text space, const struct cedar_json *json,
          bool (*read)(struct cedar_draft *, struct cedar_text, const struct cedar_json *)) {
  const struct cedar_json *member;

  if (!kind_is(draft, json, CEDAR_JSON_OBJECT, "an object"))
    return false;
  for (member = json->u.child; member != NULL; member = member->next)
    if (!read(draft, space, member))
      return false;
  return true;
}

static bool space_read(struct cedar_draft *draft, const struct cedar_json *member) {
  static const field_name names[] = {"commonTypes", "entityTypes", "actions", "annotations", ""};
  struct fields fields;
  size_t i;

  if (member->key.len > 0 && !path_is_good(member->key, false))
    return cedar_draft_fail(draft, member->key_offset,
                            "expected the name of a namespace, found \"%.*s\"",
                            cedar_draft_len(member->key), member->key.ptr);
  if (!declared_read(draft, member, names, &fields) || !annotations_read(draft, fields.at[3]))
    return false;
  for (i = 1; i < 3; i++)
    if (fields.at[i] == NULL)
      return cedar_draft_fail(draft, member->offset, "a namespace needs the field `%s`", names[i]);
  if (member->key.len == 0 && fields.at[3] != NULL && fields.at[3]->count > 0)
    return cedar_draft_fail(draft, fields.at[3]->offset, "the empty namespace has no annotations");
  if (fields.at[0] != NULL && !each_read(draft, member->key, fields.at[0], common_read))
    return false;
  return each_read(draft, member->key, fields.at[1], entity_read) &&
         each_read(draft, member->key, fields.at[2], action_read);
}

/* {"namespace": {...}, ...} */
bool cedar_schema_read_json(struct cedar_draft *draft) {
  const struct cedar_json *member;
  struct cedar_json *json;

  draft->status = cedar_json_parse(&draft->schema->arena, &draft->source, &json, draft->error);
  if (draft->status != CEDAR_OK ||
      !kind_is(draft, json, CEDAR_JSON_OBJECT, "an object with namespaces"))
    return false;
  for (member = json->u.child; member != NULL; member = member->next)
    if (!space_read(draft, member))
      return false;
  return true;
}
