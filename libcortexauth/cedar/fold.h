/*
 * Constants of policies, worked out at load.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_FOLD_H
#define CEDAR_FOLD_H

#include "store.h"

/*
 * When a SET, RECORD or constructor CALL holds constants only and cannot fail, stores its value
 * and notes the cell in the node; else leaves the node as it is.
 */
CEDAR_MUST_CHECK enum cedar_status cedar_fold(struct cedar_store *store,
                                              struct cedar_arena *scratch, uint32_t node);

/* The value of a constant node; false when it is none. */
bool cedar_node_constant(const struct cedar_store *store, const struct cedar_node *node,
                         struct cedar_value *value_out);

/* Appends values to the cells or fields and gives the set or record that they make. */
CEDAR_MUST_CHECK enum cedar_status cedar_store_put_set(struct cedar_store *store,
                                                       struct cedar_value *values, uint32_t count,
                                                       struct cedar_value *set_out);
CEDAR_MUST_CHECK enum cedar_status cedar_store_put_record(struct cedar_store *store,
                                                          const struct cedar_field *fields,
                                                          uint32_t count,
                                                          struct cedar_value *record_out);

struct cedar_ext_value;

/* The stored form of an extension value. */
CEDAR_MUST_CHECK enum cedar_status cedar_store_put_ext(struct cedar_store *store,
                                                       const struct cedar_ext_value *ext,
                                                       struct cedar_value *value_out);

#endif
