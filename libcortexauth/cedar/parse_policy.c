/*
 * Policies and templates: annotations, effect, scope, conditions.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "parser.h"

static const char *const var_names[] = {"principal", "action", "resource"};

/* '@' ANYIDENT [ '(' STRING ')' ] */
static void parse_annotation(struct cedar_parser *p, uint32_t first) {
  struct cedar_note note = {.bare = 1, .line = p->token.line, .column = p->token.column};
  struct cedar_text value = {"", 0};
  enum cedar_status status;
  uint32_t i;

  cedar_parser_next(p);
  if (p->token.kind != CEDAR_TOK_IDENT) {
    cedar_parser_expected(p, "an annotation's name");
    return;
  }
  note.key = cedar_build_sym(&p->b, p->token.text);
  for (i = first; cedar_parser_ok(p) && i < p->b.store->notes.n; i++)
    if (p->b.store->notes.at[i].key == note.key)
      cedar_build_fail(&p->b, CEDAR_INVALID, note.line, note.column, "duplicate annotation `@%.*s`",
                       (int)p->token.text.len, p->token.text.ptr);
  cedar_parser_next(p);
  if (cedar_parser_take(p, "(")) {
    note.bare = 0;
    if (!cedar_parser_string(p, false, &value) || !cedar_parser_expect(p, ")"))
      return;
  }
  note.value = cedar_build_sym(&p->b, value);
  if (!cedar_parser_ok(p))
    return;
  status = CEDAR_ROOM(p->b.store, notes, 1, CEDAR_MAX_ITEMS);
  if (status == CEDAR_OK)
    p->b.store->notes.at[p->b.store->notes.n++] = note;
  else
    cedar_build_status(&p->b, status);
}

/* NAME::"id", maybe in parentheses; gives the uid. */
static uint32_t parse_scope_entity(struct cedar_parser *p, enum cedar_var var) {
  struct cedar_path path;
  unsigned int open = 0;

  while (cedar_parser_take(p, "("))
    open++;
  if (p->token.kind != CEDAR_TOK_IDENT)
    return cedar_parser_expected(p, "an entity, Type::\"id\"");
  if (!cedar_parser_path(p, &path))
    return CEDAR_NONE;
  if (!path.entity)
    return cedar_build_fail(&p->b, CEDAR_INVALID, path.line, path.column,
                            "expected an entity, Type::\"id\"");
  if (var == CEDAR_ACTION && !cedar_is_action_type(path.name))
    return cedar_build_fail(&p->b, CEDAR_INVALID, path.line, path.column,
                            "an action must be of type Action, not `%.*s`",
                            (int)(path.name.len < 100 ? path.name.len : 100), path.name.ptr);
  for (; open > 0; open--)
    if (!cedar_parser_expect(p, ")"))
      return CEDAR_NONE;
  return cedar_parser_uid(p, &path);
}

/* An entity or the variable's own slot. */
static void parse_scope_target(struct cedar_parser *p, enum cedar_var var,
                               struct cedar_scope *scope) {
  if (p->token.kind != CEDAR_TOK_SLOT) {
    scope->uid = parse_scope_entity(p, var);
    return;
  }
  if (var == CEDAR_ACTION || p->token.text.len != strlen(var_names[var]) + 1 ||
      memcmp(p->token.text.ptr + 1, var_names[var], p->token.text.len - 1) != 0) {
    cedar_build_fail(&p->b, CEDAR_INVALID, p->token.line, p->token.column,
                     "`%.*s` cannot stand here",
                     (int)(p->token.text.len < 60 ? p->token.text.len : 60), p->token.text.ptr);
    return;
  }
  scope->slot = 1;
  cedar_parser_next(p);
}

/* '[' entity, ... [,] ']' */
static void parse_action_list(struct cedar_parser *p, struct cedar_scope *scope) {
  uint32_t mark = p->b.stack_n;

  cedar_parser_next(p);
  while (cedar_parser_ok(p) && !cedar_parser_at(p, "]")) {
    cedar_build_push(&p->b, parse_scope_entity(p, CEDAR_ACTION));
    if (!cedar_parser_take(p, ","))
      break;
  }
  if (!cedar_parser_expect(p, "]"))
    return;
  scope->op = CEDAR_SCOPE_LIST;
  scope->count = p->b.stack_n - mark;
  scope->uid = cedar_build_kids(&p->b, mark);
}

/* What follows `in`: a target or, for an action, a list; maybe in parentheses. */
static void parse_scope_in(struct cedar_parser *p, enum cedar_var var, struct cedar_scope *scope) {
  unsigned int open = 0;

  while (cedar_parser_take(p, "("))
    open++;
  if (var == CEDAR_ACTION && cedar_parser_at(p, "["))
    parse_action_list(p, scope);
  else
    parse_scope_target(p, var, scope);
  for (; open > 0 && cedar_parser_ok(p); open--)
    cedar_parser_expect(p, ")");
}

/* is TYPE [in target] */
static void parse_scope_is(struct cedar_parser *p, enum cedar_var var, struct cedar_scope *scope) {
  struct cedar_path path;

  if (var == CEDAR_ACTION) {
    cedar_parser_expected(p, "`==`, `in` or `,`; an action has no `is`");
    return;
  }
  cedar_parser_next(p);
  if (!cedar_parser_path(p, &path))
    return;
  if (path.entity) {
    cedar_build_fail(&p->b, CEDAR_INVALID, path.line, path.column,
                     "`is` takes an entity type, not an entity");
    return;
  }
  scope->op = CEDAR_SCOPE_IS;
  scope->type = cedar_build_sym(&p->b, path.name);
  if (cedar_parser_take(p, "in")) {
    scope->op = CEDAR_SCOPE_IS_IN;
    parse_scope_target(p, var, scope);
  }
}

/* VAR [ '==' target | 'in' target | 'is' TYPE ['in' target] ] */
static void parse_scope(struct cedar_parser *p, enum cedar_var var, struct cedar_scope *scope) {
  scope->line = p->token.line;
  scope->column = p->token.column;
  scope->type = CEDAR_NONE;
  scope->uid = CEDAR_NONE;
  if (!cedar_parser_expect(p, var_names[var]))
    return;
  if (cedar_parser_at(p, "is")) {
    parse_scope_is(p, var, scope);
  } else if (cedar_parser_take(p, "==")) {
    scope->op = CEDAR_SCOPE_EQ;
    parse_scope_target(p, var, scope);
  } else if (cedar_parser_take(p, "in")) {
    scope->op = CEDAR_SCOPE_IN;
    parse_scope_in(p, var, scope);
  }
}

/* (('when' | 'unless') '{' Expr '}')* ';' */
static void parse_conditions(struct cedar_parser *p, struct cedar_policy *policy) {
  uint32_t mark = p->b.stack_n, body;

  while (cedar_parser_ok(p) && !cedar_parser_at(p, ";")) {
    bool when = cedar_parser_at(p, "when");
    struct cedar_token word = p->token;

    if (!when && !cedar_parser_at(p, "unless")) {
      cedar_parser_expected(p, "`when`, `unless` or `;`");
      return;
    }
    cedar_parser_next(p);
    if (!cedar_parser_expect(p, "{"))
      return;
    body = cedar_parse_expr(p);
    if (!cedar_parser_expect(p, "}"))
      return;
    p->b.place_line = word.line;
    p->b.place_column = word.column;
    cedar_build_push(&p->b, cedar_build_condition(&p->b, when, body));
  }
  policy->cond_count = p->b.stack_n - mark;
  policy->conds = cedar_build_kids(&p->b, mark);
  cedar_parser_expect(p, ";");
}

/* Annotation* ('permit' | 'forbid') '(' scope ',' scope ',' scope [','] ')' condition* ';' */
static void parse_policy(struct cedar_parser *p, struct cedar_policy *policy) {
  unsigned int i;

  policy->line = p->token.line;
  policy->column = p->token.column;
  policy->notes = p->b.store->notes.n;
  while (cedar_parser_ok(p) && cedar_parser_at(p, "@"))
    parse_annotation(p, policy->notes);
  policy->note_count = p->b.store->notes.n - policy->notes;
  if (cedar_parser_take(p, "permit")) {
    policy->effect = CEDAR_PERMIT;
  } else if (!cedar_parser_take(p, "forbid")) {
    if (cedar_parser_ok(p))
      cedar_parser_expected(p, "`permit`, `forbid` or an annotation");
    return;
  }
  if (!cedar_parser_expect(p, "("))
    return;
  for (i = 0; i < 3 && cedar_parser_ok(p); i++) {
    if (i > 0 && !cedar_parser_expect(p, ","))
      return;
    parse_scope(p, (enum cedar_var)i, &policy->scope[i]);
  }
  cedar_parser_take(p, ",");
  if (!cedar_parser_expect(p, ")"))
    return;
  if (policy->scope[CEDAR_PRINCIPAL].slot || policy->scope[CEDAR_RESOURCE].slot)
    policy->kind = CEDAR_POLICY_TEMPLATE;
  parse_conditions(p, policy);
}

static enum cedar_status policies_parse(struct cedar_parser *p, enum cedar_id_mode mode) {
  uint32_t position = 0, source;
  enum cedar_status status;

  source = cedar_build_sym(&p->b, cedar_text_of(p->b.source->name));
  while (cedar_parser_ok(p) && p->token.kind != CEDAR_TOK_END) {
    struct cedar_policy policy = {.source = source, .id = CEDAR_NONE};

    parse_policy(p, &policy);
    if (!cedar_parser_ok(p))
      break;
    status = cedar_policy_name(p->b.store, &policy, mode, position++);
    if (status == CEDAR_OK)
      status = cedar_policy_put(p->b.store, &policy, p->b.error);
    if (status != CEDAR_OK)
      return cedar_build_status(&p->b, status), p->b.status;
  }
  return p->b.status;
}

enum cedar_status cedar_store_add_policies(struct cedar_store *store,
                                           const struct cedar_source *source,
                                           enum cedar_id_mode mode, struct cedar_error *error) {
  struct cedar_parser p;
  enum cedar_status status;

  if (!cedar_store_is_open(store, error))
    return CEDAR_MISUSE;
  cedar_parser_init(&p, store, source, error);
  status = policies_parse(&p, mode);
  cedar_parser_clear(&p);
  store->broken = status != CEDAR_OK;
  return status;
}
