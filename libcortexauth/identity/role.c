/*
 * Which names a credential may open as a PostgreSQL role.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "identity/role.h"

#include <string.h>

#include "util/text.h"

static bool fits(const char *pattern, const char *role) {
  size_t len = strlen(pattern);

  if (len > 0 && pattern[len - 1] == '*')
    return strncmp(pattern, role, len - 1) == 0;
  return strcmp(pattern, role) == 0;
}

/* Ours are so in any letter case: nobody is to be taken for one of them. */
static bool is_protected(const char *role, size_t len, const struct cx_list *protected) {
  static const char *const built_in[] = {"pg_*", "postgres", "cortex_*", "public", "none"};
  char lower[CX_ROLE_MAX + 1];
  size_t i;

  memcpy(lower, role, len + 1);
  cx_text_lower(lower);
  for (i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
    if (fits(built_in[i], lower))
      return true;
  for (i = 0; i < protected->count; i++)
    if (fits(protected->items[i], role))
      return true;
  return false;
}

enum cortex_reason cx_role_check(const char *role, const struct cx_list *protected,
                                 struct cortex_error *error) {
  size_t len = strlen(role);

  if (len == 0 || len > CX_ROLE_MAX)
    return cx_error_set(error, CORTEX_BAD_USERNAME, "a role name has 1 to %d bytes, not %zu",
                        CX_ROLE_MAX, len);
  if (!cx_text_is_utf8(role, len) || cx_text_has_control(role, len))
    return cx_error_set(error, CORTEX_BAD_USERNAME,
                        "a role name is UTF-8 without control characters");
  if (strchr(role, '/') != NULL)
    return cx_error_set(error, CORTEX_BAD_USERNAME, "a username has no \"/\"");
  if (is_protected(role, len, protected))
    return cx_error_set(error, CORTEX_PROTECTED_ROLE, "\"%s\" is a protected role", role);
  return CORTEX_OK;
}
