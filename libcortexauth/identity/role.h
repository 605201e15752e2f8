/*
 * Which names a credential may open as a PostgreSQL role.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_IDENTITY_ROLE_H
#define CX_IDENTITY_ROLE_H

#include "util/error.h"
#include "util/list.h"

/* NAMEDATALEN - 1: PostgreSQL cuts longer names, so two of them could meet in one role. */
#define CX_ROLE_MAX 63

/*
 * A role name has 1 to 63 bytes of valid UTF-8 without control characters and
 * "/", and is not protected: neither built in nor listed (exact, or "prefix*").
 *
 *   gives  CORTEX_OK, CORTEX_BAD_USERNAME, CORTEX_PROTECTED_ROLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_role_check(const char *role, const struct cx_list *protected,
                                                  struct cortex_error *error);

#endif
