/*
 * The kinds of directories.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source.h"

#include <string.h>

static const struct source_kind *const kinds[] = {&source_file, &source_ldap, &source_scim};

const struct source_kind *source_find(const char *name) {
  size_t i;

  for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i]->name, name) == 0)
      return kinds[i];
  return NULL;
}
