/*
 * Constants of policies, worked out at load so that evaluation only refers to them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "fold.h"

#include <string.h>

#include "ext.h"

bool cedar_node_constant(const struct cedar_store *store, const struct cedar_node *node,
                         struct cedar_value *value_out) {
  const struct cedar_value *cell;

  switch (node->op) {
  case CEDAR_OP_BOOL:
    *value_out = cedar_value_make(CEDAR_KIND_BOOL, node->a != 0);
    return true;
  case CEDAR_OP_LONG:
    *value_out = cedar_value_make(CEDAR_KIND_LONG, (int64_t)((uint64_t)node->b << 32 | node->a));
    return true;
  case CEDAR_OP_STRING:
    *value_out = cedar_value_symbol(CEDAR_KIND_STRING, node->a);
    return true;
  case CEDAR_OP_ENTITY:
    *value_out = cedar_value_symbol(CEDAR_KIND_ENTITY, node->a);
    return true;
  case CEDAR_OP_SET:
  case CEDAR_OP_RECORD:
  case CEDAR_OP_CALL:
    cell = cedar_cells_get(store, node->c, 1);
    if (cell != NULL)
      *value_out = cedar_value_stored(*cell);
    return cell != NULL;
  default:
    return false;
  }
}

enum cedar_status cedar_store_put_set(struct cedar_store *store, struct cedar_value *values,
                                      uint32_t count, struct cedar_value *set_out) {
  enum cedar_status status;

  count = cedar_set_normalize(store, values, count);
  *set_out = cedar_value_make(CEDAR_KIND_SET, 0);
  status = CEDAR_ROOM(store, cells, count, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  if (count > 0)
    memcpy(store->cells.at + store->cells.n, values, count * sizeof(*values));
  set_out->flags = CEDAR_STORED;
  set_out->n = count;
  set_out->u.id = store->cells.n;
  store->cells.n += count;
  return CEDAR_OK;
}

enum cedar_status cedar_store_put_record(struct cedar_store *store,
                                         const struct cedar_field *fields, uint32_t count,
                                         struct cedar_value *record_out) {
  enum cedar_status status = CEDAR_ROOM(store, fields, count, CEDAR_MAX_ITEMS);

  *record_out = cedar_value_make(CEDAR_KIND_RECORD, 0);
  if (status != CEDAR_OK)
    return status;
  if (count > 0)
    memcpy(store->fields.at + store->fields.n, fields, count * sizeof(*fields));
  record_out->flags = CEDAR_STORED;
  record_out->n = count;
  record_out->u.id = store->fields.n;
  store->fields.n += count;
  return CEDAR_OK;
}

enum cedar_status cedar_store_put_ext(struct cedar_store *store, const struct cedar_ext_value *ext,
                                      struct cedar_value *value_out) {
  enum cedar_status status = CEDAR_ROOM(store, cells, 1, CEDAR_MAX_ITEMS);
  struct cedar_value cell = {0};

  *value_out = cell;
  if (status != CEDAR_OK)
    return status;
  *value_out = cedar_ext_save(ext, &cell);
  if (ext->kind != CEDAR_KIND_IPADDR || ext->version == 4)
    return CEDAR_OK;
  store->cells.at[store->cells.n] = cell;
  value_out->flags = CEDAR_STORED;
  value_out->u.i = 0;
  value_out->u.id = store->cells.n++;
  return CEDAR_OK;
}

static enum cedar_status fold_set(struct cedar_store *store, struct cedar_arena *scratch,
                                  const struct cedar_node *node, struct cedar_value *out,
                                  bool *folded) {
  struct cedar_value *values = cedar_arena_get_array(scratch, node->b, sizeof(*values));
  uint32_t i;

  if (values == NULL)
    return CEDAR_NOMEM;
  for (i = 0; i < node->b; i++)
    if (!cedar_node_constant(store, cedar_node_at(store, store->code.at[node->a + i]), &values[i]))
      return CEDAR_OK;
  *folded = true;
  return cedar_store_put_set(store, values, node->b, out);
}

static enum cedar_status fold_record(struct cedar_store *store, struct cedar_arena *scratch,
                                     const struct cedar_node *node, struct cedar_value *out,
                                     bool *folded) {
  struct cedar_field *fields = cedar_arena_get_array(scratch, node->b, sizeof(*fields));
  uint32_t i;

  if (fields == NULL)
    return CEDAR_NOMEM;
  for (i = 0; i < node->b; i++) {
    const uint32_t *pair = store->code.at + node->a + 2 * i;

    fields[i].key = pair[0];
    if (!cedar_node_constant(store, cedar_node_at(store, pair[1]), &fields[i].value))
      return CEDAR_OK;
  }
  if (!cedar_fields_sort(fields, node->b))
    return CEDAR_OK;
  *folded = true;
  return cedar_store_put_record(store, fields, node->b, out);
}

/* A constructor over a text that is right; a wrong one is an error at every evaluation. */
static enum cedar_status fold_call(struct cedar_store *store, const struct cedar_node *node,
                                   struct cedar_value *out, bool *folded) {
  const struct cedar_ext *function = &cedar_ext_table[node->flags];
  struct cedar_ext_value ext;
  struct cedar_value arg;

  if (function->call != NULL || node->b != 1 ||
      !cedar_node_constant(store, cedar_node_at(store, store->code.at[node->a]), &arg) ||
      arg.kind != CEDAR_KIND_STRING ||
      !cedar_ext_parse(function->result, cedar_sym_text(store, arg.u.id), &ext))
    return CEDAR_OK;
  *folded = true;
  return cedar_store_put_ext(store, &ext, out);
}

enum cedar_status cedar_fold(struct cedar_store *store, struct cedar_arena *scratch,
                             uint32_t index) {
  struct cedar_node node = *cedar_node_at(store, index);
  struct cedar_value value = {0};
  enum cedar_status status;
  bool done = false;

  if (node.op == CEDAR_OP_SET)
    status = fold_set(store, scratch, &node, &value, &done);
  else if (node.op == CEDAR_OP_RECORD)
    status = fold_record(store, scratch, &node, &value, &done);
  else
    status = fold_call(store, &node, &value, &done);
  if (status != CEDAR_OK || !done)
    return status;
  status = CEDAR_ROOM(store, cells, 1, CEDAR_MAX_ITEMS);
  if (status != CEDAR_OK)
    return status;
  store->cells.at[store->cells.n] = value;
  cedar_node_at(store, index)->c = store->cells.n++;
  return CEDAR_OK;
}
