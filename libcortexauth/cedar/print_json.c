/*
 * Policies in the JSON policy format.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "build.h"
#include "print.h"

static void json_node(struct cedar_printer *p, uint32_t index);

static void json_uid(struct cedar_printer *p, uint32_t uid) {
  struct cedar_text type, id;

  if (uid >= p->store->uids.n) {
    p->ok = false;
    return;
  }
  type = cedar_printer_sym(p, p->store->uids.at[uid].type);
  id = cedar_printer_sym(p, p->store->uids.at[uid].id);
  cedar_puts(p, "{\"type\":");
  cedar_put_json_string(p, type);
  cedar_puts(p, ",\"id\":");
  cedar_put_json_string(p, id);
  cedar_puts(p, "}");
}

static void json_sym(struct cedar_printer *p, uint32_t sym) {
  cedar_put_json_string(p, cedar_printer_sym(p, sym));
}

/* {"NAME":{"left":A,"right":B}} */
static void json_pair(struct cedar_printer *p, const char *name, uint32_t left, uint32_t right) {
  cedar_puts(p, "{\"");
  cedar_puts(p, name);
  cedar_puts(p, "\":{\"left\":");
  json_node(p, left);
  cedar_puts(p, ",\"right\":");
  json_node(p, right);
  cedar_puts(p, "}}");
}

/* {"NAME":{"arg":A}} */
static void json_arg(struct cedar_printer *p, const char *name, uint32_t arg) {
  cedar_puts(p, "{\"");
  cedar_puts(p, name);
  cedar_puts(p, "\":{\"arg\":");
  json_node(p, arg);
  cedar_puts(p, "}}");
}

/* a && b && c is ((a && b) && c); the format knows pairs only. */
static void json_chain(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *kids = cedar_printer_kids(p, n->a, n->b);
  const char *open = n->op == CEDAR_OP_AND ? "{\"&&\":{\"left\":" : "{\"||\":{\"left\":";
  uint32_t i;

  for (i = 1; p->ok && i < n->b; i++)
    cedar_puts(p, open);
  for (i = 0; p->ok && i < n->b; i++) {
    if (i > 0)
      cedar_puts(p, ",\"right\":");
    json_node(p, kids[i]);
    if (i > 0)
      cedar_puts(p, "}}");
  }
}

static void json_if(struct cedar_printer *p, const struct cedar_node *n) {
  cedar_puts(p, "{\"if-then-else\":{\"if\":");
  json_node(p, n->a);
  cedar_puts(p, ",\"then\":");
  json_node(p, n->b);
  cedar_puts(p, ",\"else\":");
  json_node(p, n->c);
  cedar_puts(p, "}}");
}

/* {"NAME":{"left":A, and one more member */
static void json_left(struct cedar_printer *p, const char *name, uint32_t left,
                      const char *member) {
  cedar_puts(p, "{\"");
  cedar_puts(p, name);
  cedar_puts(p, "\":{\"left\":");
  json_node(p, left);
  cedar_puts(p, ",\"");
  cedar_puts(p, member);
  cedar_puts(p, "\":");
}

static void json_has(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *path = cedar_printer_kids(p, n->b, n->c);
  uint32_t i;

  json_left(p, "has", n->a, "attr");
  cedar_puts(p, n->c > 1 ? "[" : "");
  for (i = 0; p->ok && i < n->c; i++) {
    cedar_puts(p, i > 0 ? "," : "");
    json_sym(p, path[i]);
  }
  cedar_puts(p, n->c > 1 ? "]}}" : "}}");
}

static void json_like(struct cedar_printer *p, const struct cedar_node *n) {
  struct cedar_text pattern = cedar_printer_sym(p, n->b), one;
  size_t i = 0;

  json_left(p, "like", n->a, "pattern");
  cedar_puts(p, "[");
  while (p->ok && i < pattern.len) {
    cedar_puts(p, i > 0 ? "," : "");
    if (pattern.ptr[i] == CEDAR_WILDCARD) {
      cedar_puts(p, "\"Wildcard\"");
      i++;
      continue;
    }
    one.ptr = pattern.ptr + i;
    one.len = cedar_utf8_next(one.ptr, pattern.len - i, NULL);
    p->ok = p->ok && one.len > 0;
    cedar_puts(p, "{\"Literal\":");
    cedar_put_json_string(p, one);
    cedar_puts(p, "}");
    i += one.len;
  }
  cedar_puts(p, "]}}");
}

static void json_is(struct cedar_printer *p, const struct cedar_node *n) {
  json_left(p, "is", n->a, "entity_type");
  json_sym(p, n->b);
  if (n->c != CEDAR_NONE) {
    cedar_puts(p, ",\"in\":");
    json_node(p, n->c);
  }
  cedar_puts(p, "}}");
}

static void json_list(struct cedar_printer *p, const char *name, const struct cedar_node *n) {
  const uint32_t *kids = cedar_printer_kids(p, n->a, n->b);
  uint32_t i;

  cedar_puts(p, "{\"");
  cedar_puts(p, name);
  cedar_puts(p, "\":[");
  for (i = 0; p->ok && i < n->b; i++) {
    cedar_puts(p, i > 0 ? "," : "");
    json_node(p, kids[i]);
  }
  cedar_puts(p, "]}");
}

static void json_set(struct cedar_printer *p, const struct cedar_node *n) {
  json_list(p, "Set", n);
}

static void json_call(struct cedar_printer *p, const struct cedar_node *n) {
  if (n->flags >= cedar_ext_count)
    p->ok = false;
  else
    json_list(p, cedar_ext_table[n->flags].name, n);
}

static void json_record(struct cedar_printer *p, const struct cedar_node *n) {
  const uint32_t *kids = n->b > UINT32_MAX / 2 ? NULL : cedar_printer_kids(p, n->a, 2 * n->b);
  uint32_t i;

  p->ok = p->ok && kids != NULL;
  cedar_puts(p, "{\"Record\":{");
  for (i = 0; p->ok && i < n->b; i++) {
    cedar_puts(p, i > 0 ? "," : "");
    json_sym(p, kids[2 * i]);
    cedar_puts(p, ":");
    json_node(p, kids[2 * i + 1]);
  }
  cedar_puts(p, "}}");
}

static void json_literal(struct cedar_printer *p, const struct cedar_node *n) {
  if (n->op == CEDAR_OP_VAR) {
    cedar_puts(p, "{\"Var\":\"");
    cedar_puts(p, cedar_var_name(n->a));
    cedar_puts(p, "\"}");
    return;
  }
  cedar_puts(p, "{\"Value\":");
  if (n->op == CEDAR_OP_BOOL) {
    cedar_puts(p, n->a != 0 ? "true" : "false");
  } else if (n->op == CEDAR_OP_LONG) {
    cedar_put_long(p, (int64_t)((uint64_t)n->b << 32 | n->a));
  } else if (n->op == CEDAR_OP_STRING) {
    json_sym(p, n->a);
  } else if (n->op == CEDAR_OP_ENTITY) {
    cedar_puts(p, "{\"__entity\":");
    json_uid(p, n->a);
    cedar_puts(p, "}");
  } else {
    p->ok = false;
  }
  cedar_puts(p, "}");
}

static void json_get(struct cedar_printer *p, const struct cedar_node *n) {
  json_left(p, ".", n->a, "attr");
  json_sym(p, n->b);
  cedar_puts(p, "}}");
}

static void json_not(struct cedar_printer *p, const struct cedar_node *n) {
  json_arg(p, n->op == CEDAR_OP_NOT ? "!" : n->op == CEDAR_OP_NEG ? "neg" : "isEmpty", n->a);
}

static void json_binary(struct cedar_printer *p, const struct cedar_node *n) {
  const char *sign = cedar_op_sign(n->op);

  if (sign == NULL)
    sign = cedar_method_name((enum cedar_op)n->op);
  if (sign == NULL)
    p->ok = false;
  else
    json_pair(p, sign, n->a, n->b);
}

typedef void json_fn(struct cedar_printer *p, const struct cedar_node *n);

/* Operators that are not here are literals, or binary. */
static json_fn *const json_table[CEDAR_OP_COUNT] = {
    [CEDAR_OP_AND] = json_chain, [CEDAR_OP_OR] = json_chain, [CEDAR_OP_IF] = json_if,
    [CEDAR_OP_NOT] = json_not,   [CEDAR_OP_NEG] = json_not,  [CEDAR_OP_IS_EMPTY] = json_not,
    [CEDAR_OP_GET] = json_get,   [CEDAR_OP_HAS] = json_has,  [CEDAR_OP_LIKE] = json_like,
    [CEDAR_OP_IS] = json_is,     [CEDAR_OP_SET] = json_set,  [CEDAR_OP_RECORD] = json_record,
    [CEDAR_OP_CALL] = json_call,
};

static void json_node(struct cedar_printer *p, uint32_t index) {
  const struct cedar_node *n = cedar_printer_node(p, index);

  if (n == NULL || !p->ok || n->op >= CEDAR_OP_COUNT || p->depth > 2 * CEDAR_MAX_DEPTH) {
    p->ok = false;
    return;
  }
  p->depth++;
  if (json_table[n->op] != NULL)
    json_table[n->op](p, n);
  else if (n->op >= CEDAR_OP_EQ && n->op <= CEDAR_OP_HAS_TAG)
    json_binary(p, n);
  else
    json_literal(p, n);
  p->depth--;
}

/* "entity":{..} or "slot":"?principal" */
static void json_target(struct cedar_printer *p, const struct cedar_scope *scope,
                        enum cedar_var var) {
  if (scope->slot) {
    cedar_puts(p, "\"slot\":\"?");
    cedar_puts(p, cedar_var_name(var));
    cedar_puts(p, "\"");
    return;
  }
  cedar_puts(p, "\"entity\":");
  json_uid(p, scope->uid);
}

static void json_action_list(struct cedar_printer *p, const struct cedar_scope *scope) {
  const uint32_t *kids = cedar_printer_kids(p, scope->uid, scope->count);
  uint32_t i;

  /* The official engine writes a list of one as its entity. */
  if (p->ok && scope->count == 1) {
    cedar_puts(p, "{\"op\":\"in\",\"entity\":");
    json_uid(p, kids[0]);
    cedar_puts(p, "}");
    return;
  }
  cedar_puts(p, "{\"op\":\"in\",\"entities\":[");
  for (i = 0; p->ok && i < scope->count; i++) {
    cedar_puts(p, i > 0 ? "," : "");
    json_uid(p, kids[i]);
  }
  cedar_puts(p, "]}");
}

static void json_scope(struct cedar_printer *p, const struct cedar_scope *scope,
                       enum cedar_var var) {
  cedar_puts(p, ",\"");
  cedar_puts(p, cedar_var_name(var));
  cedar_puts(p, "\":");
  switch (scope->op) {
  case CEDAR_SCOPE_ANY:
    cedar_puts(p, "{\"op\":\"All\"}");
    return;
  case CEDAR_SCOPE_LIST:
    json_action_list(p, scope);
    return;
  case CEDAR_SCOPE_IS:
  case CEDAR_SCOPE_IS_IN:
    cedar_puts(p, "{\"op\":\"is\",\"entity_type\":");
    json_sym(p, scope->type);
    if (scope->op == CEDAR_SCOPE_IS_IN) {
      cedar_puts(p, ",\"in\":{");
      json_target(p, scope, var);
      cedar_puts(p, "}");
    }
    break;
  default:
    cedar_puts(p, scope->op == CEDAR_SCOPE_EQ ? "{\"op\":\"==\"," : "{\"op\":\"in\",");
    json_target(p, scope, var);
  }
  cedar_puts(p, "}");
}

static void json_notes(struct cedar_printer *p, const struct cedar_policy *policy) {
  uint32_t i;

  if (policy->note_count == 0)
    return;
  if (policy->notes > p->store->notes.n || policy->note_count > p->store->notes.n - policy->notes) {
    p->ok = false;
    return;
  }
  cedar_puts(p, ",\"annotations\":{");
  for (i = 0; p->ok && i < policy->note_count; i++) {
    const struct cedar_note *note = &p->store->notes.at[policy->notes + i];

    cedar_puts(p, i > 0 ? "," : "");
    json_sym(p, note->key);
    cedar_puts(p, ":");
    if (note->bare)
      cedar_puts(p, "null");
    else
      json_sym(p, note->value);
  }
  cedar_puts(p, "}");
}

static void json_policy(struct cedar_printer *p, const struct cedar_policy *policy) {
  const uint32_t *conds = cedar_printer_kids(p, policy->conds, policy->cond_count);
  uint32_t i;

  cedar_puts(p,
             policy->effect == CEDAR_PERMIT ? "{\"effect\":\"permit\"" : "{\"effect\":\"forbid\"");
  for (i = 0; i < 3; i++)
    json_scope(p, &policy->scope[i], (enum cedar_var)i);
  cedar_puts(p, ",\"conditions\":[");
  for (i = 0; p->ok && i < policy->cond_count; i++) {
    const struct cedar_node *n = cedar_printer_node(p, conds[i]);

    if (n == NULL)
      break;
    cedar_puts(p, i > 0 ? "," : "");
    cedar_puts(p, n->op == CEDAR_OP_WHEN ? "{\"kind\":\"when\",\"body\":"
                                         : "{\"kind\":\"unless\",\"body\":");
    json_node(p, n->a);
    cedar_puts(p, "}");
  }
  cedar_puts(p, "]");
  json_notes(p, policy);
  cedar_puts(p, "}");
}

enum cedar_status cedar_policy_print_json(const struct cedar_store *store, uint32_t index,
                                          const struct cedar_sink *sink) {
  struct cedar_printer p;

  if (index >= store->policies.n)
    return CEDAR_MISUSE;
  if (!cedar_store_make_whole(store))
    return CEDAR_DAMAGED;
  cedar_printer_init(&p, store, NULL, *sink);
  json_policy(&p, &store->policies.at[index]);
  return p.ok ? CEDAR_OK : CEDAR_LIMIT;
}

/* The slots of a link's template and what the link fills them with. */
static void json_link(struct cedar_printer *p, const struct cedar_policy *policy) {
  static const enum cedar_var vars[] = {CEDAR_PRINCIPAL, CEDAR_RESOURCE};
  const struct cedar_policy *tmpl;
  bool first = true;
  unsigned int i;

  if (policy->tmpl >= p->store->policies.n) {
    p->ok = false;
    return;
  }
  tmpl = &p->store->policies.at[policy->tmpl];
  cedar_puts(p, "{\"templateId\":");
  json_sym(p, tmpl->id);
  cedar_puts(p, ",\"newId\":");
  json_sym(p, policy->id);
  cedar_puts(p, ",\"values\":{");
  for (i = 0; i < 2; i++) {
    if (!tmpl->scope[vars[i]].slot)
      continue;
    cedar_puts(p, first ? "\"?" : ",\"?");
    cedar_puts(p, cedar_var_name(vars[i]));
    cedar_puts(p, "\":{\"__entity\":");
    json_uid(p, policy->scope[vars[i]].uid);
    cedar_puts(p, "}");
    first = false;
  }
  cedar_puts(p, "}}");
}

static void json_kind(struct cedar_printer *p, enum cedar_policy_kind kind) {
  bool first = true;
  uint32_t i;

  for (i = 0; p->ok && i < p->store->policies.n; i++) {
    const struct cedar_policy *policy = &p->store->policies.at[i];

    if (policy->kind != kind)
      continue;
    cedar_puts(p, first ? "" : ",");
    first = false;
    if (kind == CEDAR_POLICY_LINK) {
      json_link(p, policy);
      continue;
    }
    json_sym(p, policy->id);
    cedar_puts(p, ":");
    json_policy(p, policy);
  }
}

enum cedar_status cedar_store_print_json(const struct cedar_store *store,
                                         const struct cedar_sink *sink) {
  struct cedar_printer p;

  if (!cedar_store_make_whole(store))
    return CEDAR_DAMAGED;
  cedar_printer_init(&p, store, NULL, *sink);
  cedar_puts(&p, "{\"staticPolicies\":{");
  json_kind(&p, CEDAR_POLICY_STATIC);
  cedar_puts(&p, "},\"templates\":{");
  json_kind(&p, CEDAR_POLICY_TEMPLATE);
  cedar_puts(&p, "},\"templateLinks\":[");
  json_kind(&p, CEDAR_POLICY_LINK);
  cedar_puts(&p, "]}\n");
  return p.ok ? CEDAR_OK : CEDAR_LIMIT;
}
