/*
 * Reading a record back by its reference.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/chain.h"
#include "audit/stamp.h"
#include "trail.h"

static struct cortex_audit_entry *find(const struct trail *trail, const char *reference) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_audit_entry *entry;

  assert_int_equal(cortex_audit_find(trail->file, reference, &entry, &error), CORTEX_OK);
  assert_int_equal(error.reason, CORTEX_OK);
  return entry;
}

static void every_field_comes_back_as_it_was_given(void **state) {
  static const char *const groups[] = {"engineers", "a\"b\n\xc3\xa9"};
  static const char *const policies[] = {"p1", "p2", "p3"};
  static const struct cortex_record given = {.event = CORTEX_EVENT_LOGIN,
                                             .time = 1700000000123456,
                                             .reference = "0123456789abcdef",
                                             .host = "db1",
                                             .service = "analytics-staging",
                                             .database = "analytics",
                                             .role = "al\"ice\\",
                                             .grant = "readers",
                                             .address = "2001:db8::1",
                                             .pid = 4711,
                                             .backend_start = 1699999999000001,
                                             .issuer = "https://idp.example",
                                             .subject = "s-1",
                                             .username = "alice",
                                             .groups = groups,
                                             .group_count = 2,
                                             .token_id = "ab12",
                                             .effect = CORTEX_ALLOW,
                                             .levels = CORTEX_LEVEL_WRITE | CORTEX_LEVEL_ASSUME,
                                             .policies = policies,
                                             .policy_count = 3,
                                             .policy_digest = "cd34",
                                             .session_until = 1700028800,
                                             .reason = CORTEX_TOKEN_EXPIRED,
                                             .duration = 812,
                                             .count = 3,
                                             .detail = "more"};
  struct trail *trail = *state;
  struct cortex_audit_entry *entry;
  const struct cortex_record *read;
  size_t i;

  trail_fill(trail, 2);
  assert_int_equal(trail_append(trail, &given), CORTEX_OK);
  trail_fill(trail, 2);
  entry = find(trail, "0123456789abcdef");
  assert_non_null(entry);
  assert_int_equal(cortex_audit_entry_seq(entry), 3);
  assert_int_equal(cortex_audit_entry_line(entry), 3);
  assert_non_null(strstr(cortex_audit_entry_text(entry), "\"seq\":3,"));
  read = cortex_audit_entry_record(entry);
#define SAME_TEXT(member) assert_string_equal(read->member, given.member)
#define SAME(member) assert_true(read->member == given.member)
  SAME(event), SAME(time), SAME(pid), SAME(backend_start), SAME(group_count), SAME(effect);
  SAME(levels), SAME(policy_count), SAME(session_until), SAME(reason), SAME(duration), SAME(count);
  SAME(before_signature);
  SAME_TEXT(reference), SAME_TEXT(host), SAME_TEXT(service), SAME_TEXT(database), SAME_TEXT(role);
  SAME_TEXT(grant), SAME_TEXT(address), SAME_TEXT(issuer), SAME_TEXT(subject), SAME_TEXT(username);
  SAME_TEXT(token_id), SAME_TEXT(policy_digest), SAME_TEXT(detail);
  for (i = 0; i < 2; i++)
    SAME_TEXT(groups[i]);
  for (i = 0; i < 3; i++)
    SAME_TEXT(policies[i]);
  cortex_audit_entry_free(&entry);
  assert_null(entry);
  cortex_audit_entry_free(&entry);
}

static void what_was_left_out_comes_back_as_nothing(void **state) {
  struct trail *trail = *state;
  struct cortex_audit_entry *entry;
  const struct cortex_record *read;

  assert_int_equal(trail_append(trail, &(struct cortex_record){.event = CORTEX_EVENT_ROLE_CUT,
                                                               .reference = "x"}),
                   CORTEX_OK);
  entry = find(trail, "x");
  assert_non_null(entry);
  read = cortex_audit_entry_record(entry);
  assert_int_equal(read->event, CORTEX_EVENT_ROLE_CUT);
  assert_null(read->role);
  assert_null(read->groups);
  assert_int_equal(read->effect, CORTEX_DENY);
  assert_int_equal(read->session_until, 0);
  cortex_audit_entry_free(&entry);
}

static void only_the_reference_itself_is_found(void **state) {
  static const char *const references[] = {"", "r", "alice", "r00000000000000", "role",
                                           "r0000000000000020", "\"", "engineers"};
  struct trail *trail = *state;
  size_t i;

  trail_fill(trail, 3);
  for (i = 0; i < sizeof references / sizeof references[0]; i++)
    assert_null(find(trail, references[i]));
}

/* Lines that end as records do, but say something else than a record of ours. */
static void lines_of_other_types_do_no_harm(void **state) {
  static const char *const lines[] = {
      "{\"reference\":\"w\",\"time\":3,\"event\":\"nothing\",\"role\":[1],\"pid\":\"x\","
      "\"groups\":\"g\",\"levels\":[1,\"read\"],\"policies\":[null,\"p\",{}],\"reason\":7,"
      "\"decision\":{},\"session_until\":\"soon\",\"duration\":1.5",
      "{\"reference\":\"w\",\"reference\":\"v\"",
      "{\"reference\":[\"v\"]",
      "[\"v\"",
      "\xff\xfe v",
  };
  struct trail *trail = *state;
  struct cx_chain_head head;
  struct cortex_audit_entry *entry;
  const struct cortex_record *read;
  struct cx_buf buf;
  size_t i;

  cx_chain_init(&head);
  cx_buf_init(&buf, 65536);
  for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    size_t start = buf.len;

    cx_buf_put_text(&buf, lines[i]);
    assert_true(cx_chain_seal(&buf, start, &head));
  }
  trail_write(trail->file, buf.bytes, buf.len);
  cx_buf_clear(&buf);
  assert_null(find(trail, "v"));
  entry = find(trail, "w");
  assert_non_null(entry);
  read = cortex_audit_entry_record(entry);
  assert_int_equal(read->event, CORTEX_EVENTS);
  assert_int_equal(read->effect, CORTEX_DENY);
  assert_null(read->role);
  assert_int_equal(read->group_count, 0);
  assert_int_equal(read->policy_count, 1);
  assert_int_equal(read->levels, CORTEX_LEVEL_READ);
  cortex_audit_entry_free(&entry);
}

static void a_missing_file_is_an_error(void **state) {
  struct trail *trail = *state;
  struct cortex_audit_entry *entry;

  assert_int_equal(cortex_audit_find(trail->file, "x", &entry, NULL), CORTEX_AUDIT_UNAVAILABLE);
  assert_null(entry);
}

static void stamps_are_read_strictly(void **state) {
  static const char *const bad[] = {"",
                                    "2023-11-14T22:13:20",
                                    "2023-11-14T22:13:20z",
                                    "2023-11-14T22:13:20ZZ",
                                    "2023-11-14 22:13:20Z",
                                    "2023-11-14T22:13:20.12345Z",
                                    "2023-11-14T22:13:20.1234567Z",
                                    "2023-11-14T22:13:20.Z",
                                    "2023-11-14T22:13:20+01:00",
                                    "2023-13-14T22:13:20Z",
                                    "2023-00-14T22:13:20Z",
                                    "2023-11-32T22:13:20Z",
                                    "2023-11-00T22:13:20Z",
                                    "2023-11-14T24:13:20Z",
                                    "2023-11-14T22:60:20Z",
                                    "2023-11-14T22:13:60Z",
                                    "23-11-14T22:13:20Z",
                                    "-023-11-14T22:13:20Z"};
  static const int64_t good[] = {0, 1, -1, 951782399999999, 951782400000000, 4107542400000000,
                                 -62167219200000000, 253402300799999999};
  char text[CX_STAMP_MAX];
  int64_t micros = 42;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(cx_stamp_parse(bad[i], &micros));
  assert_int_equal(micros, 42);
  for (i = 0; i < sizeof good / sizeof good[0]; i++) {
    cx_stamp_format(good[i], text);
    assert_true(cx_stamp_parse(text, &micros));
    assert_true(micros == good[i]);
  }
  assert_true(cx_stamp_parse("2023-11-14T22:13:20Z", &micros));
  assert_true(micros == 1700000000000000);
}

static void each_event_and_finding_has_a_name_of_its_own(void **state) {
  unsigned i, j;

  (void)state;
  for (i = 0; i < CORTEX_EVENTS; i++) {
    const char *name = cortex_event_name((enum cortex_event)i);

    assert_int_equal(cortex_event_parse(name), i);
    assert_non_null(cortex_event_sentence((enum cortex_event)i));
  }
  for (i = 0; i < CORTEX_FINDINGS; i++)
    for (j = 0; j < i; j++)
      assert_string_not_equal(cortex_finding_name((enum cortex_finding_kind)i),
                              cortex_finding_name((enum cortex_finding_kind)j));
  assert_int_equal(cortex_event_parse("nothing"), CORTEX_EVENTS);
  assert_null(cortex_event_name(CORTEX_EVENTS));
  assert_null(cortex_event_sentence(CORTEX_EVENTS));
  assert_null(cortex_finding_name(CORTEX_FINDINGS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_setup, trail_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_field_comes_back_as_it_was_given),
      TEST(what_was_left_out_comes_back_as_nothing),
      TEST(only_the_reference_itself_is_found),
      TEST(lines_of_other_types_do_no_harm),
      TEST(a_missing_file_is_an_error),
      cmocka_unit_test(stamps_are_read_strictly),
      cmocka_unit_test(each_event_and_finding_has_a_name_of_its_own),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
