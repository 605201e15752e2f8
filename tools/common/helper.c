/*
 * Where the helper program of SAML is, for programs that people start.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "common/helper.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "cortex-saml"

/* From bin, from tools/cortexctl of a build, and from .libs below that. */
static const char *const places[] = {"../libexec", "../../libcortexauth", "../../../libcortexauth"};

static bool join(char *path, const char *folder, const char *place) {
  int len = snprintf(path, PATH_MAX, "%s/%s%s" NAME, folder, place, *place != '\0' ? "/" : "");

  return len > 0 && len < PATH_MAX;
}

/* The folder of the program that runs. */
static bool own_folder(char *folder) {
  ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);
  char *slash;

  if (len <= 0)
    return false;
  folder[len] = '\0';
  slash = strrchr(folder, '/');
  if (slash == NULL)
    return false;
  *slash = '\0';
  return true;
}

const char *helper_path(void) {
  static char path[PATH_MAX];
  const char *named = getenv("CORTEX_LIBEXECDIR");
  char folder[PATH_MAX];
  size_t i;

  if (named != NULL && *named != '\0')
    return join(path, named, "") ? path : NULL;
  if (!own_folder(folder))
    return NULL;
  for (i = 0; i < sizeof places / sizeof places[0]; i++)
    if (join(path, folder, places[i]) && access(path, X_OK) == 0)
      return path;
  return NULL;
}
