/*
 * Parts of the library in shared objects of their own, loaded when the first login needs one.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_OBJECT_H
#define CX_UTIL_OBJECT_H

#include "util/error.h"

typedef void cx_object_call(void);

/*
 * Finds a call in libcortexauth-NAME.so, which stands beside libcortexauth.so: whoever can put
 * another one there could exchange the library itself. It stays loaded.
 *
 *   out  call_out: to be cast to its type; NULL on failure
 *   gives  CORTEX_OK, CORTEX_CONFIG_INVALID when it is not installed or does not fit
 */
CORTEX_MUSTCHECK enum cortex_reason cx_object_find(const char *name, const char *symbol,
                                                   cx_object_call **call_out,
                                                   struct cortex_error *error);

#endif
