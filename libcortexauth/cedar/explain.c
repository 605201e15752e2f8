/*
 * Why a request was denied: the permits that came closest, what failed in them, values seen.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "authorize.h"
#include "print.h"

#define MAX_OBSERVATIONS 8U
#define MAX_NEAR 64U

/* A permit on the short list. */
struct candidate {
  uint32_t policy;
  uint32_t matched;  /* scope parts that fit */
  uint32_t progress; /* conjuncts that held before the failing one */
  uint32_t clause;   /* node, or CEDAR_NONE when the scope failed */
  bool unless;       /* the clause was true and should not have been */
};

struct explainer {
  struct cedar_eval e;
  struct cedar_arena *work;
  struct candidate *near;
  uint32_t near_n;
  uint32_t near_max;
  struct cedar_observation *seen; /* of the near miss being described */
  uint32_t seen_n;
};

/* Finds the operand that decided: the first false one of `&&`, the first true one of `||`. */
static void conjunct_find(struct explainer *x, uint32_t body, struct candidate *c) {
  const struct cedar_node *n = cedar_node_get(x->e.store, body);
  bool want = c->unless, b = false;
  const uint32_t *kids;
  uint32_t i;

  c->clause = body;
  if (n == NULL || n->op != (want ? CEDAR_OP_OR : CEDAR_OP_AND))
    return;
  kids = cedar_eval_kids(&x->e, n->a, n->b);
  for (i = 0; kids != NULL && i < n->b; i++) {
    bool ok = cedar_eval_bool(&x->e, kids[i], &b);

    if (!ok || b == want) {
      if (cedar_node_get(x->e.store, kids[i]) != NULL)
        c->clause = kids[i];
      return;
    }
    c->progress++;
  }
}

/* The first condition of a policy that does not hold; false when all do. */
static bool condition_find(struct explainer *x, const struct cedar_policy *policy,
                           struct candidate *c) {
  const uint32_t *conds = cedar_eval_kids(&x->e, policy->conds, policy->cond_count);
  uint32_t i;

  for (i = 0; conds != NULL && i < policy->cond_count; i++) {
    const struct cedar_node *n = cedar_node_get(x->e.store, conds[i]);
    bool b = false;

    if (n == NULL)
      return false;
    x->e.steps = 0;
    x->e.node = CEDAR_NONE;
    x->e.message[0] = '\0';
    if (cedar_node_get(x->e.store, n->a) != NULL &&
        (!cedar_eval_bool(&x->e, n->a, &b) || b != (n->op == CEDAR_OP_WHEN))) {
      c->unless = n->op == CEDAR_OP_UNLESS;
      conjunct_find(x, n->a, c);
      return true;
    }
    c->progress++;
  }
  return false;
}

static bool nearer(const struct candidate *a, const struct candidate *b) {
  if (a->matched != b->matched)
    return a->matched > b->matched;
  return a->progress > b->progress;
}

/* Keeps the best few, best first; equal ones in policy order. */
static void near_put(struct explainer *x, const struct candidate *c) {
  uint32_t i;

  if (x->near_n == x->near_max) {
    if (x->near_max == 0 || !nearer(c, &x->near[x->near_n - 1]))
      return;
    x->near_n--;
  }
  for (i = x->near_n; i > 0 && nearer(c, &x->near[i - 1]); i--)
    x->near[i] = x->near[i - 1];
  x->near[i] = *c;
  x->near_n++;
}

static void permit_weigh(struct explainer *x, uint32_t index) {
  const struct cedar_policy *policy = &x->e.store->policies.at[index];
  struct candidate c = {.policy = index, .clause = CEDAR_NONE};
  struct cedar_mark mark;
  unsigned int i;

  for (i = 0; i < 3; i++)
    c.matched += cedar_scope_matches(&x->e, &policy->scope[i], (enum cedar_var)i);
  mark = cedar_arena_mark(x->work);
  if (c.matched < 3 || condition_find(x, policy, &c)) {
    cedar_arena_rewind(x->work, mark);
    near_put(x, &c);
    return;
  }
  cedar_arena_rewind(x->work, mark);
}

/* ---- describing ---- */

static const char *expr_text(struct explainer *x, uint32_t node) {
  struct cedar_printer p;
  struct cedar_buf buf;

  cedar_buf_init(&buf, x->work);
  cedar_printer_init(&p, x->e.store, x->e.request, cedar_buf_sink(&buf));
  cedar_put_expr(&p, node);
  return p.ok ? cedar_buf_text(&buf) : NULL;
}

static const char *value_text(struct explainer *x, struct cedar_value value) {
  struct cedar_printer p;
  struct cedar_buf buf;

  cedar_buf_init(&buf, x->work);
  cedar_printer_init(&p, x->e.store, x->e.request, cedar_buf_sink(&buf));
  cedar_put_value(&p, value);
  return p.ok ? cedar_buf_text(&buf) : NULL;
}

static void seen_put(struct explainer *x, const char *expression, const char *value) {
  uint32_t i;

  if (expression == NULL || value == NULL || x->seen_n == MAX_OBSERVATIONS)
    return;
  for (i = 0; i < x->seen_n; i++)
    if (strcmp(x->seen[i].expression, expression) == 0)
      return;
  x->seen[x->seen_n].expression = expression;
  x->seen[x->seen_n++].value = value;
}

static void seen_node(struct explainer *x, uint32_t node) {
  struct cedar_value value;

  x->e.steps = 0;
  seen_put(x, expr_text(x, node),
           cedar_eval_node(&x->e, node, &value) ? value_text(x, value) : "absent");
}

/* a has b.c: the attribute itself, named as a path. */
static void seen_has(struct explainer *x, const struct cedar_node *n) {
  const uint32_t *path = cedar_eval_kids(&x->e, n->b, n->c);
  struct cedar_value value;
  struct cedar_printer p;
  struct cedar_buf buf;
  bool there = cedar_eval_node(&x->e, n->a, &value);
  uint32_t i;

  cedar_buf_init(&buf, x->work);
  cedar_printer_init(&p, x->e.store, x->e.request, cedar_buf_sink(&buf));
  cedar_put_expr(&p, n->a);
  for (i = 0; path != NULL && i < n->c; i++) {
    struct cedar_text name = cedar_printer_sym(&p, path[i]);

    cedar_puts(&p, ".");
    cedar_put(&p, name.ptr, name.len);
    there = there && cedar_op_get(&x->e, value, path[i], &value);
  }
  if (p.ok)
    seen_put(x, cedar_buf_text(&buf), there ? value_text(x, value) : "absent");
}

/* How many operands a node has that are nodes, starting with a; IF has three. */
static uint32_t operand_count(unsigned int op) {
  if (op == CEDAR_OP_IF)
    return 3;
  if (op >= CEDAR_OP_EQ && op <= CEDAR_OP_HAS_TAG)
    return 2;
  if (op == CEDAR_OP_NOT || op == CEDAR_OP_NEG || op == CEDAR_OP_IS_EMPTY || op == CEDAR_OP_LIKE ||
      op == CEDAR_OP_IS)
    return 1;
  return 0;
}

/* Notes what a clause reads: variables, attributes, tags. */
static void seen_walk(struct explainer *x, uint32_t index, unsigned int depth) {
  const struct cedar_node *n = cedar_node_get(x->e.store, index);
  uint32_t operands[3], count, i;
  const uint32_t *kids;

  if (n == NULL || depth > CEDAR_MAX_DEPTH || x->seen_n == MAX_OBSERVATIONS)
    return;
  if (n->op == CEDAR_OP_VAR || n->op == CEDAR_OP_GET || n->op == CEDAR_OP_GET_TAG) {
    seen_node(x, index);
    return;
  }
  if (n->op == CEDAR_OP_HAS) {
    seen_has(x, n);
    return;
  }
  operands[0] = n->a;
  operands[1] = n->b;
  operands[2] = n->c;
  count = operand_count(n->op);
  for (i = 0; i < count; i++)
    seen_walk(x, operands[i], depth + 1);
  if (n->op == CEDAR_OP_IS && n->c != CEDAR_NONE)
    seen_walk(x, n->c, depth + 1);
  if (n->op != CEDAR_OP_AND && n->op != CEDAR_OP_OR && n->op != CEDAR_OP_SET &&
      n->op != CEDAR_OP_CALL)
    return;
  kids = cedar_eval_kids(&x->e, n->a, n->b);
  for (i = 0; kids != NULL && i < n->b; i++)
    seen_walk(x, kids[i], depth + 1);
}

/* Where a clause begins: its leftmost operand. */
static const struct cedar_node *leftmost(const struct explainer *x, uint32_t index) {
  const struct cedar_store *store = x->e.store;
  const struct cedar_node *n = cedar_node_at(store, index);
  unsigned int depth;

  for (depth = 0; depth < CEDAR_MAX_DEPTH; depth++) {
    uint32_t next = CEDAR_NONE;

    if (n->op == CEDAR_OP_AND || n->op == CEDAR_OP_OR ||
        (n->op == CEDAR_OP_CALL && n->flags < cedar_ext_count && cedar_ext_table[n->flags].method))
      next = n->b > 0 && n->a < store->code.n ? store->code.at[n->a] : CEDAR_NONE;
    else if ((n->op >= CEDAR_OP_IS_EMPTY && n->op <= CEDAR_OP_IS))
      next = n->a;
    if (cedar_node_get(store, next) == NULL)
      break;
    n = cedar_node_at(store, next);
  }
  return n;
}

static void describe_clause(struct explainer *x, const struct candidate *c,
                            struct cedar_near_miss *out) {
  const struct cedar_node *first = leftmost(x, c->clause);
  const char *message;
  bool b = false, ok;

  out->clause = expr_text(x, c->clause);
  out->line = first->line;
  out->column = first->column;
  x->e.steps = 0;
  x->e.message[0] = '\0';
  ok = cedar_eval_bool(&x->e, c->clause, &b);
  message = cedar_arena_dup(x->work, x->e.message, strlen(x->e.message));
  out->outcome = ok ? (b ? "was true" : "was false") : message;
  seen_walk(x, c->clause, 0);
}

static const char *ancestors_text(struct explainer *x, const struct cedar_var_view *view) {
  struct cedar_printer p;
  struct cedar_buf buf;
  uint32_t i;

  cedar_buf_init(&buf, x->work);
  cedar_printer_init(&p, x->e.store, x->e.request, cedar_buf_sink(&buf));
  cedar_puts(&p, "[");
  for (i = 0; i < view->count && i < 32; i++) {
    cedar_puts(&p, i > 0 ? ", " : "");
    cedar_put_uid(&p, view->above[i]);
  }
  cedar_puts(&p, i < view->count ? ", ...]" : "]");
  return p.ok ? cedar_buf_text(&buf) : NULL;
}

/* The first part of the scope that does not fit: who it is, and what it is in. */
static void describe_scope(struct explainer *x, const struct cedar_policy *policy,
                           struct cedar_near_miss *out) {
  static const char *const above[] = {"ancestors of principal", "ancestors of action",
                                      "ancestors of resource"};
  const struct cedar_scope *scope;
  struct cedar_printer p;
  struct cedar_buf buf;
  unsigned int i = 0;

  while (i < 2 && cedar_scope_matches(&x->e, &policy->scope[i], (enum cedar_var)i))
    i++;
  scope = &policy->scope[i];
  cedar_buf_init(&buf, x->work);
  cedar_printer_init(&p, x->e.store, x->e.request, cedar_buf_sink(&buf));
  cedar_put_scope(&p, scope, (enum cedar_var)i);
  out->clause = p.ok ? cedar_buf_text(&buf) : NULL;
  out->outcome = "was false";
  out->line = scope->line;
  out->column = scope->column;
  seen_put(x, cedar_var_name(i),
           value_text(x, cedar_value_symbol(CEDAR_KIND_ENTITY, x->e.var[i].uid)));
  if (scope->op != CEDAR_SCOPE_EQ && scope->op != CEDAR_SCOPE_IS)
    seen_put(x, above[i], ancestors_text(x, &x->e.var[i]));
}

static bool describe(struct explainer *x, const struct candidate *c, struct cedar_near_miss *out) {
  x->seen = cedar_arena_get_array(x->work, MAX_OBSERVATIONS, sizeof(*x->seen));
  x->seen_n = 0;
  if (x->seen == NULL)
    return cedar_eval_fatal(&x->e, CEDAR_LIMIT);
  out->policy = c->policy;
  out->matched = c->matched;
  if (c->clause == CEDAR_NONE)
    describe_scope(x, &x->e.store->policies.at[c->policy], out);
  else
    describe_clause(x, c, out);
  out->observations = x->seen;
  out->observation_count = x->seen_n;
  if (out->clause == NULL || out->outcome == NULL)
    return cedar_eval_fatal(&x->e, CEDAR_LIMIT);
  return true;
}

static enum cedar_status near_find(struct cedar_request *request, uint32_t max_near,
                                   struct cedar_explanation *out, struct cedar_error *error) {
  struct explainer x = {.work = &request->work};
  struct cedar_near_miss *list;
  uint32_t i;

  if (!cedar_store_make_whole(request->store))
    return cedar_error_plain(error, CEDAR_DAMAGED, "the policy image cannot be read");
  cedar_eval_init(&x.e, request);
  x.near_max = max_near < MAX_NEAR ? max_near : MAX_NEAR;
  x.near = cedar_arena_get_array(x.work, x.near_max, sizeof(*x.near));
  list = cedar_arena_get_array(x.work, x.near_max, sizeof(*list));
  if (x.near == NULL || list == NULL)
    cedar_eval_fatal(&x.e, CEDAR_LIMIT);
  for (i = 0; x.e.fatal == CEDAR_OK && i < request->store->policies.n; i++) {
    const struct cedar_policy *policy = &request->store->policies.at[i];

    if (policy->effect == CEDAR_PERMIT && policy->kind != CEDAR_POLICY_TEMPLATE)
      permit_weigh(&x, i);
  }
  for (i = 0; x.e.fatal == CEDAR_OK && i < x.near_n; i++)
    describe(&x, &x.near[i], &list[i]);
  if (x.e.fatal != CEDAR_OK)
    return cedar_eval_report(&x.e, error);
  out->near = list;
  out->near_count = x.near_n;
  return CEDAR_OK;
}

enum cedar_status cedar_explain(struct cedar_request *request, uint32_t max_near,
                                struct cedar_explanation *explanation_out,
                                struct cedar_error *error) {
  enum cedar_status status;

  memset(explanation_out, 0, sizeof(*explanation_out));
  status = cedar_authorize(request, &explanation_out->answer, error);
  if (status != CEDAR_OK || explanation_out->answer.decision == CEDAR_ALLOW ||
      explanation_out->answer.reason_count > 0)
    return status;
  status = near_find(request, max_near, explanation_out, error);
  if (status != CEDAR_OK)
    memset(explanation_out, 0, sizeof(*explanation_out));
  return status;
}
