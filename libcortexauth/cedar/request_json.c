/*
 * Requests from JSON.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "parser.h"
#include "request.h"

struct cedar_request_list {
  struct cedar_allocator alloc;
  struct cedar_arena arena;
  struct cedar_source source;
  struct cedar_json *json;
  const struct cedar_json **items;
};

static enum cedar_status items_find(struct cedar_request_list *list) {
  const struct cedar_json *child;
  size_t n = 0;

  list->items = cedar_arena_get_array(&list->arena, list->json->count, sizeof(*list->items));
  if (list->items == NULL)
    return CEDAR_NOMEM;
  for (child = list->json->u.child; child != NULL; child = child->next)
    list->items[n++] = child;
  return CEDAR_OK;
}

enum cedar_status cedar_request_list_parse(const struct cedar_source *source,
                                           const struct cedar_allocator *allocator,
                                           struct cedar_request_list **list_out,
                                           struct cedar_error *error) {
  struct cedar_allocator alloc = cedar_allocator_get(allocator);
  struct cedar_request_list *list = alloc.alloc(alloc.ctx, sizeof(*list));
  enum cedar_status status;

  *list_out = NULL;
  if (list == NULL)
    return cedar_error_plain(error, CEDAR_NOMEM, "out of memory");
  list->alloc = alloc;
  list->source = *source;
  cedar_arena_init(&list->arena, &alloc, SIZE_MAX / 2);
  status = cedar_json_parse(&list->arena, &list->source, &list->json, error);
  if (status == CEDAR_OK && list->json->kind != CEDAR_JSON_ARRAY)
    status = cedar_json_error(error, source, list->json, "expected an array of requests, found %s",
                              cedar_json_kind_name(list->json));
  if (status == CEDAR_OK && items_find(list) != CEDAR_OK)
    status = cedar_error_plain(error, CEDAR_NOMEM, "out of memory");
  if (status != CEDAR_OK)
    cedar_request_list_free(&list);
  *list_out = list;
  return status;
}

void cedar_request_list_free(struct cedar_request_list **list) {
  struct cedar_request_list *l = *list;

  if (l == NULL)
    return;
  cedar_arena_clear(&l->arena);
  l->alloc.free(l->alloc.ctx, l, sizeof(*l));
  *list = NULL;
}

size_t cedar_request_list_count(const struct cedar_request_list *list) {
  return list->json->count;
}

/* One of principal, action, resource; the text form is Type::"id". */
static enum cedar_status var_fill(struct cedar_request *request, struct cedar_reader *r,
                                  const struct cedar_json *json, enum cedar_var var) {
  static const char *const names[] = {"principal", "action", "resource"};
  const struct cedar_json *member = cedar_json_member(json, names[var]);
  struct cedar_uid_text text;
  enum cedar_status status;

  if (member == NULL)
    return cedar_json_error(r->error, r->source, json, "the request has no \"%s\"", names[var]);
  if (member->kind == CEDAR_JSON_STRING) {
    if (!cedar_uid_parse(&request->arena, member->u.string, &text))
      return cedar_json_error(r->error, r->source, member, "\"%s\" is not of the form Type::\"id\"",
                              names[var]);
  } else {
    status = cedar_uid_read(r, member, &text);
    if (status != CEDAR_OK)
      return status;
  }
  cedar_request_set(request, var, text);
  status = request->error.status;
  if (status == CEDAR_OK && var != CEDAR_ACTION)
    status = cedar_uid_conforms(r, member, text);
  return status == CEDAR_OK ? status : cedar_reader_status(r, member, status);
}

/* The schema must know the action, and let it have such a principal and resource. */
static enum cedar_status action_applies(struct cedar_request *request, struct cedar_reader *r,
                                        const struct cedar_json *json,
                                        const struct cedar_schema_action **action_out) {
  struct cedar_uid_text texts[3];
  const struct cedar_schema_action *action;
  uint32_t type = 0, id = 0;
  unsigned int i;

  for (i = 0; i < 3; i++) {
    cedar_request_uid_parts(request, request->var[i], &type, &id);
    texts[i].type = cedar_request_text(request, type);
    texts[i].id = cedar_request_text(request, id);
  }
  action = cedar_schema_action_find(r->schema, texts[CEDAR_ACTION]);
  *action_out = action;
  if (action == NULL)
    return cedar_json_error(
        r->error, r->source, json, "the schema has no action \"%.*s\"",
        (int)(texts[CEDAR_ACTION].id.len < 100 ? texts[CEDAR_ACTION].id.len : 100),
        texts[CEDAR_ACTION].id.ptr);
  for (i = 0; i < 3; i += 2) {
    bool fits = i == CEDAR_PRINCIPAL
                    ? cedar_text_in(action->principals, action->principal_count, texts[i].type)
                    : cedar_text_in(action->resources, action->resource_count, texts[i].type);

    if (!fits)
      return cedar_json_error(r->error, r->source, json, "the action takes no %s of type `%.*s`",
                              i == CEDAR_PRINCIPAL ? "principal" : "resource",
                              (int)(texts[i].type.len < 100 ? texts[i].type.len : 100),
                              texts[i].type.ptr);
  }
  return CEDAR_OK;
}

static enum cedar_status context_fill(struct cedar_request *request, struct cedar_reader *r,
                                      const struct cedar_json *json,
                                      const struct cedar_type *type) {
  const struct cedar_json *context = cedar_json_member(json, "context"),
                          none = {.kind = CEDAR_JSON_OBJECT, .offset = json->offset};
  struct cedar_value record;
  enum cedar_status status;
  uint32_t i;

  if (context == NULL)
    context = &none;
  if (context->kind != CEDAR_JSON_OBJECT)
    return cedar_json_error(r->error, r->source, context, "the context must be an object");
  status = cedar_value_read(r, context, type, &record);
  if (status == CEDAR_OK && record.kind != CEDAR_KIND_RECORD)
    return cedar_json_error(r->error, r->source, context, "the context must be a record");
  for (i = 0; status == CEDAR_OK && i < record.n; i++)
    status = cedar_request_context_field(request, &record.u.record[i]);
  return status;
}

enum cedar_status cedar_request_fill(struct cedar_request *request,
                                     const struct cedar_request_list *list, size_t position,
                                     const struct cedar_schema *schema, struct cedar_error *error) {
  struct cedar_reader r = {cedar_request_maker(request), &list->source, schema, &request->work,
                           error};
  const struct cedar_schema_action *action = NULL;
  const struct cedar_json *json;
  enum cedar_status status = CEDAR_OK;
  unsigned int i;

  cedar_request_reset(request);
  if (position >= list->json->count)
    return cedar_error_plain(error, CEDAR_MISUSE, "there is no such request");
  json = list->items[position];
  if (json->kind != CEDAR_JSON_OBJECT)
    return cedar_json_error(error, &list->source, json, "expected a request, found %s",
                            cedar_json_kind_name(json));
  for (i = 0; status == CEDAR_OK && i < 3; i++)
    status = var_fill(request, &r, json, (enum cedar_var)i);
  if (status == CEDAR_OK && schema != NULL)
    status = action_applies(request, &r, json, &action);
  if (status == CEDAR_OK)
    status = context_fill(request, &r, json, action == NULL ? NULL : action->context);
  return status;
}
