/*
 * What the configuration says of roles just in time.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "just_in_time.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t"

bool jit_is_on(const struct cortex_settings *settings) {
  return strcmp(cortex_settings_value(settings, "roles", "jit"), "yes") == 0;
}

/* It has blanks between its words and nowhere else, and no quotes. */
bool jit_word(const struct cortex_settings *settings, const char *keyword, char *text,
              size_t size) {
  const char *word = cortex_settings_value(settings, "roles", "jit_conninfo");
  size_t head = strlen(keyword), len;

  for (; jit_is_on(settings) && *word != '\0'; word += len + strspn(word + len, BLANKS)) {
    len = strcspn(word, BLANKS);
    if (strncmp(word, keyword, head) == 0 && word[head] == '=')
      return snprintf(text, size, "%.*s", (int)(len - head - 1), word + head + 1) < (int)size;
  }
  return false;
}
