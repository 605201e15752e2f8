/*
 * Names of levels.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/decision.h>

const char *cortex_level_name(unsigned level) {
  static const char *const names[] = {"read", "write", "admin", "assume"};
  size_t i;

  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    if (level == 1u << i)
      return names[i];
  return NULL;
}
