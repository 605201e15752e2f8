/*
 * Values: 16 bytes each, sets and records kept sorted so that equal values look equal.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include <cortexauth/cedar.h>

/*
 * What the members of struct cedar_value mean:
 *   BOOL      u.i 0 or 1
 *   LONG      u.i
 *   STRING    u.id = symbol
 *   ENTITY    u.id = uid
 *   SET       n elements, sorted by cedar_value_compare(), no duplicates
 *   RECORD    n fields, sorted by key symbol
 *   DECIMAL   u.i = value * 10000
 *   DATETIME  u.i = ms since 1970
 *   DURATION  u.i = ms
 *   IPADDR    aux 4 or 6, n = prefix length; v4: u.i; v6: 16 raw bytes in one cell at u.set
 * With CEDAR_STORED, u.id is an index into the store's cells (fields for a record) in place of
 * the pointer.
 */
#define CEDAR_STORED 1U

#define CEDAR_NONE UINT32_MAX /* no symbol, uid, node, policy, entity */

/* A record's field. */
struct cedar_field {
	uint32_t key; /* symbol */
	uint32_t pad; /* zero */
	struct cedar_value value;
};

#endif
