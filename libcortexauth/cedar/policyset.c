/*
 * The policies of a store: their ids, annotations, and how callers look at them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <string.h>

#include "store.h"
#include "text.h"

const struct cedar_note *cedar_policy_note(const struct cedar_store *store,
                                           const struct cedar_policy *policy, const char *key) {
  const struct cedar_note *notes = cedar_notes_get(store, policy->notes, policy->note_count);
  uint32_t sym = notes == NULL ? CEDAR_NONE : cedar_sym_find(store, key, strlen(key)), i;

  for (i = 0; sym != CEDAR_NONE && i < policy->note_count; i++)
    if (notes[i].key == sym)
      return &notes[i];
  return NULL;
}

/* The part of a source's name behind its last slash. */
static struct cedar_text base_name(struct cedar_text name) {
  size_t i = name.len;

  while (i > 0 && name.ptr[i - 1] != '/')
    i--;
  name.ptr += i;
  name.len -= i;
  return name;
}

enum cedar_status cedar_policy_name(struct cedar_store *store, struct cedar_policy *policy,
                                    enum cedar_id_mode mode, uint32_t position) {
  const struct cedar_note *note;
  struct cedar_text file;
  char id[320];
  int len;

  note = mode == CEDAR_ID_HOST ? cedar_policy_note(store, policy, "id") : NULL;
  if (note != NULL) {
    policy->id = note->value;
    return CEDAR_OK;
  }
  if (mode == CEDAR_ID_HOST) {
    file = base_name(cedar_sym_text(store, policy->source));
    len = snprintf(id, sizeof(id), "%.*s#%u", (int)(file.len < 255 ? file.len : 255), file.ptr,
                   position);
  } else {
    len = snprintf(id, sizeof(id), "policy%u", store->position_count++);
  }
  return cedar_sym_put(store, id, (size_t)len, &policy->id);
}

/* Slots are policy indexes + 1, hashed by the id symbol. */
static uint32_t policy_slot(const struct cedar_store *store, uint32_t id) {
  uint32_t mask = store->policy_slots.n - 1;
  uint32_t slot = cedar_uid_hash(id, 0) & mask, probes;

  for (probes = 0; probes <= mask; probes++, slot = (slot + 1) & mask) {
    const uint32_t *number = cedar_policy_slots_get(store, slot, 1);
    const struct cedar_policy *policy =
        number == NULL || *number == 0 ? NULL : cedar_policies_get(store, *number - 1, 1);

    if (policy == NULL || policy->id == id)
      break;
  }
  return slot;
}

static enum cedar_status policy_slots_room(struct cedar_store *store) {
  uint32_t want = store->policy_slots.n == 0 ? 64 : store->policy_slots.n * 2, i;
  enum cedar_status status;

  if (store->policies.n < store->policy_slots.n / 2)
    return CEDAR_OK;
  status = CEDAR_ROOM(store, policy_slots, want - store->policy_slots.n, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  store->policy_slots.n = want;
  memset(store->policy_slots.at, 0, want * sizeof(*store->policy_slots.at));
  for (i = 0; i < store->policies.n; i++)
    store->policy_slots.at[policy_slot(store, store->policies.at[i].id)] = i + 1;
  return CEDAR_OK;
}

static enum cedar_status duplicate(const struct cedar_store *store,
                                   const struct cedar_policy *policy,
                                   const struct cedar_policy *other, struct cedar_error *error) {
  struct cedar_text id = cedar_sym_text(store, policy->id);
  struct cedar_text file = cedar_sym_text(store, other->source);
  struct cedar_text here = cedar_sym_text(store, policy->source);
  struct cedar_place place = {NULL, policy->line, policy->column};
  char name[sizeof(error->source)];

  snprintf(name, sizeof(name), "%.*s", (int)(here.len < 127 ? here.len : 127), here.ptr);
  place.source = name;
  return cedar_error_set(
      error, CEDAR_INVALID, place, "duplicate policy id \"%.*s\", first used at %.*s:%u:%u",
      (int)(id.len < 100 ? id.len : 100), id.ptr, (int)(file.len < 120 ? file.len : 120), file.ptr,
      other->line, other->column);
}

enum cedar_status cedar_policy_put(struct cedar_store *store, const struct cedar_policy *policy,
                                   struct cedar_error *error) {
  enum cedar_status status = policy_slots_room(store);
  struct cedar_policy *put;
  uint32_t slot;

  if (status == CEDAR_OK)
    status = CEDAR_ROOM(store, policies, 1, CEDAR_MAX_POLICIES);
  if (status != CEDAR_OK)
    return status;
  slot = policy_slot(store, policy->id);
  if (store->policy_slots.at[slot] != 0)
    return duplicate(store, policy, &store->policies.at[store->policy_slots.at[slot] - 1], error);
  put = &store->policies.at[store->policies.n];
  *put = *policy;
  if (put->kind != CEDAR_POLICY_LINK)
    put->tmpl = store->policies.n;
  store->policy_slots.at[slot] = ++store->policies.n;
  return CEDAR_OK;
}

bool cedar_policy_find(const struct cedar_store *store, struct cedar_text id, uint32_t *index_out) {
  uint32_t sym = cedar_sym_find(store, id.ptr, id.len);
  const struct cedar_policy *policy = NULL;
  const uint32_t *number = NULL;

  if (sym != CEDAR_NONE && store->policy_slots.n > 0)
    number = cedar_policy_slots_get(store, policy_slot(store, sym), 1);
  if (number != NULL && *number != 0)
    policy = cedar_policies_get(store, *number - 1, 1);
  if (policy == NULL || policy->id != sym)
    return false;
  *index_out = *number - 1;
  return true;
}

bool cedar_policy_get(const struct cedar_store *store, uint32_t index,
                      struct cedar_policy_info *info_out) {
  const struct cedar_policy *policy = cedar_policies_get(store, index, 1);

  memset(info_out, 0, sizeof(*info_out));
  if (policy == NULL)
    return false;
  info_out->id = cedar_sym_text(store, policy->id);
  info_out->source = cedar_sym_text(store, policy->source);
  info_out->line = policy->line;
  info_out->column = policy->column;
  info_out->effect = policy->effect == CEDAR_PERMIT ? CEDAR_PERMIT : CEDAR_FORBID;
  info_out->kind = policy->kind == CEDAR_POLICY_LINK       ? CEDAR_POLICY_LINK
                   : policy->kind == CEDAR_POLICY_TEMPLATE ? CEDAR_POLICY_TEMPLATE
                                                           : CEDAR_POLICY_STATIC;
  info_out->template_index = policy->tmpl;
  info_out->annotation_count = policy->note_count;
  return true;
}

bool cedar_policy_scope(const struct cedar_store *store, uint32_t index, enum cedar_scope_part part,
                        struct cedar_scope_info *info_out) {
  const struct cedar_policy *policy = cedar_policies_get(store, index, 1);
  const struct cedar_scope *scope;

  memset(info_out, 0, sizeof(*info_out));
  if (policy == NULL || part > CEDAR_SCOPE_RESOURCE)
    return false;
  scope = &policy->scope[part];
  if (scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN)
    info_out->type = cedar_sym_text(store, scope->type);
  info_out->is_exact = scope->op == CEDAR_SCOPE_EQ;
  if (scope->op == CEDAR_SCOPE_LIST)
    info_out->entity_count = scope->count;
  else if (scope->op != CEDAR_SCOPE_ANY && scope->op != CEDAR_SCOPE_IS && !scope->slot)
    info_out->entity_count = 1;
  return true;
}

bool cedar_policy_scope_entity(const struct cedar_store *store, uint32_t index,
                               enum cedar_scope_part part, uint32_t position,
                               struct cedar_uid_text *uid_out) {
  const struct cedar_policy *policy = cedar_policies_get(store, index, 1);
  struct cedar_scope_info info;
  const struct cedar_scope *scope;
  const uint32_t *uid;

  memset(uid_out, 0, sizeof(*uid_out));
  if (policy == NULL || !cedar_policy_scope(store, index, part, &info) ||
      position >= info.entity_count)
    return false;
  scope = &policy->scope[part];
  uid = &scope->uid;
  if (scope->op == CEDAR_SCOPE_LIST)
    uid = cedar_code_get(store, scope->uid, scope->count);
  if (uid == NULL)
    return false;
  *uid_out = cedar_uid_text_get(store, uid[position]);
  return uid_out->type.ptr != NULL;
}

bool cedar_policy_annotation_get(const struct cedar_store *store, uint32_t index, const char *key,
                                 struct cedar_text *value_out) {
  const struct cedar_policy *policy = cedar_policies_get(store, index, 1);
  const struct cedar_note *note = policy == NULL ? NULL : cedar_policy_note(store, policy, key);

  value_out->ptr = NULL;
  value_out->len = 0;
  if (note != NULL)
    *value_out = cedar_sym_text(store, note->value);
  return value_out->ptr != NULL;
}

bool cedar_policy_annotation_at(const struct cedar_store *store, uint32_t index, uint32_t position,
                                struct cedar_text *key_out, struct cedar_text *value_out) {
  const struct cedar_policy *policy = cedar_policies_get(store, index, 1);
  const struct cedar_note *notes =
      policy == NULL ? NULL : cedar_notes_get(store, policy->notes, policy->note_count);

  if (notes == NULL || position >= policy->note_count)
    return false;
  *key_out = cedar_sym_text(store, notes[position].key);
  *value_out = cedar_sym_text(store, notes[position].value);
  return key_out->ptr != NULL && value_out->ptr != NULL;
}
