/*
 * What the module's tests share: cmocka, the fakes, one stack for each test.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef RETVAL_MODULE_H
#define RETVAL_MODULE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_login.h"
#include "fake_syslog.h"
#include "stack.h"

#define TOKEN "eyJhbGciOiJSUzI1NiJ9.tokenmarker"
#define BOTH "auth required @ service=a\naccount required @ service=a\n"

static inline int setup(void **state) {
  static struct stack stack;

  *state = &stack;
  memset(&fake_syslog, 0, sizeof fake_syslog);
  fake_login_set(CORTEX_ALLOW, CORTEX_OK, NULL);
  if (!stack_init(&stack) || !stack_service(&stack, "both", BOTH))
    return -1;
  stack.conv.answer = TOKEN;
  return 0;
}

static inline int teardown(void **state) {
  stack_clear(*state);
  return 0;
}

/* Starts a service made of these lines for alice. */
static inline pam_handle_t *start(struct stack *stack, const char *lines) {
  assert_true(stack_service(stack, "service", lines));
  assert_int_equal(stack_start(stack, "service", "alice"), PAM_SUCCESS);
  return stack->pamh;
}

#define module_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
