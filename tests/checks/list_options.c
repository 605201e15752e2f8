/*
 * Prints every option of the library's table: section and key.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/settings.h>
#include <stdio.h>

int main(void) {
  struct cortex_option option;
  size_t i;

  for (i = 0; cortex_option_get(i, &option); i++)
    printf("%s %s\n", option.section, option.key);
  return i > 0 ? 0 : 1;
}
