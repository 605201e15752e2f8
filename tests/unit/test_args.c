/*
 * Arguments of the module's pam.d line.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

static void refused(int argc, const char **argv, const char *message) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_args args;

  assert_false(cx_args_parse(argc, argv, &args, &error));
  assert_int_equal(error.reason, CORTEX_CONFIG_INVALID);
  assert_string_equal(error.message, message);
}

static void all_arguments_are_read(void **state) {
  const char *argv[] = {"debug", "config=/etc/x=y.conf", "service=analytics-staging"};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_args args;

  (void)state;
  assert_true(cx_args_parse(COUNT(argv), argv, &args, &error));
  assert_string_equal(args.service, "analytics-staging");
  assert_string_equal(args.config, "/etc/x=y.conf");
  assert_true(args.debug);
  assert_int_equal(error.reason, CORTEX_OK);
}

static void service_alone_has_the_default_path(void **state) {
  const char *argv[] = {"service=a b/c"};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_args args;

  (void)state;
  assert_true(cx_args_parse(COUNT(argv), argv, &args, &error));
  assert_string_equal(args.service, "a b/c");
  assert_non_null(strstr(args.config, "/cortex/cortex.conf"));
  assert_int_equal(args.config[0], '/');
  assert_false(args.debug);
}

static void missing_service_is_refused(void **state) {
  const char *argv[] = {"debug"};

  (void)state;
  refused(0, NULL, "argument \"service=NAME\" in pam.d: is missing");
  refused(COUNT(argv), argv, "argument \"service=NAME\" in pam.d: is missing");
}

static void unknown_arguments_are_refused(void **state) {
  static const char *const unknown[] = {"",          "=",     "servic=a",       "services=a",
                                        "Service=a", "DEBUG", "use_first_pass", "nullok",
                                        "=service",  " debug"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    const char *argv[] = {"service=a", unknown[i]};
    char message[128];

    snprintf(message, sizeof message, "argument \"%s\" in pam.d: there is no such option",
             unknown[i]);
    refused(COUNT(argv), argv, message);
  }
}

static void repeated_arguments_are_refused(void **state) {
  const char *services[] = {"service=a", "service=a"};
  const char *configs[] = {"config=/a", "service=a", "config=/a"};
  const char *debugs[] = {"debug", "debug", "service=a"};

  (void)state;
  refused(COUNT(services), services, "argument \"service=a\" in pam.d: given twice");
  refused(COUNT(configs), configs, "argument \"config=/a\" in pam.d: given twice");
  refused(COUNT(debugs), debugs, "argument \"debug\" in pam.d: given twice");
}

static void malformed_values_are_refused(void **state) {
  static const struct {
    const char *argument;
    const char *form;
  } cases[] = {
      {"service", "service=NAME"},
      {"service=", "service=NAME"},
      {"service=a\nb", "service=NAME"},
      {"service=\x7f", "service=NAME"},
      {"config", "config=/PATH"},
      {"config=", "config=/PATH"},
      {"config=cortex.conf", "config=/PATH"},
      {"config=../x", "config=/PATH"},
      {"debug=", "debug"},
      {"debug=yes", "debug"},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *argv[] = {cases[i].argument};
    char message[128];

    snprintf(message, sizeof message, "argument \"%s\" in pam.d: must be written as %s",
             cases[i].argument, cases[i].form);
    refused(COUNT(argv), argv, message);
  }
}

static void oversized_values_are_refused(void **state) {
  char service[8 + 256 + 1] = "service=";
  char config[8 + 4096 + 1] = "config=/";
  const char *long_service[] = {service};
  const char *long_config[] = {"service=a", config};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_args args;

  (void)state;
  memset(service + 8, 'a', 256);
  assert_false(cx_args_parse(1, long_service, &args, &error));
  service[8 + 255] = '\0';
  assert_true(cx_args_parse(1, long_service, &args, &error));
  memset(config + 8, 'a', 4095);
  assert_false(cx_args_parse(2, long_config, &args, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_arguments_are_read),
      cmocka_unit_test(service_alone_has_the_default_path),
      cmocka_unit_test(missing_service_is_refused),
      cmocka_unit_test(unknown_arguments_are_refused),
      cmocka_unit_test(repeated_arguments_are_refused),
      cmocka_unit_test(malformed_values_are_refused),
      cmocka_unit_test(oversized_values_are_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
