/*
 * PAM_RHOST: numeric addresses and everything else.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void no_host_is_local(void **state) {
  static const char *const hosts[] = {NULL, "", "unix"};
  char address[INET6_ADDRSTRLEN];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
    assert_int_equal(cx_address_parse(hosts[i], address), CX_ADDRESS_LOCAL);
    assert_string_equal(address, "");
  }
}

static void numeric_addresses_come_out_without_zone(void **state) {
  static const char *const cases[][2] = {
      {"127.0.0.1", "127.0.0.1"},       {"::1", "::1"},
      {"2001:db8::17", "2001:db8::17"}, {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"fe80::1%eth0", "fe80::1"},
  };
  char address[INET6_ADDRSTRLEN];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(cx_address_parse(cases[i][0], address), CX_ADDRESS_NUMERIC);
    assert_string_equal(address, cases[i][1]);
  }
}

static void anything_else_is_a_name_and_never_local(void **state) {
  static const char *const hosts[] = {
      "localhost",
      "Unix",
      "unix ",
      " ",
      "%",
      "%eth0",
      "127.0.0.1%eth0",
      "127.1",
      "127.0.0.1.",
      "0x7f.0.0.1",
      "127.0.0.01",
      "127.0.0.1/32",
      "::1/128",
      "[::1]",
      "1.2.3.4\n",
      "client.example",
      "1111:2222:3333:4444:5555:6666:7777:8888:9999:a", /* as many bytes as there is room for */
      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
  };
  char address[INET6_ADDRSTRLEN];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
    assert_int_equal(cx_address_parse(hosts[i], address), CX_ADDRESS_NAME);
    assert_string_equal(address, "");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_host_is_local),
      cmocka_unit_test(numeric_addresses_come_out_without_zone),
      cmocka_unit_test(anything_else_is_a_name_and_never_local),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
