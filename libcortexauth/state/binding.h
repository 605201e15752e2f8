/*
 * Bindings: to which subject of which issuer a username belongs.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_STATE_BINDING_H
#define CX_STATE_BINDING_H

#include <cortexauth/binding.h>

#include "state/folder.h"

/*
 * Makes the identity the owner of its username unless somebody is.
 *   out  bound_out: this call did it
 *   gives  CORTEX_OK, CORTEX_SUBJECT_MISMATCH (another was first),
 *          CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_binding_claim(const struct cortex_settings *settings,
                                                     const struct cortex_identity *identity,
                                                     int64_t now, const struct cx_wait *wait,
                                                     bool *bound_out, struct cortex_error *error);

#endif
