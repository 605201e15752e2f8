/*
 * Types of expressions by Cedar's strict rules, for one kind of request at a time.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_TYPECHECK_H
#define CEDAR_TYPECHECK_H

#include "schema.h"
#include "store.h"

/* The one value types of `true` and `false`: BOOL like their supertype, known by address. */
extern const struct cedar_type cedar_type_true;
extern const struct cedar_type cedar_type_false;

/*
 * An expression as a capability names it: a node, then attributes of it. `x has a.b` speaks of
 * `x.a`, for which no node exists.
 */
struct cedar_subject {
  uint32_t node;
  const uint32_t *path; /* symbols */
  uint32_t count;
};

/* What is known to be there: an attribute (a symbol) or a tag (the node of its key). */
struct cedar_capability {
  struct cedar_subject subject;
  uint32_t key;
  bool tag;
  const struct cedar_capability *next;
};

/* What checking an expression gives. */
struct cedar_typed {
  const struct cedar_type *type;        /* NULL: it has none that could be known */
  bool good;                            /* no error in it */
  const struct cedar_capability *gains; /* hold when it is true; NULL unless good */
};

/* One kind of request, and of link when the policy is a template. */
struct cedar_environment {
  const struct cedar_schema_action *action;
  uint32_t action_uid; /* in the store, CEDAR_NONE when no policy names it */
  const struct cedar_type *principal;
  const struct cedar_type *resource;
  const struct cedar_type *slots[3]; /* by variable: type of its slot */
};

/* What a uid of the store stands for in the schema, found once. */
struct cedar_known {
  const struct cedar_type *type; /* NULL: neither an entity type nor an action is declared */
  const struct cedar_schema_action *action;
  bool done;
};

struct cedar_report;

struct cedar_checker {
  const struct cedar_store *store;
  const struct cedar_schema *schema;
  struct cedar_arena *scratch; /* types and capabilities of one environment */
  struct cedar_report *report;
  struct cedar_known *known; /* by uid of the store */
  enum cedar_status status;  /* CEDAR_OK, or that memory ended */
  const struct cedar_environment *env;
};

/* What an operand must be. */
enum cedar_want {
  CEDAR_WANT_BOOL,
  CEDAR_WANT_LONG,
  CEDAR_WANT_STRING,
  CEDAR_WANT_SET,
  CEDAR_WANT_ENTITY,
  CEDAR_WANT_ENTITIES, /* an entity or a set of them */
  CEDAR_WANT_FIELDS    /* an entity or a record */
};

/* ---- typecheck.c ---- */

/* Type of a node, given what is known (the capabilities of prior). */
struct cedar_typed cedar_check(struct cedar_checker *c, const struct cedar_capability *prior,
                               uint32_t node);

/* The same; an error when the type is not what is wanted. */
struct cedar_typed cedar_check_want(struct cedar_checker *c, const struct cedar_capability *prior,
                                    uint32_t node, enum cedar_want want);

/* Whether a policy's whole condition, scope included, may hold in the environment. */
struct cedar_typed cedar_check_policy(struct cedar_checker *c, const struct cedar_policy *policy);

struct cedar_typed cedar_typed_make(const struct cedar_type *type, bool good);
const struct cedar_node *cedar_check_node(const struct cedar_checker *c, uint32_t node);

/* Reports an error at a node. */
__attribute__((format(printf, 3, 4))) void cedar_check_error(struct cedar_checker *c, uint32_t node,
                                                             const char *format, ...);
__attribute__((format(printf, 4, 5))) void cedar_check_error_at(struct cedar_checker *c,
                                                                uint32_t line, uint32_t column,
                                                                const char *format, ...);

/* Zeroed memory of the environment; NULL sets the status. */
CEDAR_MUST_CHECK void *cedar_check_get(struct cedar_checker *c, size_t count, size_t size);

/* The text of a symbol, and its length for messages. */
struct cedar_text cedar_check_text(const struct cedar_checker *c, uint32_t sym);
int cedar_check_len(struct cedar_text text);

/* ---- typecheck_logic.c: && || ! if ---- */

struct cedar_typed cedar_check_logic(struct cedar_checker *c, const struct cedar_capability *prior,
                                     uint32_t node);

/* left && right, where right was checked with prior and left's gains. */
struct cedar_typed cedar_typed_and(struct cedar_checker *c, struct cedar_typed left,
                                   struct cedar_typed right);

/* ---- typecheck_access.c: attributes and tags ---- */

struct cedar_typed cedar_check_access(struct cedar_checker *c, const struct cedar_capability *prior,
                                      uint32_t node);

/* ---- typecheck_relation.c: == < in is contains like and arithmetic ---- */

struct cedar_typed cedar_check_relation(struct cedar_checker *c,
                                        const struct cedar_capability *prior, uint32_t node);

/* Types of one part of the head of a policy. */
struct cedar_typed cedar_check_scope(struct cedar_checker *c, const struct cedar_policy *policy,
                                     enum cedar_var var);

/* ---- typecheck_value.c: literals, variables, sets, records, extension calls ---- */

struct cedar_typed cedar_check_value(struct cedar_checker *c, const struct cedar_capability *prior,
                                     uint32_t node);

/* The type of an entity literal; NULL when its type or its action is not declared. */
const struct cedar_type *cedar_check_uid_type(const struct cedar_checker *c, uint32_t uid);

/* The declared action behind a uid, NULL when there is none. */
const struct cedar_schema_action *cedar_check_uid_action(const struct cedar_checker *c,
                                                         uint32_t uid);

/* ---- typecheck_type.c ---- */

bool cedar_type_is_bool(const struct cedar_type *type);

/* Whether a name's last part is `Action`. */
bool cedar_name_is_action(struct cedar_text name);

/* The type that both are strictly of; NULL when there is none (or no memory: see status). */
const struct cedar_type *cedar_type_join(struct cedar_checker *c, const struct cedar_type *a,
                                         const struct cedar_type *b);

/* Reports that two types do not fit together. */
void cedar_check_misfit(struct cedar_checker *c, uint32_t node, const char *what,
                        const struct cedar_type *a, const struct cedar_type *b);

/* ---- capability.c ---- */

/* Adds one; the old list stays as it is. */
const struct cedar_capability *cedar_capability_put(struct cedar_checker *c,
                                                    const struct cedar_capability *list,
                                                    const struct cedar_capability *one);

/* What is in either, or in both. */
const struct cedar_capability *cedar_capability_union(struct cedar_checker *c,
                                                      const struct cedar_capability *a,
                                                      const struct cedar_capability *b);
const struct cedar_capability *cedar_capability_common(struct cedar_checker *c,
                                                       const struct cedar_capability *a,
                                                       const struct cedar_capability *b);

bool cedar_capability_has(const struct cedar_checker *c, const struct cedar_capability *list,
                          const struct cedar_capability *one);

#endif
