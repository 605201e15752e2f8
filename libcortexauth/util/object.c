/*
 * Parts of the library in shared objects of their own, loaded when the first login needs one.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h> /* dladdr is GNU's */

#include "util/object.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * PostgreSQL's server exports thousands of functions, and some share a name with one of a
 * library (json_object of a JSON library, pqsignal of libpq): what is loaded here asks its own
 * libraries first. The sanitizers' runtime refuses that; it never runs in a server.
 */
#if defined(__SANITIZE_ADDRESS__)
#define CX_DEEPBIND 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CX_DEEPBIND 0
#endif
#endif
#ifndef CX_DEEPBIND
#define CX_DEEPBIND RTLD_DEEPBIND
#endif

/* An address of this library, which tells where it was loaded from. */
static const char here;

static bool make_path(const char *name, char *path, size_t size) {
  Dl_info info;
  const char *slash;
  int len;

  /* A relative name would be looked for in the server's data directory. */
  if (dladdr(&here, &info) == 0 || info.dli_fname[0] != '/')
    return false;
  slash = strrchr(info.dli_fname, '/');
  len = snprintf(path, size, "%.*s/libcortexauth-%s.so", (int)(slash - info.dli_fname),
                 info.dli_fname, name);
  return len > 0 && (size_t)len < size;
}

enum cortex_reason cx_object_find(const char *name, const char *symbol, cx_object_call **call_out,
                                  struct cortex_error *error) {
  char path[PATH_MAX];
  void *object, *found;

  *call_out = NULL;
  if (!make_path(name, path, sizeof path))
    return cx_error_set(error, CORTEX_CONFIG_INVALID,
                        "libcortexauth was loaded by a relative path");
  object = dlopen(path, RTLD_NOW | RTLD_LOCAL | CX_DEEPBIND);
  found = object != NULL ? dlsym(object, symbol) : NULL;
  if (found == NULL)
    return cx_error_set(error, CORTEX_CONFIG_INVALID, "%s", dlerror());
  memcpy(call_out, &found, sizeof found); /* ISO C has no cast from data to code */
  return CORTEX_OK;
}
