/*
 * Requests: life, names of their own, principal, action, resource, context, overlay.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Most requests are small, and each page that is touched first costs a login. */
#define BLOCK 2048U

enum cedar_status cedar_request_new(const struct cedar_store *store,
                                    const struct cedar_allocator *allocator,
                                    struct cedar_request **request_out) {
  struct cedar_allocator alloc = allocator != NULL ? *allocator : store->alloc;
  struct cedar_request *request;

  *request_out = NULL;
  if (!store->sealed)
    return CEDAR_MISUSE;
  request = alloc.alloc(alloc.ctx, sizeof(*request));
  if (request == NULL)
    return CEDAR_NOMEM;
  memset(request, 0, sizeof(*request));
  request->store = store;
  request->alloc = alloc;
  cedar_arena_init(&request->arena, &alloc, CEDAR_MAX_SCRATCH);
  cedar_arena_init(&request->work, &alloc, CEDAR_MAX_SCRATCH);
  request->arena.block = BLOCK;
  request->work.block = BLOCK;
  cedar_request_reset(request);
  *request_out = request;
  return CEDAR_OK;
}

static void array_free(struct cedar_request *request, void *at, size_t size) {
  if (at != NULL)
    request->alloc.free(request->alloc.ctx, at, size);
}

void cedar_request_free(struct cedar_request **request) {
  struct cedar_request *r = *request;

  if (r == NULL)
    return;
  cedar_arena_clear(&r->arena);
  cedar_arena_clear(&r->work);
  array_free(r, r->syms, r->sym_cap * sizeof(*r->syms));
  array_free(r, r->slots, r->slot_cap * sizeof(*r->slots));
  array_free(r, r->uids, r->uid_cap * sizeof(*r->uids));
  array_free(r, r->context, r->context_cap * sizeof(*r->context));
  array_free(r, r->attrs, r->attr_cap * sizeof(*r->attrs));
  array_free(r, r->tags, r->tag_cap * sizeof(*r->tags));
  array_free(r, r->parents, r->parent_cap * sizeof(*r->parents));
  r->alloc.free(r->alloc.ctx, r, sizeof(*r));
  *request = NULL;
}

void cedar_request_reset(struct cedar_request *request) {
  unsigned int i;

  cedar_arena_reset(&request->arena);
  cedar_arena_reset(&request->work);
  if (++request->turn == 0) {
    /* After 2^32 resets an old mark could look new. */
    if (request->slots != NULL)
      memset(request->slots, 0, request->slot_cap * sizeof(*request->slots));
    request->turn = 1;
  }
  request->sym_n = 0;
  request->uid_n = 0;
  for (i = 0; i < 3; i++) {
    request->var[i] = CEDAR_NONE;
    request->named[i] = NULL;
  }
  request->context_n = 0;
  request->attr_n = 0;
  request->tag_n = 0;
  request->parent_n = 0;
  request->overlay = false;
  request->resource_above = NULL;
  request->ready = false;
  request->error.status = CEDAR_OK;
}

enum cedar_status cedar_request_fail(struct cedar_request *request, enum cedar_status status,
                                     const char *format, ...) {
  char message[sizeof(request->error.message)];
  va_list args;

  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  return cedar_error_plain(&request->error, status, "%s", message);
}

bool cedar_request_error(const struct cedar_request *request, struct cedar_error *error_out) {
  if (request->error.status == CEDAR_OK)
    return false;
  *error_out = request->error;
  return true;
}

static enum cedar_status grow(struct cedar_request *request, void **at, uint32_t *cap, size_t item,
                              uint32_t n) {
  enum cedar_status status = CEDAR_OK;

  if (n == *cap)
    status =
        cedar_array_grow(&request->alloc, at, cap, item, (uint64_t)n + 1, CEDAR_MAX_SCRATCH / 64);
  if (status != CEDAR_OK)
    cedar_request_fail(request, status,
                       status == CEDAR_NOMEM ? "out of memory" : "the request is too large");
  return status;
}

struct cedar_text cedar_request_text(const struct cedar_request *request, uint32_t sym) {
  struct cedar_text none = {NULL, 0};

  if (sym < request->store->texts.n)
    return cedar_sym_text(request->store, sym);
  sym -= request->store->texts.n;
  return sym < request->sym_n ? request->syms[sym].text : none;
}

/* Local slots: at most half taken, linear probing. */
static struct cedar_local_slot *slot_find(struct cedar_request *request, struct cedar_text text,
                                          uint32_t hash) {
  uint32_t mask = request->slot_cap - 1, i = hash & mask;

  for (;; i = (i + 1) & mask) {
    struct cedar_local_slot *slot = &request->slots[i];
    const struct cedar_local_sym *sym;

    if (slot->turn != request->turn)
      return slot;
    sym = &request->syms[slot->number];
    if (sym->hash == hash && cedar_text_compare(sym->text, text) == 0)
      return slot;
  }
}

static enum cedar_status slots_room(struct cedar_request *request) {
  uint32_t want = request->slot_cap == 0 ? 64 : request->slot_cap * 2, i;
  struct cedar_local_slot *slots;

  if (request->sym_n < request->slot_cap / 2)
    return CEDAR_OK;
  slots = request->alloc.alloc(request->alloc.ctx, want * sizeof(*slots));
  if (slots == NULL)
    return cedar_request_fail(request, CEDAR_NOMEM, "out of memory");
  memset(slots, 0, want * sizeof(*slots));
  array_free(request, request->slots, request->slot_cap * sizeof(*slots));
  request->slots = slots;
  request->slot_cap = want;
  for (i = 0; i < request->sym_n; i++) {
    struct cedar_local_slot *slot =
        slot_find(request, request->syms[i].text, request->syms[i].hash);

    slot->turn = request->turn;
    slot->number = i;
  }
  return CEDAR_OK;
}

/* What a request is about its context often names again: it has been read. */
static uint32_t var_id_find(const struct cedar_request *request, struct cedar_text text) {
  unsigned int i;

  for (i = 0; i < 3; i++)
    if (request->named[i] != NULL && cedar_uid_has_id(request->store, request->named[i], text))
      return request->named[i]->id;
  return CEDAR_NONE;
}

static uint32_t sym_hashed(struct cedar_request *request, struct cedar_text text, uint32_t hash) {
  uint32_t sym = var_id_find(request, text);
  struct cedar_local_slot *slot;
  char *copy;

  if (sym == CEDAR_NONE)
    sym = cedar_sym_find_hashed(request->store, text.ptr, text.len, hash);
  if (sym != CEDAR_NONE || request->error.status != CEDAR_OK)
    return sym;
  if (slots_room(request) != CEDAR_OK ||
      grow(request, (void **)(void *)&request->syms, &request->sym_cap, sizeof(*request->syms),
           request->sym_n) != CEDAR_OK)
    return CEDAR_NONE;
  slot = slot_find(request, text, hash);
  if (slot->turn == request->turn)
    return request->store->texts.n + slot->number;
  copy = cedar_arena_dup(&request->arena, text.ptr, text.len);
  if (copy == NULL) {
    cedar_request_fail(request, CEDAR_NOMEM, "out of memory");
    return CEDAR_NONE;
  }
  request->syms[request->sym_n].text.ptr = copy;
  request->syms[request->sym_n].text.len = text.len;
  request->syms[request->sym_n].hash = hash;
  slot->turn = request->turn;
  slot->number = request->sym_n++;
  return request->store->texts.n + slot->number;
}

uint32_t cedar_request_sym(struct cedar_request *request, struct cedar_text text) {
  return sym_hashed(request, text, cedar_text_hash(text.ptr, text.len));
}

bool cedar_request_uid_parts(const struct cedar_request *request, uint32_t uid, uint32_t *type_out,
                             uint32_t *id_out) {
  if (uid < request->store->uids.n) {
    const struct cedar_uid *u = cedar_uid_get(request->store, uid);

    if (u == NULL)
      return false;
    *type_out = u->type;
    *id_out = u->id;
    return true;
  }
  uid -= request->store->uids.n;
  if (uid >= request->uid_n)
    return false;
  *type_out = request->uids[uid].type;
  *id_out = request->uids[uid].id;
  return true;
}

uint32_t cedar_request_uid(struct cedar_request *request, struct cedar_uid_text text) {
  uint32_t type, id, uid, hash, i;

  if (request->error.status != CEDAR_OK)
    return CEDAR_NONE;
  if (!cedar_is_name(text.type) || !cedar_utf8_is_valid(text.id.ptr, text.id.len)) {
    cedar_request_fail(request, CEDAR_INVALID, "not an entity name: %.*s::\"%.*s\"",
                       (int)(text.type.len < 100 ? text.type.len : 100), text.type.ptr,
                       (int)(text.id.len < 100 ? text.id.len : 100), text.id.ptr);
    return CEDAR_NONE;
  }
  type = cedar_request_sym(request, text.type);
  hash = cedar_text_hash(text.id.ptr, text.id.len);
  uid = cedar_uid_find_hashed(request->store, type, text.id, hash);
  if (uid != CEDAR_NONE || request->error.status != CEDAR_OK)
    return uid;
  id = sym_hashed(request, text.id, hash);
  if (request->error.status != CEDAR_OK)
    return CEDAR_NONE;
  for (i = 0; i < request->uid_n; i++)
    if (request->uids[i].id == id && request->uids[i].type == type)
      return request->store->uids.n + i;
  if (grow(request, (void **)(void *)&request->uids, &request->uid_cap, sizeof(*request->uids),
           request->uid_n) != CEDAR_OK)
    return CEDAR_NONE;
  request->uids[request->uid_n].type = type;
  request->uids[request->uid_n].id = id;
  return request->store->uids.n + request->uid_n++;
}

void cedar_request_set(struct cedar_request *request, enum cedar_var var,
                       struct cedar_uid_text uid) {
  if (var == CEDAR_RESOURCE)
    request->resource_above = NULL;
  request->var[var] = cedar_request_uid(request, uid);
  request->named[var] = cedar_uid_get(request->store, request->var[var]);
}

void cedar_request_set_principal(struct cedar_request *request, struct cedar_uid_text uid) {
  cedar_request_set(request, CEDAR_PRINCIPAL, uid);
}

void cedar_request_set_action(struct cedar_request *request, struct cedar_uid_text uid) {
  cedar_request_set(request, CEDAR_ACTION, uid);
}

void cedar_request_set_resource(struct cedar_request *request, struct cedar_uid_text uid) {
  cedar_request_set(request, CEDAR_RESOURCE, uid);
}

void cedar_request_overlay_principal(struct cedar_request *request) {
  if (request->var[CEDAR_PRINCIPAL] == CEDAR_NONE)
    cedar_request_fail(request, CEDAR_MISUSE, "an overlay needs a principal first");
  request->overlay = true;
}

static void field_put(struct cedar_request *request, struct cedar_field **at, uint32_t *n,
                      uint32_t *cap, const struct cedar_field *field) {
  request->ready = false;
  if (request->error.status != CEDAR_OK ||
      grow(request, (void **)(void *)at, cap, sizeof(**at), *n) != CEDAR_OK)
    return;
  (*at)[(*n)++] = *field;
}

/* A field from a name and a value; a value that is none means that making it failed. */
static bool field_make(struct cedar_request *request, struct cedar_text name,
                       struct cedar_value value, struct cedar_field *out) {
  out->key = cedar_request_sym(request, name);
  out->pad = 0;
  out->value = value;
  if (value.kind == CEDAR_KIND_NONE)
    cedar_request_fail(request, CEDAR_MISUSE, "no value for \"%.*s\"",
                       (int)(name.len < 100 ? name.len : 100), name.ptr);
  return request->error.status == CEDAR_OK;
}

void cedar_request_overlay_attr(struct cedar_request *request, struct cedar_text name,
                                struct cedar_value value) {
  struct cedar_field field;

  if (field_make(request, name, value, &field))
    field_put(request, &request->attrs, &request->attr_n, &request->attr_cap, &field);
}

void cedar_request_overlay_tag(struct cedar_request *request, struct cedar_text name,
                               struct cedar_value value) {
  struct cedar_field field;

  if (field_make(request, name, value, &field))
    field_put(request, &request->tags, &request->tag_n, &request->tag_cap, &field);
}

void cedar_request_context_put(struct cedar_request *request, struct cedar_text name,
                               struct cedar_value value) {
  struct cedar_field field;

  if (field_make(request, name, value, &field))
    field_put(request, &request->context, &request->context_n, &request->context_cap, &field);
}

enum cedar_status cedar_request_context_field(struct cedar_request *request,
                                              const struct cedar_field *field) {
  field_put(request, &request->context, &request->context_n, &request->context_cap, field);
  return request->error.status;
}

void cedar_request_overlay_parent(struct cedar_request *request, struct cedar_uid_text uid) {
  uint32_t parent = cedar_request_uid(request, uid);

  request->ready = false;
  if (parent == CEDAR_NONE ||
      grow(request, (void **)(void *)&request->parents, &request->parent_cap,
           sizeof(*request->parents), request->parent_n) != CEDAR_OK)
    return;
  request->parents[request->parent_n++] = parent;
}

/* Uids and everything above them in the store; NULL, and the failure kept, without memory. */
static uint32_t *climb(struct cedar_request *request, const uint32_t *uids, uint32_t uid_n,
                       uint32_t *count_out) {
  const struct cedar_store *store = request->store;
  uint64_t most = uid_n;
  uint32_t i, n = 0, count, *found;
  const uint32_t *above;

  for (i = 0; i < uid_n; i++) {
    const struct cedar_uid *known = cedar_uid_entity(store, uids[i]);

    if (known != NULL)
      most += known->ancestor_count;
  }
  found = most > CEDAR_MAX_SCRATCH
              ? NULL
              : cedar_arena_get(&request->arena, (size_t)most * sizeof(uint32_t));
  if (found == NULL) {
    cedar_request_fail(request, CEDAR_NOMEM, "out of memory");
    return NULL;
  }
  for (i = 0; i < uid_n; i++) {
    const struct cedar_uid *known = cedar_uid_entity(store, uids[i]);

    found[n++] = uids[i];
    if (known == NULL)
      continue;
    above = cedar_entity_reach(store, known, &count);
    if (count > 0)
      memcpy(found + n, above, count * sizeof(*above));
    n += count;
  }
  *count_out = cedar_ids_normalize(found, n);
  return found;
}

void cedar_request_set_resource_parent(struct cedar_request *request, struct cedar_uid_text uid) {
  const struct cedar_uid *named = request->named[CEDAR_RESOURCE];
  uint32_t parent = cedar_request_uid(request, uid), count = 0, *uids;
  const uint32_t *stored = NULL;

  if (request->var[CEDAR_RESOURCE] == CEDAR_NONE)
    cedar_request_fail(request, CEDAR_MISUSE, "a parent of the resource needs a resource first");
  if (request->error.status != CEDAR_OK)
    return;
  if (named != NULL && named->entity != CEDAR_NONE)
    stored = cedar_entity_reach(request->store, named, &count);
  uids = cedar_arena_get_array(&request->arena, (size_t)count + 1, sizeof(*uids));
  if (uids == NULL) {
    cedar_request_fail(request, CEDAR_NOMEM, "out of memory");
    return;
  }
  if (count > 0)
    memcpy(uids, stored, count * sizeof(*uids));
  uids[count++] = parent;
  request->resource_above = climb(request, uids, count, &request->resource_above_n);
}

bool cedar_request_reach(const struct cedar_request *request, uint32_t uid,
                         const uint32_t **above_out, uint32_t *count_out) {
  bool is_overlay = request->overlay && uid == request->var[CEDAR_PRINCIPAL];

  if (!is_overlay && (request->resource_above == NULL || uid != request->var[CEDAR_RESOURCE]))
    return false;
  *above_out = is_overlay ? request->ancestors : request->resource_above;
  *count_out = is_overlay ? request->ancestor_n : request->resource_above_n;
  return true;
}

enum cedar_status cedar_request_settle(struct cedar_request *request, struct cedar_error *error) {
  static const char *const names[] = {"principal", "action", "resource"};
  unsigned int i;

  for (i = 0; i < 3 && request->error.status == CEDAR_OK; i++)
    if (request->var[i] == CEDAR_NONE)
      cedar_request_fail(request, CEDAR_MISUSE, "the request has no %s", names[i]);
  if (request->ready && request->error.status == CEDAR_OK)
    return CEDAR_OK;
  if (request->error.status == CEDAR_OK && request->overlay)
    request->ancestors = climb(request, request->parents, request->parent_n, &request->ancestor_n);
  if (!cedar_fields_sort(request->context, request->context_n) ||
      !cedar_fields_sort(request->attrs, request->attr_n) ||
      !cedar_fields_sort(request->tags, request->tag_n))
    cedar_request_fail(request, CEDAR_INVALID, "an attribute is given twice");
  request->ready = request->error.status == CEDAR_OK;
  if (!request->ready && error != NULL && error->status == CEDAR_OK)
    *error = request->error;
  return request->error.status;
}
