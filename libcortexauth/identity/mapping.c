/*
 * From the name a credential carries to the username: maps, then case.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/quote.h"
#include "util/text.h"

#define VALUE_MAX 255     /* what a pattern is asked to match */
#define REPLACED_MAX 4096 /* nine groups of VALUE_MAX and the text between */
#define GROUPS 11         /* the match, the ERE in its own brackets, and \1 to \9 */

static char *replace(const char *replacement, const char *value, const regmatch_t groups[GROUPS]) {
  struct cx_buf name;
  const char *from;

  cx_buf_init(&name, REPLACED_MAX);
  for (from = replacement; *from != '\0'; from++) {
    if (from[0] == '\\' && from[1] >= '1' && from[1] <= '9') {
      const regmatch_t *group = &groups[*++from - '0' + 1];

      if (group->rm_so >= 0)
        cx_buf_put(&name, value + group->rm_so, (size_t)(group->rm_eo - group->rm_so));
    } else {
      if (from[0] == '\\' && from[1] != '\0')
        from++;
      cx_buf_put(&name, from, 1);
    }
  }
  return cx_buf_take(&name);
}

static enum cortex_reason apply_maps(const struct cx_maps *maps, const char *raw, size_t len,
                                     char **name_out, struct cortex_error *error) {
  char value[VALUE_MAX + 1];
  regmatch_t groups[GROUPS];
  size_t i;

  if (len > VALUE_MAX)
    return cx_error_set(error, CORTEX_BAD_USERNAME,
                        "the name has %zu bytes, a username_map takes at most %d", len, VALUE_MAX);
  memcpy(value, raw, len);
  value[len] = '\0';
  for (i = 0; i < maps->count; i++) {
    int answer = regexec(&maps->items[i].pattern, value, GROUPS, groups, 0);

    if (answer == REG_NOMATCH)
      continue;
    if (answer != 0) /* short of memory: the next map must not take its place */
      return cx_error_memory(error);
    *name_out = replace(maps->items[i].replacement, value, groups);
    return *name_out != NULL ? CORTEX_OK : cx_error_memory(error);
  }
  return cx_error_set(error, CORTEX_MISSING_USERNAME, "no username_map fits %s",
                      cx_quote(raw, len).text);
}

static bool is_username(const char *text, size_t len) {
  return len > 0 && cx_text_is_utf8(text, len) && !cx_text_has_control(text, len);
}

enum cortex_reason cx_identity_map(const struct cx_naming *naming, const char *raw, size_t len,
                                   char **username_out, struct cortex_error *error) {
  enum cortex_reason reason;
  char *name = NULL;

  *username_out = NULL;
  if (!is_username(raw, len))
    return cx_error_set(error, CORTEX_BAD_USERNAME,
                        "the name %s is empty, not UTF-8 or holds a control character",
                        cx_quote(raw, len).text);
  if (naming->maps.count > 0) {
    reason = apply_maps(&naming->maps, raw, len, &name, error);
    if (reason != CORTEX_OK)
      return reason;
  } else {
    name = strndup(raw, len);
    if (name == NULL)
      return cx_error_memory(error);
  }
  if (!is_username(name, strlen(name))) {
    free(name);
    return cx_error_set(error, CORTEX_BAD_USERNAME, "username_map makes of %s no username",
                        cx_quote(raw, len).text);
  }
  if (naming->lower)
    cx_text_lower(name);
  *username_out = name;
  return CORTEX_OK;
}
