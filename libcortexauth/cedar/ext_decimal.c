/*
 * decimal: fixed point, four fraction digits, in 64 bits.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "ext.h"

/* -?digits.digits, one to four behind the point. */
bool cedar_decimal_parse(struct cedar_text text, struct cedar_ext_value *out) {
  int64_t sign = 1, value = 0;
  size_t i = 0, whole = 0, fraction = 0;
  bool point = false;

  memset(out, 0, sizeof(*out));
  out->kind = CEDAR_KIND_DECIMAL;
  if (text.len > 0 && text.ptr[0] == '-') {
    sign = -1;
    i = 1;
  }
  for (; i < text.len; i++) {
    char c = text.ptr[i];

    if (c == '.' && !point && whole > 0) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9' || fraction == 4)
      return false;
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, sign * (c - '0'), &value))
      return false;
    if (point)
      fraction++;
    else
      whole++;
  }
  if (fraction == 0)
    return false;
  for (; fraction < 4; fraction++)
    if (__builtin_mul_overflow(value, 10, &value))
      return false;
  out->i = value;
  return true;
}
