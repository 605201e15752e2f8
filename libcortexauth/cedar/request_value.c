/*
 * Values of a request, made by the caller or read from JSON.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "request.h"

static const struct cedar_value no_value = {.kind = CEDAR_KIND_NONE};

struct cedar_value cedar_value_bool(bool b) {
  return cedar_value_make(CEDAR_KIND_BOOL, b);
}

struct cedar_value cedar_value_long(int64_t i) {
  return cedar_value_make(CEDAR_KIND_LONG, i);
}

struct cedar_value cedar_value_datetime_ms(int64_t epoch_ms) {
  return cedar_value_make(CEDAR_KIND_DATETIME, epoch_ms);
}

struct cedar_value cedar_value_string(struct cedar_request *request, struct cedar_text text) {
  uint32_t sym;

  if (!cedar_utf8_is_valid(text.ptr, text.len)) {
    cedar_request_fail(request, CEDAR_INVALID, "a text is not valid UTF-8");
    return no_value;
  }
  sym = cedar_request_sym(request, text);
  return sym == CEDAR_NONE ? no_value : cedar_value_symbol(CEDAR_KIND_STRING, sym);
}

struct cedar_value cedar_value_entity(struct cedar_request *request, struct cedar_uid_text uid) {
  uint32_t number = cedar_request_uid(request, uid);

  return number == CEDAR_NONE ? no_value : cedar_value_symbol(CEDAR_KIND_ENTITY, number);
}

static struct cedar_value no_memory(struct cedar_request *request) {
  cedar_request_fail(request, CEDAR_NOMEM, "out of memory");
  return no_value;
}

/* Keeps count values, which may be reordered, as a set. */
static struct cedar_value set_keep(struct cedar_request *request, struct cedar_value *values,
                                   size_t count) {
  struct cedar_value set = cedar_value_make(CEDAR_KIND_SET, 0);
  size_t i;

  for (i = 0; i < count; i++)
    if (values[i].kind == CEDAR_KIND_NONE) {
      cedar_request_fail(request, CEDAR_MISUSE, "no value for an element of a set");
      return no_value;
    }
  set.n = cedar_set_normalize(request->store, values, (uint32_t)count);
  set.u.set = values;
  return set;
}

struct cedar_value cedar_value_set(struct cedar_request *request,
                                   const struct cedar_value *elements, size_t count) {
  struct cedar_value *values = cedar_arena_get_array(&request->arena, count, sizeof(*values));

  if (values == NULL)
    return no_memory(request);
  if (count > 0)
    memcpy(values, elements, count * sizeof(*values));
  return set_keep(request, values, count);
}

struct cedar_value cedar_value_string_set(struct cedar_request *request,
                                          const struct cedar_text *texts, size_t count) {
  struct cedar_value *values = cedar_arena_get_array(&request->arena, count, sizeof(*values));
  size_t i;

  if (values == NULL)
    return no_memory(request);
  for (i = 0; i < count; i++)
    values[i] = cedar_value_string(request, texts[i]);
  return set_keep(request, values, count);
}

static struct cedar_value record_keep(struct cedar_field *fields, uint32_t count) {
  struct cedar_value record = cedar_value_make(CEDAR_KIND_RECORD, 0);

  record.n = count;
  record.u.record = fields;
  return record;
}

struct cedar_value cedar_value_record(struct cedar_request *request, const struct cedar_text *names,
                                      const struct cedar_value *values, size_t count) {
  struct cedar_field *fields = cedar_arena_get_array(&request->arena, count, sizeof(*fields));
  size_t i;

  if (fields == NULL)
    return no_memory(request);
  for (i = 0; i < count; i++) {
    fields[i].key = cedar_request_sym(request, names[i]);
    fields[i].value = values[i];
    if (values[i].kind == CEDAR_KIND_NONE)
      cedar_request_fail(request, CEDAR_MISUSE, "no value for a field of a record");
  }
  if (!cedar_fields_sort(fields, (uint32_t)count))
    cedar_request_fail(request, CEDAR_INVALID, "a field is given twice");
  return request->error.status == CEDAR_OK ? record_keep(fields, (uint32_t)count) : no_value;
}

static enum cedar_status request_ext(void *ctx, const struct cedar_ext_value *ext,
                                     struct cedar_value *out) {
  struct cedar_request *request = ctx;
  struct cedar_value *cell = cedar_arena_get(&request->arena, sizeof(*cell));

  *out = no_value;
  if (cell == NULL)
    return CEDAR_NOMEM;
  *out = cedar_ext_save(ext, cell);
  return CEDAR_OK;
}

struct cedar_value cedar_value_extension(struct cedar_request *request, enum cedar_kind kind,
                                         struct cedar_text text) {
  struct cedar_ext_value ext;
  struct cedar_value value;

  if (!cedar_ext_parse(kind, text, &ext)) {
    cedar_request_fail(request, CEDAR_INVALID, "not a valid extension value: \"%.*s\"",
                       (int)(text.len < 100 ? text.len : 100), text.ptr);
    return no_value;
  }
  if (request_ext(request, &ext, &value) != CEDAR_OK)
    return no_memory(request);
  return value;
}

static enum cedar_status maker_sym(void *ctx, struct cedar_text text, uint32_t *sym_out) {
  struct cedar_request *request = ctx;

  *sym_out = cedar_request_sym(request, text);
  return request->error.status;
}

static enum cedar_status maker_uid(void *ctx, struct cedar_uid_text text, uint32_t *uid_out) {
  struct cedar_request *request = ctx;

  *uid_out = cedar_request_uid(request, text);
  return request->error.status;
}

static enum cedar_status maker_set(void *ctx, struct cedar_value *values, uint32_t count,
                                   struct cedar_value *out) {
  struct cedar_request *request = ctx;

  *out = cedar_value_set(request, values, count);
  return request->error.status;
}

static enum cedar_status maker_record(void *ctx, struct cedar_field *fields, uint32_t count,
                                      struct cedar_value *out) {
  struct cedar_request *request = ctx;
  struct cedar_field *kept = cedar_arena_get_array(&request->arena, count, sizeof(*kept));

  *out = no_value;
  if (kept == NULL)
    return CEDAR_NOMEM;
  if (count > 0)
    memcpy(kept, fields, count * sizeof(*kept));
  *out = record_keep(kept, count);
  return CEDAR_OK;
}

struct cedar_maker cedar_request_maker(struct cedar_request *request) {
  struct cedar_maker maker = {request,   request->store, maker_sym,  maker_uid,
                              maker_set, maker_record,   request_ext};

  return maker;
}
