/*
 * Policies as flat records: nodes name each other by index, so the tree can live in an image.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_AST_H
#define CEDAR_AST_H

#include "value.h"

enum cedar_op {
  CEDAR_OP_NONE = 0,
  CEDAR_OP_BOOL,     /* a: 0 or 1 */
  CEDAR_OP_LONG,     /* a: low, b: high half */
  CEDAR_OP_STRING,   /* a: symbol */
  CEDAR_OP_ENTITY,   /* a: uid */
  CEDAR_OP_VAR,      /* a: enum cedar_var */
  CEDAR_OP_AND,      /* a: first kid, b: count (2 or more), left to right */
  CEDAR_OP_OR,       /* same */
  CEDAR_OP_IF,       /* a: condition, b: then, c: else */
  CEDAR_OP_NOT,      /* a */
  CEDAR_OP_NEG,      /* a */
  CEDAR_OP_IS_EMPTY, /* a */
  /* binary: a, b; in the order of the names in op_name */
  CEDAR_OP_EQ,
  CEDAR_OP_NE,
  CEDAR_OP_LT,
  CEDAR_OP_LE,
  CEDAR_OP_GT,
  CEDAR_OP_GE,
  CEDAR_OP_ADD,
  CEDAR_OP_SUB,
  CEDAR_OP_MUL,
  CEDAR_OP_IN,
  CEDAR_OP_CONTAINS,
  CEDAR_OP_CONTAINS_ALL,
  CEDAR_OP_CONTAINS_ANY,
  CEDAR_OP_GET_TAG,
  CEDAR_OP_HAS_TAG,
  /* the rest */
  CEDAR_OP_GET,    /* a: object, b: symbol */
  CEDAR_OP_HAS,    /* a: object, b: first kid, c: count; kids are symbols, the path */
  CEDAR_OP_LIKE,   /* a: text, b: symbol of the pattern, CEDAR_WILDCARD bytes in it */
  CEDAR_OP_IS,     /* a: object, b: symbol of the type, c: entity after `in` or CEDAR_NONE */
  CEDAR_OP_SET,    /* a: first kid, b: count, c: cell of the constant or CEDAR_NONE */
  CEDAR_OP_RECORD, /* a: first kid, b: count of pairs (symbol, node), c: as with SET */
  CEDAR_OP_CALL,   /* flags: index in the extension table, a: first kid, b: count, c: as with SET;
                      a method's object is the first kid */
  CEDAR_OP_WHEN,   /* a: a policy's condition */
  CEDAR_OP_UNLESS, /* a */
  CEDAR_OP_VALUE,  /* a: position in a residue's values; never in a store */
  CEDAR_OP_COUNT
};

/* Stands for `*` in a stored pattern; never part of UTF-8. */
#define CEDAR_WILDCARD '\xff'

enum cedar_var { CEDAR_PRINCIPAL, CEDAR_ACTION, CEDAR_RESOURCE, CEDAR_CONTEXT };

struct cedar_node {
  uint8_t op;
  uint8_t flags;
  uint8_t height;  /* of the tree below, itself included; at most CEDAR_MAX_DEPTH */
  uint8_t context; /* 1: the variable `context` is somewhere below */
  uint32_t line;
  uint32_t column;
  uint32_t a;
  uint32_t b;
  uint32_t c;
};

enum cedar_scope_op {
  CEDAR_SCOPE_ANY = 0, /* principal */
  CEDAR_SCOPE_EQ,      /* principal == uid */
  CEDAR_SCOPE_IN,      /* principal in uid */
  CEDAR_SCOPE_IS,      /* principal is type */
  CEDAR_SCOPE_IS_IN,   /* principal is type in uid */
  CEDAR_SCOPE_LIST     /* action in [..]: uid is the first kid, count says how many uids */
};

/* One of principal, action, resource in the head of a policy. */
struct cedar_scope {
  uint8_t op;
  uint8_t slot; /* 1: the entity is this template's slot, uid is CEDAR_NONE */
  uint16_t pad;
  uint32_t line;
  uint32_t column;
  uint32_t type; /* symbol */
  uint32_t uid;
  uint32_t count;
};

/* What a scope asks of its variable, without the place. */
struct cedar_ask {
  uint8_t op;
  uint8_t pad[3];
  uint32_t type;
  uint32_t uid;
  uint32_t count;
};

struct cedar_note {
  uint32_t key;   /* symbols */
  uint32_t value; /* of the empty text when it has none */
  uint32_t bare;  /* 1: written without a value */
  uint32_t line;
  uint32_t column;
};

/* A link has its template's body by index; only its scope is its own. */
struct cedar_policy {
  uint32_t id;     /* symbol */
  uint32_t source; /* symbol of its name */
  uint32_t line;
  uint32_t column;
  uint8_t effect; /* enum cedar_effect */
  uint8_t kind;   /* enum cedar_policy_kind */
  uint16_t pad;
  uint32_t tmpl;  /* template of a link, else its own index */
  uint32_t conds; /* first kid; kids are WHEN and UNLESS nodes */
  uint32_t cond_count;
  uint32_t notes; /* first annotation */
  uint32_t note_count;
  struct cedar_scope scope[3]; /* indexed by enum cedar_var */
};

#endif
