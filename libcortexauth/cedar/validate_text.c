/*
 * Warnings about texts that are not what they look like: direction, mixed alphabets.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "script.h"
#include "validate.h"

/* Where a text stands, and whether it is a name: those may hold less. */
struct spot {
  uint32_t line;
  uint32_t column;
  bool name;
};

/* Most texts are ASCII, which is never odd but for control characters. */
static bool is_plain(struct cedar_text text) {
  size_t i;

  for (i = 0; i < text.len; i++)
    if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
      return false;
  return true;
}

static void warn(struct cedar_checker *c, struct spot spot, const char *what) {
  cedar_check_report(c, CEDAR_IS_WARNING, spot.line, spot.column, "the %s %s",
                     spot.name ? "name" : "text", what);
}

static void text_check(struct cedar_checker *c, struct cedar_text text, struct spot spot) {
  uint32_t odd;

  if (is_plain(text))
    return;
  odd = spot.name ? cedar_text_odd_character(text) : 0;
  if (cedar_text_has_bidi(text))
    warn(c, spot, "holds characters that change the direction of writing");
  else if (odd != 0)
    cedar_check_report(c, CEDAR_IS_WARNING, spot.line, spot.column,
                       "the name holds the character U+%04X, which is easily overlooked or taken "
                       "for another",
                       odd);
  else if (!cedar_text_is_single_script(text))
    warn(c, spot, "mixes letters of several writing systems");
}

static void uid_check(struct cedar_checker *c, uint32_t uid, struct spot spot) {
  spot.name = true;
  text_check(c, cedar_check_text(c, c->store->uids.at[uid].id), spot);
}

static void scope_check(struct cedar_checker *c, const struct cedar_scope *scope) {
  const struct spot spot = {scope->line, scope->column, true};
  uint32_t i;

  if (scope->op == CEDAR_SCOPE_LIST)
    for (i = 0; i < scope->count; i++)
      uid_check(c, c->store->code.at[scope->uid + i], spot);
  else if (scope->op != CEDAR_SCOPE_ANY && scope->op != CEDAR_SCOPE_IS && scope->slot == 0)
    uid_check(c, scope->uid, spot);
}

static void node_check(struct cedar_checker *c, uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  const uint32_t *kids = c->store->code.at;
  struct spot spot = {node->line, node->column, true};
  uint32_t i, kid;

  if (node->op == CEDAR_OP_ENTITY)
    uid_check(c, node->a, spot);
  else if (node->op == CEDAR_OP_GET)
    text_check(c, cedar_check_text(c, node->b), spot);
  for (i = 0; node->op == CEDAR_OP_HAS && i < node->c; i++)
    text_check(c, cedar_check_text(c, kids[node->b + i]), spot);
  for (i = 0; node->op == CEDAR_OP_RECORD && i < node->b; i++)
    text_check(c, cedar_check_text(c, kids[node->a + 2 * i]), spot);
  spot.name = false;
  if (node->op == CEDAR_OP_STRING)
    text_check(c, cedar_check_text(c, node->a), spot);
  else if (node->op == CEDAR_OP_LIKE)
    text_check(c, cedar_check_text(c, node->b), spot);
  for (i = 0; cedar_node_kid(c->store, node, i, &kid); i++)
    node_check(c, kid);
}

void cedar_check_texts(struct cedar_checker *c, const struct cedar_policy *policy) {
  uint32_t i;

  for (i = 0; i < 3; i++)
    scope_check(c, &policy->scope[i]);
  for (i = 0; i < policy->cond_count; i++)
    node_check(c, c->store->code.at[policy->conds + i]);
}
