/*
 * Arguments: what stands behind the module's name on its pam.d line.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_ARGS_H
#define CX_PAM_ARGS_H

#include <cortexauth/error.h>
#include <stdbool.h>

struct cx_args {
  const char *service; /* borrowed from argv, as config */
  const char *config;
  bool debug;
};

/*
 * Reads the arguments against the option table. Anything unknown, repeated,
 * malformed or missing is an error: a typing mistake must not weaken a login.
 *
 *   out  args_out: strings borrowed from argv; without config= the default path
 *   out  error: CORTEX_CONFIG_INVALID naming the argument
 */
CORTEX_MUSTCHECK bool cx_args_parse(int argc, const char **argv, struct cx_args *args_out,
                                    struct cortex_error *error);

#endif
