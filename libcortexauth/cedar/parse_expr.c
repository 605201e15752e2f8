/*
 * Expressions of the policy language, lowest precedence first.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "parser.h"

static uint32_t parse_add(struct cedar_parser *p);

/* The next node stands at the current token. */
static void place_here(struct cedar_parser *p) {
  p->b.place_line = p->token.line;
  p->b.place_column = p->token.column;
}

static void place_at(struct cedar_parser *p, const struct cedar_token *token) {
  p->b.place_line = token->line;
  p->b.place_column = token->column;
}

static bool depth_enter(struct cedar_parser *p) {
  if (p->depth == CEDAR_MAX_DEPTH) {
    cedar_build_fail(&p->b, CEDAR_LIMIT, p->token.line, p->token.column,
                     "expression is nested deeper than %d", CEDAR_MAX_DEPTH);
    return false;
  }
  p->depth++;
  return true;
}

/* Expr, Expr, ... [,] up to the closing sign, each pushed. */
static bool parse_list(struct cedar_parser *p, const char *close) {
  while (!cedar_parser_at(p, close)) {
    cedar_build_push(&p->b, cedar_parse_expr(p));
    if (!cedar_parser_take(p, ","))
      break;
  }
  return cedar_parser_expect(p, close);
}

/* The literal of a signless number; its negation when minus is set. */
static uint32_t parse_number(struct cedar_parser *p, bool minus) {
  struct cedar_token token = p->token;
  uint64_t value = 0, max = (uint64_t)INT64_MAX + (minus ? 1 : 0);
  size_t i;

  for (i = 0; i < token.text.len; i++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(token.text.ptr[i] - '0'), &value) || value > max)
      return cedar_build_fail(&p->b, CEDAR_INVALID, token.line, token.column,
                              "integer literal does not fit 64 bits");
  cedar_parser_next(p);
  return cedar_build_long(&p->b, (int64_t)(minus ? 0 - value : value));
}

/* { (IDENT | STRING) : Expr, ... [,] }; the brace is behind us. */
static bool record_key(struct cedar_parser *p, struct cedar_text *key) {
  if (p->token.kind == CEDAR_TOK_STRING)
    return cedar_parser_string(p, false, key);
  if (p->token.kind != CEDAR_TOK_IDENT || cedar_is_reserved(p->token.text)) {
    cedar_parser_expected(p, "an attribute name or a string");
    return false;
  }
  *key = p->token.text;
  cedar_parser_next(p);
  return true;
}

static bool key_repeats(const struct cedar_build *b, uint32_t mark, uint32_t key) {
  uint32_t i;

  for (i = mark; i < b->stack_n; i += 2)
    if (b->stack[i] == key)
      return true;
  return false;
}

static uint32_t parse_record(struct cedar_parser *p) {
  uint32_t mark = p->b.stack_n, sym;
  struct cedar_token open = p->token, at;
  struct cedar_text key;

  cedar_parser_next(p);
  while (!cedar_parser_at(p, "}")) {
    at = p->token;
    if (!record_key(p, &key) || !cedar_parser_expect(p, ":"))
      return CEDAR_NONE;
    sym = cedar_build_sym(&p->b, key);
    if (cedar_parser_ok(p) && key_repeats(&p->b, mark, sym))
      return cedar_build_fail(&p->b, CEDAR_INVALID, at.line, at.column,
                              "duplicate key in a record");
    cedar_build_push(&p->b, sym);
    cedar_build_push(&p->b, cedar_parse_expr(p));
    if (!cedar_parser_take(p, ","))
      break;
  }
  if (!cedar_parser_expect(p, "}"))
    return CEDAR_NONE;
  place_at(p, &open);
  return cedar_build_record(&p->b, mark);
}

static uint32_t parse_set(struct cedar_parser *p) {
  uint32_t mark = p->b.stack_n;
  struct cedar_token open = p->token;

  cedar_parser_next(p);
  if (!parse_list(p, "]"))
    return CEDAR_NONE;
  place_at(p, &open);
  return cedar_build_set(&p->b, mark);
}

/* NAME ( Expr, ... ): a constructor of an extension type. */
static uint32_t parse_function(struct cedar_parser *p, const struct cedar_path *path) {
  uint32_t mark = p->b.stack_n;
  int function = cedar_ext_find(path->name, false);

  if (function < 0)
    return cedar_build_fail(&p->b, CEDAR_INVALID, path->line, path->column,
                            cedar_ext_find(path->name, true) >= 0
                                ? "`%.*s` is a method, not a function"
                                : "`%.*s` is not a function",
                            (int)path->name.len, path->name.ptr);
  cedar_parser_next(p);
  if (!parse_list(p, ")"))
    return CEDAR_NONE;
  p->b.place_line = path->line;
  p->b.place_column = path->column;
  return cedar_build_call(&p->b, (unsigned int)function, mark);
}

/* What begins with a name: a variable, an entity, a function call. */
static uint32_t parse_name(struct cedar_parser *p) {
  static const char vars[][10] = {"principal", "action", "resource", "context"};
  struct cedar_path path;
  uint32_t uid, i;

  if (!cedar_parser_path(p, &path))
    return CEDAR_NONE;
  p->b.place_line = path.line;
  p->b.place_column = path.column;
  if (path.entity) {
    uid = cedar_parser_uid(p, &path);
    return cedar_build_node(&p->b, CEDAR_OP_ENTITY, uid, 0, 0);
  }
  for (i = 0; path.single && i < 4; i++)
    if (cedar_text_is(path.name, vars[i]))
      return cedar_build_node(&p->b, CEDAR_OP_VAR, i, 0, 0);
  if (cedar_parser_at(p, "("))
    return parse_function(p, &path);
  return cedar_build_fail(
      &p->b, CEDAR_INVALID, path.line, path.column,
      "`%.*s` is not a variable; a text needs quotes, an entity is written Type::\"id\"",
      (int)(path.name.len < 100 ? path.name.len : 100), path.name.ptr);
}

static uint32_t parse_parenthesized(struct cedar_parser *p) {
  uint32_t node;

  cedar_parser_next(p);
  node = cedar_parse_expr(p);
  return cedar_parser_expect(p, ")") ? node : CEDAR_NONE;
}

static uint32_t parse_string(struct cedar_parser *p) {
  struct cedar_text text;
  uint32_t sym;

  if (!cedar_parser_string(p, false, &text))
    return CEDAR_NONE;
  sym = cedar_build_sym(&p->b, text);
  return cedar_build_node(&p->b, CEDAR_OP_STRING, sym, 0, 0);
}

/* Primary := LITERAL | NAME... | '(' Expr ')' | '[' list ']' | '{' record '}' */
static uint32_t parse_primary(struct cedar_parser *p) {
  bool yes = cedar_parser_at(p, "true");

  place_here(p);
  if (yes || cedar_parser_at(p, "false")) {
    cedar_parser_next(p);
    return cedar_build_node(&p->b, CEDAR_OP_BOOL, yes, 0, 0);
  }
  if (p->token.kind == CEDAR_TOK_NUMBER)
    return parse_number(p, false);
  if (p->token.kind == CEDAR_TOK_STRING)
    return parse_string(p);
  if (cedar_parser_at(p, "("))
    return parse_parenthesized(p);
  if (cedar_parser_at(p, "["))
    return parse_set(p);
  if (cedar_parser_at(p, "{"))
    return parse_record(p);
  if (p->token.kind == CEDAR_TOK_SLOT)
    return cedar_build_fail(&p->b, CEDAR_INVALID, p->token.line, p->token.column,
                            "a slot may only stand in the scope of a policy");
  if (p->token.kind == CEDAR_TOK_IDENT && !cedar_is_reserved(p->token.text))
    return parse_name(p);
  return cedar_parser_expected(p, "an expression");
}

/* .NAME( Expr, ... ) on object; the parenthesis is the current token. */
static uint32_t parse_method(struct cedar_parser *p, uint32_t object,
                             const struct cedar_token *name) {
  unsigned int wanted = 0;
  enum cedar_op op = cedar_method_op(name->text, &wanted);
  int function = op == CEDAR_OP_NONE ? cedar_ext_find(name->text, true) : -1;
  uint32_t mark = p->b.stack_n, count, arg;

  if (op == CEDAR_OP_NONE && function < 0)
    return cedar_build_fail(&p->b, CEDAR_INVALID, name->line, name->column,
                            cedar_ext_find(name->text, false) >= 0
                                ? "`%.*s` is a function, not a method"
                                : "`%.*s` is not a method",
                            (int)name->text.len, name->text.ptr);
  cedar_parser_next(p);
  if (op == CEDAR_OP_NONE)
    cedar_build_push(&p->b, object);
  if (!parse_list(p, ")"))
    return CEDAR_NONE;
  place_at(p, name);
  if (op == CEDAR_OP_NONE)
    return cedar_build_call(&p->b, (unsigned int)function, mark);
  count = p->b.stack_n - mark;
  if (count != wanted)
    return cedar_build_fail(&p->b, CEDAR_INVALID, name->line, name->column,
                            "`%.*s` takes %u argument%s, not %u", (int)name->text.len,
                            name->text.ptr, wanted, wanted == 1 ? "" : "s", count);
  arg = count == 0 ? 0 : p->b.stack[mark];
  p->b.stack_n = mark;
  return cedar_build_node(&p->b, op, object, arg, 0);
}

/* .IDENT, .IDENT(...) */
static uint32_t parse_dot(struct cedar_parser *p, uint32_t object) {
  struct cedar_token name;
  uint32_t sym;

  cedar_parser_next(p);
  name = p->token;
  if (name.kind != CEDAR_TOK_IDENT || cedar_is_reserved(name.text))
    return cedar_parser_expected(p, "an attribute or method name");
  cedar_parser_next(p);
  if (cedar_parser_at(p, "("))
    return parse_method(p, object, &name);
  sym = cedar_build_sym(&p->b, name.text);
  place_at(p, &name);
  return cedar_build_node(&p->b, CEDAR_OP_GET, object, sym, 0);
}

/* ["name"] */
static uint32_t parse_index(struct cedar_parser *p, uint32_t object) {
  struct cedar_token open = p->token;
  struct cedar_text name;
  uint32_t sym;

  cedar_parser_next(p);
  if (p->token.kind != CEDAR_TOK_STRING)
    return cedar_parser_expected(p, "an attribute name in quotes");
  if (!cedar_parser_string(p, false, &name) || !cedar_parser_expect(p, "]"))
    return CEDAR_NONE;
  sym = cedar_build_sym(&p->b, name);
  place_at(p, &open);
  return cedar_build_node(&p->b, CEDAR_OP_GET, object, sym, 0);
}

/* Member := Primary ( '.' IDENT [ '(' list ')' ] | '[' STRING ']' )* */
static uint32_t parse_access(struct cedar_parser *p, uint32_t node) {
  while (cedar_parser_ok(p)) {
    if (cedar_parser_at(p, "."))
      node = parse_dot(p, node);
    else if (cedar_parser_at(p, "["))
      node = parse_index(p, node);
    else if (cedar_parser_at(p, "("))
      return cedar_parser_expected(p, "an operator; only functions and methods can be called");
    else
      break;
  }
  return node;
}

/* A `-` right before a number belongs to the literal, unless an access follows the number. */
static uint32_t parse_negative(struct cedar_parser *p, unsigned int *minus) {
  struct cedar_lexer ahead = p->lexer;
  struct cedar_token after = cedar_lexer_next(&ahead);

  if (p->token.kind != CEDAR_TOK_NUMBER || cedar_token_is(&after, ".") ||
      cedar_token_is(&after, "[") || cedar_token_is(&after, "("))
    return parse_access(p, parse_primary(p));
  (*minus)--;
  place_here(p);
  return parse_number(p, true);
}

/* Unary := ('!'{1,4} | '-'{1,4})? Member */
static uint32_t parse_unary(struct cedar_parser *p) {
  const char *sign = cedar_parser_at(p, "!") ? "!" : "-";
  struct cedar_token first = p->token;
  unsigned int count = 0;
  uint32_t node;

  while (cedar_parser_take(p, sign))
    if (++count > CEDAR_MAX_UNARY)
      return cedar_build_fail(&p->b, CEDAR_INVALID, first.line, first.column,
                              "more than %d `%s` in a row", CEDAR_MAX_UNARY, sign);
  if (count > 0 && *sign == '-')
    node = parse_negative(p, &count);
  else
    node = parse_access(p, parse_primary(p));
  for (; count > 0 && cedar_parser_ok(p); count--) {
    place_at(p, &first);
    node = cedar_build_node(&p->b, *sign == '!' ? CEDAR_OP_NOT : CEDAR_OP_NEG, node, 0, 0);
  }
  return node;
}

/* Mult := Unary ('*' Unary)* */
static uint32_t parse_mult(struct cedar_parser *p) {
  uint32_t node = parse_unary(p), right;
  struct cedar_token sign;

  while (cedar_parser_ok(p) && cedar_parser_at(p, "*")) {
    sign = p->token;
    cedar_parser_next(p);
    right = parse_unary(p);
    place_at(p, &sign);
    node = cedar_build_node(&p->b, CEDAR_OP_MUL, node, right, 0);
  }
  if (cedar_parser_ok(p) && (cedar_parser_at(p, "/") || cedar_parser_at(p, "%")))
    return cedar_parser_expected(p, "an operator; Cedar has no division and no remainder");
  return node;
}

/* Add := Mult (('+' | '-') Mult)* */
static uint32_t parse_add(struct cedar_parser *p) {
  uint32_t node = parse_mult(p), right;
  struct cedar_token sign;

  while (cedar_parser_ok(p) && (cedar_parser_at(p, "+") || cedar_parser_at(p, "-"))) {
    sign = p->token;
    cedar_parser_next(p);
    right = parse_mult(p);
    place_at(p, &sign);
    node = cedar_build_node(&p->b, *sign.text.ptr == '+' ? CEDAR_OP_ADD : CEDAR_OP_SUB, node, right,
                            0);
  }
  return node;
}

/* has (IDENT ('.' IDENT)* | STRING) */
static uint32_t parse_has(struct cedar_parser *p, uint32_t object, const struct cedar_token *sign) {
  uint32_t mark = p->b.stack_n, count, first;
  struct cedar_text name;

  if (p->token.kind == CEDAR_TOK_STRING) {
    if (!cedar_parser_string(p, false, &name))
      return CEDAR_NONE;
    cedar_build_push(&p->b, cedar_build_sym(&p->b, name));
  } else {
    do {
      if (p->token.kind != CEDAR_TOK_IDENT || cedar_is_reserved(p->token.text))
        return cedar_parser_expected(p, "an attribute name");
      cedar_build_push(&p->b, cedar_build_sym(&p->b, p->token.text));
      cedar_parser_next(p);
    } while (cedar_parser_take(p, "."));
  }
  count = p->b.stack_n - mark;
  first = cedar_build_kids(&p->b, mark);
  place_at(p, sign);
  return cedar_build_node(&p->b, CEDAR_OP_HAS, object, first, count);
}

static uint32_t parse_like(struct cedar_parser *p, uint32_t object,
                           const struct cedar_token *sign) {
  struct cedar_text pattern;
  uint32_t sym;

  if (p->token.kind != CEDAR_TOK_STRING)
    return cedar_parser_expected(p, "a pattern in quotes");
  if (!cedar_parser_string(p, true, &pattern))
    return CEDAR_NONE;
  sym = cedar_build_sym(&p->b, pattern);
  place_at(p, sign);
  return cedar_build_node(&p->b, CEDAR_OP_LIKE, object, sym, 0);
}

/* is TYPE [in Add] */
static uint32_t parse_is(struct cedar_parser *p, uint32_t object, const struct cedar_token *sign) {
  uint32_t type, in = CEDAR_NONE;
  struct cedar_path path;

  if (p->token.kind != CEDAR_TOK_IDENT)
    return cedar_parser_expected(p, "an entity type");
  if (!cedar_parser_path(p, &path))
    return CEDAR_NONE;
  if (path.entity)
    return cedar_build_fail(&p->b, CEDAR_INVALID, path.line, path.column,
                            "`is` takes an entity type, not an entity");
  type = cedar_build_sym(&p->b, path.name);
  if (cedar_parser_take(p, "in")) {
    in = parse_add(p);
    if (in == CEDAR_NONE)
      return CEDAR_NONE;
  }
  place_at(p, sign);
  return cedar_build_node(&p->b, CEDAR_OP_IS, object, type, in);
}

static enum cedar_op relation_op(const struct cedar_parser *p) {
  static const struct {
    char sign[5];
    enum cedar_op op;
  } signs[] = {{"==", CEDAR_OP_EQ}, {"in", CEDAR_OP_IN}, {"has", CEDAR_OP_HAS},
               {"!=", CEDAR_OP_NE}, {"<", CEDAR_OP_LT},  {"<=", CEDAR_OP_LE},
               {">", CEDAR_OP_GT},  {">=", CEDAR_OP_GE}, {"like", CEDAR_OP_LIKE},
               {"is", CEDAR_OP_IS}};
  size_t i;

  if (p->token.kind != CEDAR_TOK_PUNCT && p->token.kind != CEDAR_TOK_IDENT)
    return CEDAR_OP_NONE;
  for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
    if (cedar_parser_at(p, signs[i].sign))
      return signs[i].op;
  return CEDAR_OP_NONE;
}

/* Relation := Add [RELOP Add | has ... | like ... | is ...]; relations do not chain */
static uint32_t parse_relation(struct cedar_parser *p) {
  uint32_t node = parse_add(p), right;
  struct cedar_token sign = p->token;
  enum cedar_op op;

  if (!cedar_parser_ok(p))
    return CEDAR_NONE;
  op = relation_op(p);
  if (op == CEDAR_OP_NONE)
    return node;
  cedar_parser_next(p);
  if (op == CEDAR_OP_HAS) {
    node = parse_has(p, node, &sign);
  } else if (op == CEDAR_OP_LIKE) {
    node = parse_like(p, node, &sign);
  } else if (op == CEDAR_OP_IS) {
    node = parse_is(p, node, &sign);
  } else {
    right = parse_add(p);
    place_at(p, &sign);
    node = cedar_build_node(&p->b, op, node, right, 0);
  }
  if (cedar_parser_ok(p) && relation_op(p) != CEDAR_OP_NONE)
    return cedar_parser_expected(p, "no second comparison; use parentheses");
  return node;
}

/*
 * Pushes an operand of a chain. (a && b) && c is the same tree as a && b && c, so a chain in
 * first place is taken apart.
 */
static void operand_push(struct cedar_parser *p, enum cedar_op op, uint32_t mark, uint32_t node) {
  const struct cedar_node *n;
  uint32_t i;

  if (!cedar_parser_ok(p))
    return;
  n = cedar_node_at(p->b.store, node);
  if (p->b.stack_n != mark || n->op != op) {
    cedar_build_push(&p->b, node);
    return;
  }
  for (i = 0; i < n->b; i++)
    cedar_build_push(&p->b, p->b.store->code.at[n->a + i]);
}

/* And := Relation ('&&' Relation)* */
static uint32_t parse_and(struct cedar_parser *p) {
  uint32_t node = parse_relation(p), mark = p->b.stack_n;
  struct cedar_token sign = p->token;

  if (!cedar_parser_at(p, "&&"))
    return node;
  operand_push(p, CEDAR_OP_AND, mark, node);
  while (cedar_parser_ok(p) && cedar_parser_take(p, "&&"))
    cedar_build_push(&p->b, parse_relation(p));
  place_at(p, &sign);
  return cedar_build_chain(&p->b, CEDAR_OP_AND, mark);
}

/* Or := And ('||' And)* */
static uint32_t parse_or(struct cedar_parser *p) {
  uint32_t node = parse_and(p), mark = p->b.stack_n;
  struct cedar_token sign = p->token;

  if (!cedar_parser_at(p, "||"))
    return node;
  operand_push(p, CEDAR_OP_OR, mark, node);
  while (cedar_parser_ok(p) && cedar_parser_take(p, "||"))
    cedar_build_push(&p->b, parse_and(p));
  place_at(p, &sign);
  return cedar_build_chain(&p->b, CEDAR_OP_OR, mark);
}

/* if Expr then Expr else Expr; `if` is the current token */
static uint32_t parse_if(struct cedar_parser *p) {
  struct cedar_token word = p->token;
  uint32_t condition, yes, no;

  cedar_parser_next(p);
  condition = cedar_parse_expr(p);
  if (!cedar_parser_expect(p, "then"))
    return CEDAR_NONE;
  yes = cedar_parse_expr(p);
  if (!cedar_parser_expect(p, "else"))
    return CEDAR_NONE;
  no = cedar_parse_expr(p);
  place_at(p, &word);
  return cedar_build_node(&p->b, CEDAR_OP_IF, condition, yes, no);
}

/* Expr := if Expr then Expr else Expr | Or */
uint32_t cedar_parse_expr(struct cedar_parser *p) {
  uint32_t node;

  if (!cedar_parser_ok(p) || !depth_enter(p))
    return CEDAR_NONE;
  node = cedar_parser_at(p, "if") ? parse_if(p) : parse_or(p);
  p->depth--;
  return cedar_parser_ok(p) ? node : CEDAR_NONE;
}
