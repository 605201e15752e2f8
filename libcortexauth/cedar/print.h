/*
 * Trees and values back to text.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_PRINT_H
#define CEDAR_PRINT_H

#include "request.h"

/* Nodes beside the store's: what partial evaluation leaves. Numbers go on from the store's. */
struct cedar_residue {
  struct cedar_node *nodes;
  uint32_t node_n;
  uint32_t node_cap;
  uint32_t *kids;
  uint32_t kid_n;
  uint32_t kid_cap;
  struct cedar_value *values;
  uint32_t value_n;
  uint32_t value_cap;
};

/* ok turns false when the sink stops or an image is damaged. */
struct cedar_printer {
  const struct cedar_store *store;
  const struct cedar_request *request; /* NULL: names of the store only */
  const struct cedar_residue *residue; /* NULL: nodes of the store only */
  struct cedar_sink sink;
  unsigned int depth;
  bool ok;
};

void cedar_printer_init(struct cedar_printer *p, const struct cedar_store *store,
                        const struct cedar_request *request, struct cedar_sink sink);

void cedar_put(struct cedar_printer *p, const char *bytes, size_t len);
void cedar_puts(struct cedar_printer *p, const char *string);
void cedar_put_long(struct cedar_printer *p, int64_t i);

/* A symbol's bytes; a bad number ends the printing. */
struct cedar_text cedar_printer_sym(struct cedar_printer *p, uint32_t sym);

/* A node by number, NULL (and the end) when it is bad. */
const struct cedar_node *cedar_printer_node(struct cedar_printer *p, uint32_t node);
const uint32_t *cedar_printer_kids(struct cedar_printer *p, uint32_t first, uint32_t count);

/* Texts with quotes around: Cedar's escapes, a pattern's, JSON's. */
void cedar_put_string(struct cedar_printer *p, struct cedar_text text);
void cedar_put_pattern(struct cedar_printer *p, struct cedar_text pattern);
void cedar_put_json_string(struct cedar_printer *p, struct cedar_text text);

void cedar_put_uid(struct cedar_printer *p, uint32_t uid);
void cedar_put_value(struct cedar_printer *p, struct cedar_value value);

/* An expression, with parentheses only where they are needed. */
void cedar_put_expr(struct cedar_printer *p, uint32_t node);

/* principal in Group::"x": one part of a scope, the variable with it. */
void cedar_put_scope(struct cedar_printer *p, const struct cedar_scope *scope, enum cedar_var var);

/* "==" and the like, NULL for what is no binary sign. */
const char *cedar_op_sign(unsigned int op);
const char *cedar_var_name(uint32_t var);

#endif
