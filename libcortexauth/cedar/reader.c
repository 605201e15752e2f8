/*
 * JSON values to Cedar values: escapes, extension values, and what a schema expects.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "reader.h"

#include <stdio.h>
#include <string.h>

#include "fold.h"

enum cedar_status cedar_reader_status(struct cedar_reader *r, const struct cedar_json *json,
                                      enum cedar_status status) {
  if (status == CEDAR_OK)
    return status;
  return cedar_error_set(r->error, status, cedar_place_at(r->source, json->offset), "%s",
                         status == CEDAR_NOMEM ? "out of memory"
                                               : "too large: a ceiling is reached");
}

const char *cedar_type_name(const struct cedar_type *type, char *out, size_t size) {
  static const char names[][9] = {"Bool", "Long",    "String", "a Set",    "a record",
                                  "",     "decimal", "ipaddr", "datetime", "duration"};

  if (type->kind == CEDAR_TYPE_ENTITY)
    snprintf(out, size, "an entity of type %.*s",
             (int)(type->entity.len < 100 ? type->entity.len : 100), type->entity.ptr);
  else
    snprintf(out, size, "%s", names[type->kind]);
  return out;
}

static enum cedar_status mismatch(struct cedar_reader *r, const struct cedar_json *json,
                                  const struct cedar_type *type) {
  char name[160];

  return cedar_json_error(r->error, r->source, json, "expected %s, found %s",
                          cedar_type_name(type, name, sizeof(name)), cedar_json_kind_name(json));
}

/* The {"type","id"} object itself; false when json is not one. */
static bool uid_object(const struct cedar_json *json, struct cedar_uid_text *uid) {
  const struct cedar_json *type = cedar_json_member(json, "type");
  const struct cedar_json *id = cedar_json_member(json, "id");

  if (type == NULL || id == NULL || type->kind != CEDAR_JSON_STRING ||
      id->kind != CEDAR_JSON_STRING)
    return false;
  uid->type = type->u.string;
  uid->id = id->u.string;
  return true;
}

static bool uid_escape(const struct cedar_json *json, struct cedar_uid_text *uid) {
  const struct cedar_json *inner = cedar_json_member(json, "__entity");

  return inner != NULL && uid_object(inner, uid);
}

static enum cedar_status type_name_check(struct cedar_reader *r, const struct cedar_json *json,
                                         struct cedar_text type) {
  if (cedar_is_name(type))
    return CEDAR_OK;
  return cedar_json_error(r->error, r->source, json, "\"%.*s\" is not an entity type's name",
                          (int)(type.len < 100 ? type.len : 100), type.ptr);
}

enum cedar_status cedar_uid_read(struct cedar_reader *r, const struct cedar_json *json,
                                 struct cedar_uid_text *uid_out) {
  const struct cedar_json *expr = cedar_json_member(json, "__expr");

  if (expr != NULL && expr->kind == CEDAR_JSON_STRING)
    return cedar_json_error(r->error, r->source, json, "`__expr` is no longer supported");
  if (!uid_escape(json, uid_out) && !uid_object(json, uid_out))
    return cedar_json_error(r->error, r->source, json,
                            "expected an entity, {\"type\": ..., \"id\": ...}, found %s",
                            cedar_json_kind_name(json));
  return type_name_check(r, json, uid_out->type);
}

enum cedar_status cedar_uid_conforms(struct cedar_reader *r, const struct cedar_json *json,
                                     struct cedar_uid_text uid) {
  const struct cedar_schema_entity *entity;

  if (r->schema == NULL || cedar_schema_action_find(r->schema, uid) != NULL)
    return CEDAR_OK;
  entity = cedar_schema_entity_find(r->schema, uid.type);
  if (entity == NULL)
    return cedar_json_error(r->error, r->source, json, "`%.*s` is not declared in the schema",
                            (int)(uid.type.len < 100 ? uid.type.len : 100), uid.type.ptr);
  if (entity->id_count > 0 && !cedar_text_in(entity->ids, entity->id_count, uid.id))
    return cedar_json_error(r->error, r->source, json,
                            "\"%.*s\" is not among the ids of the enumerated type `%.*s`",
                            (int)(uid.id.len < 100 ? uid.id.len : 100), uid.id.ptr,
                            (int)(uid.type.len < 100 ? uid.type.len : 100), uid.type.ptr);
  return CEDAR_OK;
}

static enum cedar_status entity_read(struct cedar_reader *r, const struct cedar_json *json,
                                     struct cedar_uid_text text, struct cedar_value *out) {
  enum cedar_status status = cedar_uid_conforms(r, json, text);
  uint32_t uid = 0;

  if (status != CEDAR_OK)
    return status;
  status = r->maker.uid(r->maker.ctx, text, &uid);
  *out = cedar_value_symbol(CEDAR_KIND_ENTITY, uid);
  return cedar_reader_status(r, json, status);
}

/* Keeps the answer of a constructor or of any other extension function. */
static enum cedar_status ext_keep(struct cedar_reader *r, const struct cedar_json *json,
                                  const struct cedar_ext_value *ext, struct cedar_value *out) {
  return cedar_reader_status(r, json, r->maker.ext(r->maker.ctx, ext, out));
}

/*
 * An argument of an extension function. A string stays where the JSON has it; where the schema
 * directs, it may also stand for the extension value that the function takes.
 */
static enum cedar_status ext_arg(struct cedar_reader *r, const struct cedar_json *json,
                                 const struct cedar_ext *function, size_t position,
                                 struct cedar_ext_value *arg) {
  struct cedar_value value;
  enum cedar_status status;

  if (json->kind == CEDAR_JSON_STRING && function->args[position] == CEDAR_KIND_STRING)
    return CEDAR_OK;
  if (json->kind == CEDAR_JSON_STRING)
    return r->schema != NULL && cedar_ext_parse(function->args[position], json->u.string, arg)
               ? CEDAR_OK
               : cedar_json_error(r->error, r->source, json, "wrong argument for `%s`",
                                  function->name);
  status = cedar_value_read(r, json, NULL, &value);
  if (status != CEDAR_OK)
    return status;
  if (value.kind != function->args[position] || !cedar_ext_load(r->maker.store, value, arg))
    return cedar_json_error(r->error, r->source, json, "wrong type of argument for `%s`",
                            function->name);
  return CEDAR_OK;
}

static enum cedar_status ext_call(struct cedar_reader *r, const struct cedar_json *json,
                                  struct cedar_text name, const struct cedar_json *first,
                                  size_t count, struct cedar_value *out) {
  int index = cedar_ext_find(name, false);
  struct cedar_ext_value args[2], result;
  const struct cedar_json *arg = first;
  const struct cedar_ext *function;
  enum cedar_status status;
  size_t i;

  if (index < 0)
    index = cedar_ext_find(name, true);
  if (index < 0)
    return cedar_json_error(r->error, r->source, json, "`%.*s` is not an extension function",
                            (int)(name.len < 100 ? name.len : 100), name.ptr);
  function = &cedar_ext_table[index];
  if (count != function->arity)
    return cedar_json_error(r->error, r->source, json, "`%s` takes %u argument%s", function->name,
                            function->arity, function->arity == 1 ? "" : "s");
  for (i = 0; i < count; i++, arg = arg->next) {
    status = ext_arg(r, arg, function, i, &args[i]);
    if (status != CEDAR_OK)
      return status;
  }
  memset(&result, 0, sizeof(result));
  if (function->call == NULL ? !cedar_ext_parse(function->result, first->u.string, &result)
                             : !function->call(args, &result))
    return cedar_json_error(r->error, r->source, first, "not a valid %s", function->name);
  return ext_keep(r, json, &result, out);
}

/* {"fn","arg"} or {"fn","args":[..]}; *found_out is false when json is neither. */
static enum cedar_status call_object(struct cedar_reader *r, const struct cedar_json *json,
                                     bool *found_out, struct cedar_value *out) {
  const struct cedar_json *fn = cedar_json_member(json, "fn");
  const struct cedar_json *arg = cedar_json_member(json, "arg");
  const struct cedar_json *args = cedar_json_member(json, "args");

  *found_out = fn != NULL && fn->kind == CEDAR_JSON_STRING &&
               (arg != NULL || (args != NULL && args->kind == CEDAR_JSON_ARRAY));
  if (!*found_out)
    return CEDAR_OK;
  if (arg != NULL)
    return ext_call(r, json, fn->u.string, arg, 1, out);
  return ext_call(r, json, fn->u.string, args->u.child, args->count, out);
}

static enum cedar_status set_read(struct cedar_reader *r, const struct cedar_json *json,
                                  const struct cedar_type *element, struct cedar_value *out) {
  struct cedar_value *values = cedar_arena_get_array(r->scratch, json->count, sizeof(*values));
  const struct cedar_json *child = json->u.child;
  enum cedar_status status;
  uint32_t i;

  if (values == NULL)
    return cedar_reader_status(r, json, CEDAR_NOMEM);
  for (i = 0; i < json->count; i++, child = child->next) {
    status = cedar_value_read(r, child, element, &values[i]);
    if (status != CEDAR_OK)
      return status;
  }
  return cedar_reader_status(r, json, r->maker.set(r->maker.ctx, values, json->count, out));
}

/* With a type: no member too many, none missing. */
static enum cedar_status members_conform(struct cedar_reader *r, const struct cedar_json *json,
                                         const struct cedar_type *type) {
  const struct cedar_json *child;
  size_t required = 0, i;

  for (child = json->u.child; child != NULL; child = child->next) {
    const struct cedar_member *member = cedar_type_member(type, child->key);

    if (member == NULL)
      return cedar_json_error(r->error, r->source, child,
                              "attribute \"%.*s\" is not declared in the schema",
                              (int)(child->key.len < 100 ? child->key.len : 100), child->key.ptr);
    required += member->required;
  }
  for (i = 0; i < type->member_count; i++)
    required -= type->members[i].required;
  if (required == 0)
    return CEDAR_OK;
  for (i = 0; i < type->member_count; i++) {
    const struct cedar_member *member = &type->members[i];

    for (child = json->u.child; child != NULL; child = child->next)
      if (cedar_text_compare(child->key, member->name) == 0)
        break;
    if (child == NULL && member->required)
      return cedar_json_error(r->error, r->source, json, "attribute \"%.*s\" is missing",
                              (int)(member->name.len < 100 ? member->name.len : 100),
                              member->name.ptr);
  }
  return CEDAR_OK;
}

enum cedar_status cedar_fields_read(struct cedar_reader *r, const struct cedar_json *json,
                                    const struct cedar_type *type, const struct cedar_type *each,
                                    struct cedar_fields *fields_out) {
  struct cedar_field *fields = cedar_arena_get_array(r->scratch, json->count, sizeof(*fields));
  const struct cedar_json *child = json->u.child;
  enum cedar_status status = CEDAR_OK;
  uint32_t i;

  fields_out->at = fields;
  fields_out->count = json->count;
  if (fields == NULL)
    return cedar_reader_status(r, json, CEDAR_NOMEM);
  if (type != NULL)
    status = members_conform(r, json, type);
  for (i = 0; status == CEDAR_OK && i < json->count; i++, child = child->next) {
    const struct cedar_type *expected =
        type == NULL ? each : cedar_type_member(type, child->key)->type;

    status = cedar_reader_status(r, child, r->maker.sym(r->maker.ctx, child->key, &fields[i].key));
    if (status == CEDAR_OK)
      status = cedar_value_read(r, child, expected, &fields[i].value);
  }
  if (status == CEDAR_OK)
    cedar_fields_sort(fields, json->count);
  return status;
}

static enum cedar_status record_read(struct cedar_reader *r, const struct cedar_json *json,
                                     const struct cedar_type *type, struct cedar_value *out) {
  struct cedar_fields fields;
  enum cedar_status status = cedar_fields_read(r, json, type, NULL, &fields);

  if (status != CEDAR_OK)
    return status;
  return cedar_reader_status(r, json, r->maker.record(r->maker.ctx, fields.at, fields.count, out));
}

/* An object that nothing is expected of: an escape when it has the form of one, else a record. */
static enum cedar_status object_read(struct cedar_reader *r, const struct cedar_json *json,
                                     struct cedar_value *out) {
  const struct cedar_json *expr = cedar_json_member(json, "__expr");
  const struct cedar_json *extn = cedar_json_member(json, "__extn");
  struct cedar_uid_text uid;
  enum cedar_status status;
  bool found;

  if (expr != NULL && expr->kind == CEDAR_JSON_STRING)
    return cedar_json_error(r->error, r->source, json, "`__expr` is no longer supported");
  if (uid_escape(json, &uid)) {
    status = type_name_check(r, json, uid.type);
    return status != CEDAR_OK ? status : entity_read(r, json, uid, out);
  }
  if (extn != NULL) {
    status = call_object(r, extn, &found, out);
    if (found)
      return status;
  }
  return record_read(r, json, NULL, out);
}

static enum cedar_status plain_read(struct cedar_reader *r, const struct cedar_json *json,
                                    struct cedar_value *out) {
  uint32_t sym = 0;
  enum cedar_status status;

  switch (json->kind) {
  case CEDAR_JSON_BOOL:
    *out = cedar_value_make(CEDAR_KIND_BOOL, json->u.b);
    return CEDAR_OK;
  case CEDAR_JSON_LONG:
    *out = cedar_value_make(CEDAR_KIND_LONG, json->u.i);
    return CEDAR_OK;
  case CEDAR_JSON_STRING:
    status = r->maker.sym(r->maker.ctx, json->u.string, &sym);
    *out = cedar_value_symbol(CEDAR_KIND_STRING, sym);
    return cedar_reader_status(r, json, status);
  case CEDAR_JSON_ARRAY:
    return set_read(r, json, NULL, out);
  case CEDAR_JSON_OBJECT:
    return object_read(r, json, out);
  case CEDAR_JSON_NULL:
  case CEDAR_JSON_NUMBER:
  default:
    return cedar_json_error(r->error, r->source, json, "%s is not a Cedar value",
                            cedar_json_kind_name(json));
  }
}

static enum cedar_kind ext_kind(enum cedar_type_kind kind) {
  return kind == CEDAR_TYPE_DECIMAL    ? CEDAR_KIND_DECIMAL
         : kind == CEDAR_TYPE_IPADDR   ? CEDAR_KIND_IPADDR
         : kind == CEDAR_TYPE_DATETIME ? CEDAR_KIND_DATETIME
                                       : CEDAR_KIND_DURATION;
}

/* An extension type is expected: its text, {"fn","arg"} or the full escape. */
static enum cedar_status ext_expected(struct cedar_reader *r, const struct cedar_json *json,
                                      const struct cedar_type *type, struct cedar_value *out) {
  const struct cedar_json *extn = cedar_json_member(json, "__extn");
  enum cedar_kind kind = ext_kind(type->kind);
  struct cedar_ext_value ext;
  enum cedar_status status;
  bool found = false;

  if (json->kind == CEDAR_JSON_STRING) {
    if (!cedar_ext_parse(kind, json->u.string, &ext))
      return cedar_json_error(r->error, r->source, json, "not a valid %s",
                              cedar_ext_table[cedar_ext_constructor(kind)].name);
    return ext_keep(r, json, &ext, out);
  }
  status = call_object(r, extn != NULL ? extn : json, &found, out);
  if (status != CEDAR_OK)
    return status;
  return found && out->kind == kind ? CEDAR_OK : mismatch(r, json, type);
}

static enum cedar_status entity_expected(struct cedar_reader *r, const struct cedar_json *json,
                                         const struct cedar_type *type, struct cedar_value *out) {
  struct cedar_uid_text uid;
  char name[160];
  enum cedar_status status = cedar_uid_read(r, json, &uid);

  if (status != CEDAR_OK)
    return status;
  if (cedar_text_compare(uid.type, type->entity) != 0)
    return cedar_json_error(r->error, r->source, json, "expected %s, found one of type %.*s",
                            cedar_type_name(type, name, sizeof(name)),
                            (int)(uid.type.len < 100 ? uid.type.len : 100), uid.type.ptr);
  return entity_read(r, json, uid, out);
}

/* The literal, or an extension call that gives such a value. */
static enum cedar_status scalar_expected(struct cedar_reader *r, const struct cedar_json *json,
                                         const struct cedar_type *type, enum cedar_kind kind,
                                         struct cedar_value *out) {
  enum cedar_status status = plain_read(r, json, out);

  return status == CEDAR_OK && out->kind != kind ? mismatch(r, json, type) : status;
}

enum cedar_status cedar_value_read(struct cedar_reader *r, const struct cedar_json *json,
                                   const struct cedar_type *type, struct cedar_value *value_out) {
  *value_out = cedar_value_make(CEDAR_KIND_NONE, 0);
  if (type == NULL)
    return plain_read(r, json, value_out);
  switch (type->kind) {
  case CEDAR_TYPE_BOOL:
    return scalar_expected(r, json, type, CEDAR_KIND_BOOL, value_out);
  case CEDAR_TYPE_LONG:
    return scalar_expected(r, json, type, CEDAR_KIND_LONG, value_out);
  case CEDAR_TYPE_STRING:
    return scalar_expected(r, json, type, CEDAR_KIND_STRING, value_out);
  case CEDAR_TYPE_SET:
    return json->kind == CEDAR_JSON_ARRAY ? set_read(r, json, type->element, value_out)
                                          : mismatch(r, json, type);
  case CEDAR_TYPE_RECORD:
    return json->kind == CEDAR_JSON_OBJECT ? record_read(r, json, type, value_out)
                                           : mismatch(r, json, type);
  case CEDAR_TYPE_ENTITY:
    return entity_expected(r, json, type, value_out);
  case CEDAR_TYPE_DECIMAL:
  case CEDAR_TYPE_IPADDR:
  case CEDAR_TYPE_DATETIME:
  case CEDAR_TYPE_DURATION:
  default:
    return ext_expected(r, json, type, value_out);
  }
}

static enum cedar_status store_sym(void *ctx, struct cedar_text text, uint32_t *sym_out) {
  return cedar_sym_put(ctx, text.ptr, text.len, sym_out);
}

static enum cedar_status store_uid(void *ctx, struct cedar_uid_text text, uint32_t *uid_out) {
  uint32_t type, id;
  enum cedar_status status = cedar_sym_put(ctx, text.type.ptr, text.type.len, &type);

  if (status == CEDAR_OK)
    status = cedar_sym_put(ctx, text.id.ptr, text.id.len, &id);
  return status == CEDAR_OK ? cedar_uid_put(ctx, type, id, uid_out) : status;
}

static enum cedar_status store_set(void *ctx, struct cedar_value *values, uint32_t count,
                                   struct cedar_value *out) {
  return cedar_store_put_set(ctx, values, count, out);
}

static enum cedar_status store_record(void *ctx, struct cedar_field *fields, uint32_t count,
                                      struct cedar_value *out) {
  return cedar_store_put_record(ctx, fields, count, out);
}

static enum cedar_status store_ext(void *ctx, const struct cedar_ext_value *ext,
                                   struct cedar_value *out) {
  return cedar_store_put_ext(ctx, ext, out);
}

struct cedar_maker cedar_store_maker(struct cedar_store *store) {
  struct cedar_maker maker = {store,     store,        store_sym, store_uid,
                              store_set, store_record, store_ext};

  return maker;
}
