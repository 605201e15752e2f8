/*
 * The decrypting object linked in, where a test has the library's archive and not the library.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stddef.h>

#include "oidc/jwe_decrypt.h"
#include "util/object.h"

enum cortex_reason cx_object_find(const char *name, const char *symbol, cx_object_call **call_out,
                                  struct cortex_error *error) {
  (void)name;
  (void)symbol;
  (void)error;
  *call_out = (cx_object_call *)cx_jwe_decrypt;
  return CORTEX_OK;
}
