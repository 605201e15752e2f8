/*
 * Policies as canonical Cedar text.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "print.h"

static void put_notes(struct cedar_printer *p, const struct cedar_policy *policy) {
  struct cedar_text key;
  uint32_t i;

  if (policy->notes > p->store->notes.n || policy->note_count > p->store->notes.n - policy->notes) {
    p->ok = false;
    return;
  }
  for (i = 0; p->ok && i < policy->note_count; i++) {
    const struct cedar_note *note = &p->store->notes.at[policy->notes + i];

    key = cedar_printer_sym(p, note->key);
    cedar_puts(p, "@");
    cedar_put(p, key.ptr, key.len);
    if (!note->bare) {
      cedar_puts(p, "(");
      cedar_put_string(p, cedar_printer_sym(p, note->value));
      cedar_puts(p, ")");
    }
    cedar_puts(p, "\n");
  }
}

/* One line when the policy asks for nothing, else one line for each part. */
static void put_head(struct cedar_printer *p, const struct cedar_policy *policy) {
  bool any = true;
  unsigned int i;

  for (i = 0; i < 3; i++)
    any = any && policy->scope[i].op == CEDAR_SCOPE_ANY;
  cedar_puts(p, policy->effect == CEDAR_PERMIT ? "permit (" : "forbid (");
  for (i = 0; i < 3; i++) {
    cedar_puts(p, any ? (i > 0 ? ", " : "") : (i > 0 ? ",\n  " : "\n  "));
    cedar_put_scope(p, &policy->scope[i], (enum cedar_var)i);
  }
  cedar_puts(p, any ? ")" : "\n)");
}

/* A conjunction gets a line for each operand. */
static void put_body(struct cedar_printer *p, uint32_t body) {
  const struct cedar_node *n = cedar_printer_node(p, body);
  const uint32_t *kids;
  uint32_t i;

  if (n == NULL)
    return;
  if (n->op != CEDAR_OP_AND) {
    cedar_puts(p, " { ");
    cedar_put_expr(p, body);
    cedar_puts(p, " }");
    return;
  }
  kids = cedar_printer_kids(p, n->a, n->b);
  cedar_puts(p, " {\n  ");
  for (i = 0; p->ok && i < n->b; i++) {
    const struct cedar_node *kid = cedar_printer_node(p, kids[i]);
    bool wrap = kid != NULL &&
                (kid->op == CEDAR_OP_AND || kid->op == CEDAR_OP_OR || kid->op == CEDAR_OP_IF);

    if (i > 0)
      cedar_puts(p, " &&\n  ");
    cedar_puts(p, wrap ? "(" : "");
    cedar_put_expr(p, kids[i]);
    cedar_puts(p, wrap ? ")" : "");
  }
  cedar_puts(p, "\n}");
}

static void put_conditions(struct cedar_printer *p, const struct cedar_policy *policy) {
  const uint32_t *conds = cedar_printer_kids(p, policy->conds, policy->cond_count);
  uint32_t i;

  for (i = 0; p->ok && i < policy->cond_count; i++) {
    const struct cedar_node *n = cedar_printer_node(p, conds[i]);

    if (n == NULL)
      return;
    cedar_puts(p, n->op == CEDAR_OP_WHEN ? "\nwhen" : "\nunless");
    put_body(p, n->a);
  }
}

enum cedar_status cedar_policy_print(const struct cedar_store *store, uint32_t index,
                                     const struct cedar_sink *sink) {
  struct cedar_printer p;

  if (index >= store->policies.n)
    return CEDAR_MISUSE;
  if (!cedar_store_make_whole(store))
    return CEDAR_DAMAGED;
  cedar_printer_init(&p, store, NULL, *sink);
  put_notes(&p, &store->policies.at[index]);
  put_head(&p, &store->policies.at[index]);
  put_conditions(&p, &store->policies.at[index]);
  cedar_puts(&p, ";\n");
  return p.ok ? CEDAR_OK : CEDAR_LIMIT;
}
