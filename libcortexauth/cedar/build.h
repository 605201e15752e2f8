/*
 * Building policies: nodes, lists, constants; the text and the JSON parser share it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_BUILD_H
#define CEDAR_BUILD_H

#include "ext.h"
#include "store.h"

/*
 * The state of one parse. Once status is not CEDAR_OK every call gives CEDAR_NONE, so that callers
 * may check at the end of a construct.
 */
struct cedar_build {
  struct cedar_store *store;
  const struct cedar_source *source;
  struct cedar_error *error;
  enum cedar_status status;
  struct cedar_arena arena; /* scratch of the parse */
  uint32_t *stack;          /* numbers of lists that are not complete yet */
  uint32_t stack_n;
  uint32_t stack_cap;
  struct cedar_places places; /* of a JSON source */
  uint32_t place_line;        /* where the next node stands */
  uint32_t place_column;
};

void cedar_build_init(struct cedar_build *b, struct cedar_store *store,
                      const struct cedar_source *source, struct cedar_error *error);
void cedar_build_clear(struct cedar_build *b);

/* Records a failure at a line and column; gives CEDAR_NONE. */
__attribute__((format(printf, 5, 6))) uint32_t cedar_build_fail(struct cedar_build *b,
                                                                enum cedar_status status,
                                                                uint32_t line, uint32_t column,
                                                                const char *format, ...);

/* Records a status without a place of its own (no memory, a ceiling); gives CEDAR_NONE. */
uint32_t cedar_build_status(struct cedar_build *b, enum cedar_status status);

uint32_t cedar_build_sym(struct cedar_build *b, struct cedar_text text);
uint32_t cedar_build_uid(struct cedar_build *b, uint32_t type, struct cedar_text id);

/* A node at the current place; its height follows from its operands. */
uint32_t cedar_build_node(struct cedar_build *b, enum cedar_op op, uint32_t x, uint32_t y,
                          uint32_t z);
uint32_t cedar_build_long(struct cedar_build *b, int64_t value);

/* List items are pushed, then moved to the store's kids from mark on; gives the first kid. */
void cedar_build_push(struct cedar_build *b, uint32_t item);
uint32_t cedar_build_kids(struct cedar_build *b, uint32_t mark);

/* AND or OR over the items pushed since mark; a single item stays as it is. */
uint32_t cedar_build_chain(struct cedar_build *b, enum cedar_op op, uint32_t mark);

/* SET, RECORD (pairs of symbol and node) and CALL over the items pushed since mark. */
uint32_t cedar_build_set(struct cedar_build *b, uint32_t mark);
uint32_t cedar_build_record(struct cedar_build *b, uint32_t mark);
uint32_t cedar_build_call(struct cedar_build *b, unsigned int function, uint32_t mark);

/* A WHEN or UNLESS around a body; it may stand on the highest tree there is. */
uint32_t cedar_build_condition(struct cedar_build *b, bool when, uint32_t body);

/* The operator behind a method name with the number of its arguments; CEDAR_OP_NONE: no builtin. */
enum cedar_op cedar_method_op(struct cedar_text name, unsigned int *args_out);
const char *cedar_method_name(enum cedar_op op);

#endif
