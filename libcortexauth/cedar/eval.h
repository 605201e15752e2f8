/*
 * Evaluating expressions and scopes for one request.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_EVAL_H
#define CEDAR_EVAL_H

#include "request.h"

/* One of principal, action, resource: what a scope asks of it, looked up once. */
struct cedar_var_view {
  uint32_t uid;
  uint32_t type;
  const uint32_t *above; /* ancestors, sorted */
  uint32_t count;
};

/* Fields, sorted by key; flags is CEDAR_STORED for values of the store. */
struct cedar_fields_view {
  const struct cedar_field *at;
  uint32_t count;
  uint8_t flags;
};

/* What the store or the request knows of an entity. */
struct cedar_entity_view {
  struct cedar_fields_view attrs;
  struct cedar_fields_view tags;
  uint32_t uid;
  bool is_set;
  bool is_known;
};

/* Code that is in memory: all of it, or what was read of a bucket. */
struct cedar_window {
  const uint32_t *at;
  uint32_t first; /* its place */
  uint32_t n;
};

/*
 * One evaluation. A call that gives false has either met an error of the policy (message says
 * which) or the end of everything (fatal is not CEDAR_OK).
 */
struct cedar_eval {
  struct cedar_request *request;
  const struct cedar_store *store;
  struct cedar_var_view var[3];
  enum cedar_status fatal;
  uint32_t steps;
  uint32_t depth;
  uint32_t ahead; /* so much code is read with the first node of a body */
  uint32_t node;  /* where the error was met */
  struct cedar_window code;
  struct cedar_entity_view view[4]; /* of the variables, and of the entity that was asked last */
  char message[CEDAR_MAX_MESSAGE];
};

void cedar_eval_init(struct cedar_eval *e, struct cedar_request *request);

/* The value of an expression. */
CEDAR_MUST_CHECK bool cedar_eval_node(struct cedar_eval *e, uint32_t node, struct cedar_value *out);

/* The same, an error unless the value is a Bool. */
CEDAR_MUST_CHECK bool cedar_eval_bool(struct cedar_eval *e, uint32_t node, bool *out);

/* Whether a part of a policy's scope fits the request; cannot fail. */
bool cedar_ask_matches(const struct cedar_eval *e, const struct cedar_ask *ask, enum cedar_var var);
bool cedar_scope_matches(const struct cedar_eval *e, const struct cedar_scope *scope,
                         enum cedar_var var);
struct cedar_ask cedar_scope_ask(const struct cedar_scope *scope);

/* Whether all conditions of a policy hold; on success. */
CEDAR_MUST_CHECK bool cedar_eval_conditions(struct cedar_eval *e, uint32_t first, uint32_t count,
                                            bool *out);

/* The same for a policy with a single condition, by its node. */
CEDAR_MUST_CHECK bool cedar_eval_condition(struct cedar_eval *e, uint32_t cond, bool *out);

/* Whether a is b or below it. */
bool cedar_uid_in(const struct cedar_request *request, uint32_t a, uint32_t b);

/* Ends the evaluation for good; gives false. */
bool cedar_eval_fatal(struct cedar_eval *e, enum cedar_status status);

/* An error of the policy at the node under evaluation; gives false. */
__attribute__((format(printf, 2, 3))) bool cedar_eval_error(struct cedar_eval *e,
                                                            const char *format, ...);
bool cedar_eval_type_error(struct cedar_eval *e, const char *expected, struct cedar_value got);
const char *cedar_kind_name(unsigned int kind);

/* Whether a text matches a stored pattern. */
bool cedar_like(struct cedar_text text, struct cedar_text pattern);

/* Code, in the window mostly; NULL as cedar_code_get(). */
static inline const uint32_t *cedar_eval_code(const struct cedar_eval *e, uint32_t place,
                                              uint32_t units) {
  uint32_t at = place - e->code.first;

  return at < e->code.n && units <= e->code.n - at && units > 0
             ? e->code.at + at
             : cedar_code_get(e->store, place, units);
}

static inline const struct cedar_node *cedar_eval_place(const struct cedar_eval *e,
                                                        uint32_t place) {
  return (const struct cedar_node *)(const void *)cedar_eval_code(e, place, CEDAR_NODE_UNITS);
}

/* Whether a variable's entity is that one or below it. */
static inline bool cedar_var_in(const struct cedar_var_view *view, uint32_t uid) {
  return view->uid == uid || (view->count > 0 && cedar_ids_has(view->above, view->count, uid));
}

/* Attributes and tags of an entity; NULL when it is neither in the store nor the overlay. */
const struct cedar_entity_view *cedar_eval_entity(struct cedar_eval *e, uint32_t uid);

/* Kids of a node as an array; NULL (and fatal) when the image is damaged. */
const uint32_t *cedar_eval_kids(struct cedar_eval *e, uint32_t first, uint32_t count);

/* The operators of eval_ops.c; operands are evaluated already. */
bool cedar_op_in(struct cedar_eval *e, struct cedar_value left, struct cedar_value right,
                 bool *out);
bool cedar_op_binary(struct cedar_eval *e, unsigned int op, struct cedar_value left,
                     struct cedar_value right, struct cedar_value *out);
bool cedar_op_get(struct cedar_eval *e, struct cedar_value object, uint32_t key,
                  struct cedar_value *out);
bool cedar_op_has(struct cedar_eval *e, struct cedar_value object, const uint32_t *path,
                  uint32_t count, bool *out);
bool cedar_op_call(struct cedar_eval *e, unsigned int function, const struct cedar_value *args,
                   uint32_t count, struct cedar_value *out);

#endif
