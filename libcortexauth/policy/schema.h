/*
 * The schema of Cortex's policies: policy/cortex.cedarschema, compiled in.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_SCHEMA_H
#define CX_POLICY_SCHEMA_H

#include <stddef.h>

/* For messages, where it has no path. */
#define CX_SCHEMA_NAME "cortex.cedarschema"

extern const char cx_schema_text[];
extern const size_t cx_schema_len;
extern const char cx_schema_digest[]; /* SHA-256 of the text, CX_HASH_HEX digits */

#endif
