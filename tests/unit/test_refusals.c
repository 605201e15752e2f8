/*
 * Refusals before a signature: a stranger cannot fill the disk with them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/refusals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "trail.h"

#define MINUTE 60000000

static void refuse(struct trail *trail, const char *address, unsigned times) {
  struct cortex_record record = {.event = CORTEX_EVENT_LOGIN,
                                 .address = address,
                                 .reason = CORTEX_MALFORMED,
                                 .before_signature = true};

  while (times-- > 0)
    assert_int_equal(trail_append(trail, &record), CORTEX_OK);
}

static void allow(struct trail *trail) {
  assert_int_equal(
      trail_append(trail, &(struct cortex_record){.event = CORTEX_EVENT_LOGIN,
                                                  .effect = CORTEX_ALLOW,
                                                  .address = "192.0.2.1"}),
      CORTEX_OK);
}

static size_t count(const struct trail *trail, const char *what) {
  size_t len, found = 0;
  char *bytes = trail_read(trail->file, &len), *at;

  if (bytes == NULL)
    return 0;
  for (at = bytes; (at = strstr(at, what)) != NULL; at++)
    found++;
  free(bytes);
  return found;
}

#define LOGINS "\"event\":\"login\""
#define SUMS "\"event\":\"refusals\""

static void beyond_the_cap_they_are_counted_and_summed_up(void **state) {
  struct trail *trail = *state;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 7);
  assert_int_equal(count(trail, LOGINS), CX_REFUSALS_CAP);
  allow(trail);
  assert_int_equal(count(trail, SUMS), 0);
  trail->clock.offset += MINUTE;
  allow(trail);
  assert_int_equal(count(trail, SUMS), 1);
  assert_int_equal(count(trail, "\"address\":\"192.0.2.1\",\"count\":7,\"detail\":\"beyond 20 "
                                "records in the minute of 2023-11-14T22:13:00Z\""),
                   1);
  allow(trail);
  assert_int_equal(count(trail, SUMS), 1);
  trail_expect(trail, "");
}

static void each_address_has_its_own_cap(void **state) {
  struct trail *trail = *state;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 1);
  refuse(trail, "192.0.2.2", CX_REFUSALS_CAP + 2);
  refuse(trail, NULL, CX_REFUSALS_CAP + 3);
  assert_int_equal(count(trail, LOGINS), 3 * CX_REFUSALS_CAP);
  trail->clock.offset += MINUTE;
  refuse(trail, "192.0.2.1", 1);
  assert_int_equal(count(trail, LOGINS), 3 * CX_REFUSALS_CAP + 1);
  assert_int_equal(count(trail, SUMS), 3);
  assert_int_equal(count(trail, "\"address\":\"local\",\"count\":3"), 1);
}

static void a_new_minute_has_a_new_cap(void **state) {
  struct trail *trail = *state;
  int i;

  for (i = 0; i < 3; i++) {
    refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 5);
    trail->clock.offset += MINUTE;
  }
  assert_int_equal(count(trail, LOGINS), 3 * CX_REFUSALS_CAP);
  assert_int_equal(count(trail, SUMS), 2);
}

static void a_clock_that_goes_back_starts_a_new_minute(void **state) {
  struct trail *trail = *state;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 5);
  trail->clock.offset -= 10 * MINUTE;
  refuse(trail, "192.0.2.1", 1);
  assert_int_equal(count(trail, SUMS), 1);
  assert_int_equal(count(trail, LOGINS), CX_REFUSALS_CAP + 1);
}

static void many_addresses_share_one_bucket(void **state) {
  struct trail *trail = *state;
  char address[64];
  unsigned i;

  for (i = 0; i < 2000; i++) {
    snprintf(address, sizeof address, "2001:db8:%x::1", i);
    refuse(trail, address, 1);
  }
  assert_int_equal(count(trail, LOGINS), CX_REFUSALS_SLOTS - 1 + CX_REFUSALS_CAP);
  trail->clock.offset += MINUTE;
  allow(trail);
  assert_int_equal(count(trail, SUMS), 1);
  assert_int_equal(count(trail, "\"address\":\"others\",\"count\":1965"), 1);
}

static void addresses_of_one_ipv6_network_count_together(void **state) {
  struct trail *trail = *state;
  char address[64];
  unsigned i;

  for (i = 0; i < CX_REFUSALS_CAP + 4; i++) {
    snprintf(address, sizeof address, "2001:db8:0:7:%x::1", i);
    refuse(trail, address, 1);
  }
  trail->clock.offset += MINUTE;
  allow(trail);
  assert_int_equal(count(trail, "\"address\":\"2001:db8:0:7::/64\",\"count\":4"), 1);
  refuse(trail, "::ffff:192.0.2.1", CX_REFUSALS_CAP + 1);
  refuse(trail, "::ffff:192.0.2.2", CX_REFUSALS_CAP + 1);
  trail->clock.offset += MINUTE;
  allow(trail);
  assert_int_equal(count(trail, "\"address\":\"::ffff:192.0.2.2\",\"count\":1"), 1);
}

static void addresses_of_any_form_do_no_harm(void **state) {
  static const char *const addresses[] = {"", "not an address", "fe80::1%eth0", "a\"b\nc\xff",
                                          "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"};
  struct trail *trail = *state;
  char longest[5000];
  size_t i;

  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  for (i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
    refuse(trail, addresses[i], CX_REFUSALS_CAP + 1);
  refuse(trail, longest, CX_REFUSALS_CAP + 1);
  trail->clock.offset += MINUTE;
  allow(trail);
  trail_expect(trail, "");
}

static void flush_writes_sums_without_a_login(void **state) {
  struct trail *trail = *state;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 5);
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  assert_int_equal(count(trail, SUMS), 0);
  trail->clock.offset += MINUTE;
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  assert_int_equal(count(trail, SUMS), 1);
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL), CORTEX_OK);
  assert_int_equal(count(trail, SUMS), 1);
  assert_int_equal(count(trail, LOGINS), CX_REFUSALS_CAP);
}

static void other_records_are_never_capped(void **state) {
  struct trail *trail = *state;
  unsigned i;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP * 2);
  for (i = 0; i < CX_REFUSALS_CAP * 2; i++)
    allow(trail);
  assert_int_equal(count(trail, LOGINS), CX_REFUSALS_CAP * 3);
}

/* Every torn length and every kind of garbage: the login goes on, and the loss is told once. */
static void damaged_counts_cost_counts_only(void **state) {
  struct trail *trail = *state;
  size_t len, cut, told = 0;
  char *bytes;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 5);
  bytes = trail_read(trail_path(trail, ".refusals"), &len);
  assert_int_equal(len, sizeof(struct cx_refusals_table));
  for (cut = 1; cut < len; cut += 37) {
    trail_write(trail_path(trail, ".refusals"), bytes, cut);
    allow(trail);
    assert_int_equal(count(trail, "could not be read"), ++told);
  }
  for (cut = 0; cut < len; cut += 13) {
    bytes[cut] = (char)(bytes[cut] ^ 0x55);
    trail_write(trail_path(trail, ".refusals"), bytes, len);
    refuse(trail, "192.0.2.1", 1);
    bytes[cut] = (char)(bytes[cut] ^ 0x55);
    assert_int_equal(count(trail, "could not be read"), ++told);
  }
  allow(trail);
  assert_int_equal(count(trail, "could not be read"), told);
  trail_write(trail_path(trail, ".refusals"), "", 0);
  allow(trail);
  assert_int_equal(count(trail, "could not be read"), told);
  free(bytes);
  trail_expect(trail, "");
}

/* A table with the right check but no end in an address, as only a writer of the file can make. */
static void a_sound_looking_table_is_not_trusted_for_its_strings(void **state) {
  struct trail *trail = *state;
  struct cx_refusals_table table;
  size_t len, i;
  char *bytes;
  uint64_t check = 14695981039346656037ULL;

  refuse(trail, "192.0.2.1", 1);
  bytes = trail_read(trail_path(trail, ".refusals"), &len);
  memcpy(&table, bytes, sizeof table);
  memset(table.slots[0].address, 'a', sizeof table.slots[0].address);
  for (i = 0; i < offsetof(struct cx_refusals_table, check); i++)
    check = (check ^ ((unsigned char *)&table)[i]) * 1099511628211ULL;
  table.check = check;
  trail_write(trail_path(trail, ".refusals"), (const char *)&table, sizeof table);
  refuse(trail, "192.0.2.1", 1);
  assert_int_equal(count(trail, "could not be read"), 1);
  free(bytes);
}

static void without_a_usable_state_file_every_refusal_is_recorded(void **state) {
  struct trail *trail = *state;

  assert_int_equal(mkdir(trail_path(trail, ".refusals"), 0700), 0);
  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 5);
  assert_int_equal(count(trail, LOGINS), CX_REFUSALS_CAP + 5);
}

/* The sum was taken out, but its record could not be written: it stays for the next writer. */
static void a_sum_that_could_not_be_written_is_not_lost(void **state) {
  struct trail *trail = *state;
  struct rlimit was, limit;
  struct stat status;

  refuse(trail, "192.0.2.1", CX_REFUSALS_CAP + 5);
  trail->clock.offset += MINUTE;
  assert_int_equal(stat(trail->file, &status), 0);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
  limit = was;
  limit.rlim_cur = (rlim_t)status.st_size;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(cortex_audit_flush(&trail->options, &trail->clock, 0, NULL),
                   CORTEX_AUDIT_UNAVAILABLE);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(count(trail, SUMS), 0);
  allow(trail);
  assert_int_equal(count(trail, SUMS), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_setup, trail_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(beyond_the_cap_they_are_counted_and_summed_up),
      TEST(each_address_has_its_own_cap),
      TEST(a_new_minute_has_a_new_cap),
      TEST(a_clock_that_goes_back_starts_a_new_minute),
      TEST(many_addresses_share_one_bucket),
      TEST(addresses_of_one_ipv6_network_count_together),
      TEST(addresses_of_any_form_do_no_harm),
      TEST(flush_writes_sums_without_a_login),
      TEST(other_records_are_never_capped),
      TEST(damaged_counts_cost_counts_only),
      TEST(a_sound_looking_table_is_not_trusted_for_its_strings),
      TEST(without_a_usable_state_file_every_refusal_is_recorded),
      TEST(a_sum_that_could_not_be_written_is_not_lost),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
