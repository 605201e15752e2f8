/*
 * Sessions: the stamp of a login, read back as it was, and everything else refused.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session/session.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "parsed.h"

#include "statefolder.h"

#define PID INT64_C(4242)
#define START INT64_C(1795635513578915)
#define POSTMASTER INT64_C(1795635408374087)

static struct cortex_identity *make_identity(void) {
  struct cortex_identity *identity = cx_identity_new();

  assert_non_null(identity);
  identity->kind = "oidc";
  identity->issuer = strdup("https://op.example");
  identity->label = strdup("corp");
  identity->subject = strdup("s-1");
  identity->owner = strdup("jos\xc3\xa9@op.example");
  identity->username = strdup("jos\xc3\xa9");
  identity->acr = strdup("gold");
  identity->groups_known = true;
  identity->mfa = true;
  identity->authenticated_at = 1795635000;
  assert_true(cx_list_append(&identity->groups, "engineers", 9));
  assert_true(cx_list_append(&identity->groups, "a \"b\"", 5));
  assert_true(cx_list_append(&identity->amr, "mfa", 3));
  assert_true(cx_list_append(&identity->scopes, "db", 2));
  identity->claims = identity->document = parsed("{\"department\":\"Z\xc3\xbcrich\",\"n\":[1,2]}");
  snprintf(identity->token_id, sizeof identity->token_id, "%064d", 7);
  return identity;
}

static struct cx_session_stamp make_stamp(const struct cortex_identity *identity) {
  return (struct cx_session_stamp){
      .pid = PID,
      .backend_start = START,
      .postmaster_start = POSTMASTER,
      .session_until = 1795639999,
      .levels = CORTEX_LEVEL_READ | CORTEX_LEVEL_ADMIN,
      .reference = "0123456789abcdef",
      .service = "analytics-staging",
      .database = "analytics",
      .role = "jos\xc3\xa9",
      .address = "127.0.0.1",
      .identity = identity,
  };
}

/* ---- stamps ---- */

static void a_stamp_comes_back_as_it_was(void **state) {
  struct cortex_identity *identity = make_identity();
  struct cx_session_stamp stamp = make_stamp(identity);
  struct cx_session_stamp_read read;
  struct cx_buf text;

  (void)state;
  assert_int_equal(cx_session_stamp_print(&stamp, &text, NULL), CORTEX_OK);
  assert_int_equal(cx_session_stamp_parse(text.bytes, text.len, &read, NULL), CORTEX_OK);
  assert_int_equal(read.stamp.pid, PID);
  assert_int_equal(read.stamp.backend_start, START);
  assert_int_equal(read.stamp.postmaster_start, POSTMASTER);
  assert_int_equal(read.stamp.session_until, stamp.session_until);
  assert_int_equal(read.stamp.levels, stamp.levels);
  assert_string_equal(read.stamp.role, stamp.role);
  assert_string_equal(read.stamp.service, stamp.service);
  assert_string_equal(read.stamp.database, stamp.database);
  assert_string_equal(read.stamp.address, stamp.address);
  assert_string_equal(read.stamp.reference, stamp.reference);
  assert_string_equal(read.identity->subject, "s-1");
  assert_string_equal(read.identity->owner, identity->owner);
  assert_string_equal(read.identity->username, identity->username);
  assert_string_equal(read.identity->issuer, identity->issuer);
  assert_string_equal(read.identity->label, identity->label);
  assert_string_equal(read.identity->acr, "gold");
  assert_string_equal(read.identity->token_id, identity->token_id);
  assert_true(read.identity->mfa && read.identity->groups_known);
  assert_int_equal(read.identity->authenticated_at, identity->authenticated_at);
  assert_int_equal(read.identity->groups.count, 2);
  assert_string_equal(read.identity->groups.items[1], "a \"b\"");
  assert_string_equal(read.identity->amr.items[0], "mfa");
  assert_string_equal(read.identity->scopes.items[0], "db");
  assert_true(
      cx_json_is_text(cx_json_get(read.identity->claims, "department"), "Z\xc3\xbcrich", 7));
  assert_int_equal(cx_json_integer(child_at(cx_json_get(read.identity->claims, "n"), 1)), 2);
  cx_session_stamp_clear(&read);
  cx_buf_clear(&text);
  cortex_identity_free(&identity);
}

/* A database of any encoding reads it, and its lines are lines. */
static void a_stamp_is_three_lines_of_ascii(void **state) {
  struct cortex_identity *identity = make_identity();
  struct cx_session_stamp stamp = make_stamp(identity);
  struct cx_buf text;
  size_t i, lines = 0;

  (void)state;
  assert_int_equal(cx_session_stamp_print(&stamp, &text, NULL), CORTEX_OK);
  for (i = 0; i < text.len; i++) {
    assert_true((unsigned char)text.bytes[i] < 128);
    lines += text.bytes[i] == '\n';
  }
  assert_int_equal(lines, 3);
  assert_int_equal(text.bytes[text.len - 1], '\n');
  cx_buf_clear(&text);
  cortex_identity_free(&identity);
}

static void what_no_login_wrote_is_refused(void **state) {
#define HEAD "cortex 1 4242 1 1\n"
#define FACTS "{\"role\":\"a\",\"reference\":\"r\",\"service\":\"s\",\"username\":\"a\",\"levels\":[\"read\"],\"session_until\":9}"
  static const char *const texts[] = {
      "",
      "\n\n\n",
      HEAD,
      HEAD FACTS "\n",
      HEAD FACTS "\n{}",
      HEAD FACTS "\n{}\n\n",
      HEAD "{}\n{}\n",
      HEAD "[]\n{}\n",
      HEAD FACTS "\n[]\n",
      HEAD FACTS "\n{\"a\":1,\"a\":2}\n",
      "cortex 2 4242 1 1\n" FACTS "\n{}\n",
      "cortex 1 0 1 1\n" FACTS "\n{}\n",
      "cortex 1 -1 1 1\n" FACTS "\n{}\n",
      "cortex 1 4242 1\n" FACTS "\n{}\n",
      "cortex 1 4242 1 1 1\n" FACTS "\n{}\n",
      "cortex 1 4242  1 1\n" FACTS "\n{}\n",
      HEAD "{\"role\":\"a\",\"reference\":\"r\",\"service\":\"s\",\"username\":\"a\",\"levels\":[],\"session_until\":9}\n{}\n",
      HEAD "{\"role\":\"a\",\"reference\":\"r\",\"service\":\"s\",\"username\":\"a\",\"levels\":[\"read\"]}\n{}\n",
      HEAD "{\"role\":1,\"reference\":\"r\",\"service\":\"s\",\"username\":\"a\",\"levels\":[\"read\"],\"session_until\":9}\n{}\n",
      HEAD "{\"role\":\"a\",\"reference\":\"r\",\"service\":\"s\",\"levels\":[\"read\"],\"session_until\":9}\n{}\n"};
  struct cx_session_stamp_read read;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(cx_session_stamp_parse(texts[i], strlen(texts[i]), &read, NULL),
                     CORTEX_STATE_UNAVAILABLE);
    assert_null(read.identity);
  }
  assert_int_equal(cx_session_stamp_parse(HEAD FACTS "\n{}\n", strlen(HEAD FACTS "\n{}\n"), &read, NULL), CORTEX_OK);
  cx_session_stamp_clear(&read);
  assert_int_equal(cx_session_stamp_parse(HEAD FACTS "\n{}\n\0", strlen(HEAD FACTS "\n{}\n") + 1, &read, NULL),
                   CORTEX_STATE_UNAVAILABLE);
}

/* ---- the folder ---- */

struct seen {
  int stamps;
  int bad;
  int64_t pid;
};

static bool see(const struct cortex_session *session, const char *name,
                const struct cortex_error *cause, void *context) {
  struct seen *seen = context;

  (void)name;
  if (session == NULL) {
    assert_int_equal(cause->reason, CORTEX_STATE_UNAVAILABLE);
    seen->bad++;
    return true;
  }
  seen->stamps++;
  seen->pid = session->pid;
  return true;
}

static struct seen look(struct statefolder *folder) {
  struct seen seen = {0, 0, 0};

  assert_int_equal(cortex_session_each(folder->settings, see, &seen, NULL), CORTEX_OK);
  return seen;
}

static void begin(struct statefolder *folder) {
  struct cortex_identity *identity = make_identity();
  struct cx_session_stamp stamp = make_stamp(identity);

  assert_int_equal(cx_session_begin(folder->settings, &stamp, NULL), CORTEX_OK);
  cortex_identity_free(&identity);
}

static void a_session_is_there_until_it_is_forgotten(void **state) {
  struct statefolder *folder = *state;

  assert_int_equal(look(folder).stamps, 0);
  begin(folder);
  begin(folder);
  assert_int_equal(look(folder).stamps, 1);
  assert_int_equal(look(folder).pid, PID);
  assert_int_equal(cortex_session_forget(folder->settings, PID, NULL), CORTEX_OK);
  assert_int_equal(look(folder).stamps, 0);
  assert_int_equal(cortex_session_forget(folder->settings, PID, NULL), CORTEX_OK);
}

static void a_stamp_under_another_pid_is_none(void **state) {
  struct statefolder *folder = *state;
  char from[256];
  struct seen seen;

  begin(folder);
  snprintf(from, sizeof from, "%s", statefolder_name(folder, CX_STATE_SESSIONS, "4242"));
  assert_int_equal(rename(from, statefolder_name(folder, CX_STATE_SESSIONS, "4243")), 0);
  seen = look(folder);
  assert_int_equal(seen.stamps, 0);
  assert_int_equal(seen.bad, 1);
}

static void other_files_are_passed_over(void **state) {
  struct statefolder *folder = *state;

  statefolder_put(folder, CX_STATE_SESSIONS, "reaped", "", 0);
  statefolder_put(folder, CX_STATE_SESSIONS, "ready-1", "x", 1);
  assert_int_equal(look(folder).stamps + look(folder).bad, 0);
  statefolder_put(folder, CX_STATE_SESSIONS, "1", "x", 1);
  assert_int_equal(look(folder).bad, 1);
}

static void without_the_folder_no_session_begins(void **state) {
  struct statefolder *folder = *state;
  struct cortex_identity *identity = make_identity();
  struct cx_session_stamp stamp = make_stamp(identity);

  rmdir(statefolder_name(folder, CX_STATE_SESSIONS, NULL));
  assert_int_equal(cx_session_begin(folder->settings, &stamp, NULL), CORTEX_STATE_UNAVAILABLE);
  cortex_identity_free(&identity);
}

/* Of sections that were renamed the issuer tells; what metadata names cannot be told. */
static void a_session_ends_with_its_issuer_s_section(void **state) {
#define SAML "[saml \"idp\"]\nmetadata_file = /m.xml\nsp_entity_id = urn:sp\nacs_url = https://sp.example/\n"
#define NAMED SAML "idp_entity_id = urn:idp\n"
#define OIDC "[oidc \"corp\"]\nissuer = https://op.example\naudience = db\n"
  static const struct {
    const char *sections, *kind, *label, *issuer;
    bool is_configured;
  } cases[] = {
      {OIDC, "oidc", "corp", "https://other.example", true},
      {OIDC, "oidc", "old", "https://op.example", true},
      {OIDC, "oidc", "old", "https://other.example", false},
      {OIDC, "saml", "old", "https://op.example", false},
      {SAML, "saml", "old", "urn:idp", true},
      {SAML, "oidc", "old", "https://op.example", false},
      {NAMED, "saml", "old", "urn:idp", true},
      {NAMED, "saml", "old", "urn:other", false},
  };
  struct statefolder *folder = *state;
  struct cortex_settings *settings = NULL;
  struct cortex_session session = {.session_until = 1795639999};
  char text[1024];
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cortex_identity *identity = make_identity();

    identity->kind = cases[i].kind;
    free(identity->label);
    free(identity->issuer);
    identity->label = strdup(cases[i].label);
    identity->issuer = strdup(cases[i].issuer);
    session.identity = identity;
    snprintf(text, sizeof text, "%s[state]\npath = %s\n", cases[i].sections, folder->path);
    assert_int_equal(cortex_settings_parse("f", text, strlen(text), &settings, NULL), CORTEX_OK);
    assert_int_equal(cortex_session_judge(&session, settings, NULL, START, NULL),
                     cases[i].is_configured ? CORTEX_OK : CORTEX_UNKNOWN_ISSUER);
    cortex_settings_free(&settings);
    cortex_identity_free(&identity);
  }
}

/* ---- the reaper ---- */

static void date_note(struct statefolder *folder, time_t when) {
  struct utimbuf times = {when, when};

  assert_int_equal(utime(statefolder_name(folder, CX_STATE_SESSIONS, "reaped"), &times), 0);
}

static void enforce_asks_for_a_reaper(void **state) {
  struct statefolder *folder = *state;
  time_t now = time(NULL);

  assert_int_equal(cx_session_check_reaper(folder->settings, now, NULL), CORTEX_OK);
  folder->settings->session.enforce = true;
  assert_int_equal(cx_session_check_reaper(folder->settings, now, NULL), CORTEX_REAPER_STALE);
  assert_int_equal(
      cortex_session_mark_reaped(folder->settings, now, cortex_clock_system(), NULL), CORTEX_OK);
  assert_int_equal(cx_session_check_reaper(folder->settings, now, NULL), CORTEX_OK);
  date_note(folder, now - 300);
  assert_int_equal(cx_session_check_reaper(folder->settings, now, NULL), CORTEX_OK);
  date_note(folder, now - 301);
  assert_int_equal(cx_session_check_reaper(folder->settings, now, NULL), CORTEX_REAPER_STALE);
  date_note(folder, now + 301);
  assert_int_equal(cx_session_check_reaper(folder->settings, now, NULL), CORTEX_REAPER_STALE);
}

static enum cortex_reason note(struct statefolder *folder, struct cortex_session_end *ends,
                               size_t count) {
  return cortex_session_note_ends(folder->settings, ends, count, cortex_clock_system(), NULL);
}

/* How many there were to record; fails where it is told to. */
struct recorder {
  int calls;
  size_t due;
  bool fails;
};

static bool count_due(const struct cortex_session_end *ends, size_t count, void *context) {
  struct recorder *recorder = context;
  size_t i;

  recorder->calls++;
  for (i = 0, recorder->due = 0; i < count; i++)
    recorder->due += ends[i].is_over && !ends[i].is_recorded;
  return !recorder->fails;
}

static size_t recorded(struct statefolder *folder, struct cortex_session_end *ends, size_t count) {
  struct recorder recorder = {0};

  assert_int_equal(cortex_session_record_ends(folder->settings, ends, count, count_due, &recorder,
                                              cortex_clock_system(), NULL),
                   CORTEX_OK);
  assert_int_equal(recorder.calls, 1);
  return recorder.due;
}

static size_t due(struct statefolder *folder) {
  struct cortex_session_end *ends;
  size_t count;

  assert_int_equal(cortex_session_due_ends(folder->settings, &ends, &count, NULL), CORTEX_OK);
  free(ends);
  return count;
}

static void an_end_is_recorded_once(void **state) {
  struct statefolder *folder = *state;
  struct cortex_session_end one = {.pid = PID, .backend_start = START};
  struct cortex_session_end later = {.pid = PID, .backend_start = START + 1};
  int64_t before = time(NULL);

  begin(folder);
  assert_int_equal(due(folder), 0);
  assert_int_equal(note(folder, &one, 1), CORTEX_OK);
  assert_in_range(one.told_at, before, before + 60);
  assert_int_equal(due(folder), 1);
  one.is_over = true;
  assert_int_equal(recorded(folder, &one, 1), 1);
  assert_int_equal(due(folder), 0);
  one = (struct cortex_session_end){.pid = PID, .backend_start = START, .is_over = true};
  assert_int_equal(recorded(folder, &one, 1), 0);
  assert_in_range(one.told_at, before, before + 60);
  assert_int_equal(note(folder, &one, 1), CORTEX_OK);
  assert_true(one.is_recorded);
  later.is_over = true; /* a later backend of that pid, that nobody had noted */
  assert_int_equal(recorded(folder, &later, 1), 1);
}

static void what_could_not_be_recorded_stays_due(void **state) {
  struct statefolder *folder = *state;
  struct cortex_session_end one = {.pid = PID, .backend_start = START};
  struct recorder recorder = {.fails = true};

  begin(folder);
  assert_int_equal(note(folder, &one, 1), CORTEX_OK);
  one.is_over = true;
  assert_int_equal(cortex_session_record_ends(folder->settings, &one, 1, count_due, &recorder,
                                              cortex_clock_system(), NULL),
                   CORTEX_OK);
  assert_false(one.is_recorded);
  assert_int_equal(due(folder), 1);
  assert_int_equal(recorded(folder, &one, 1), 1);
}

static void what_is_not_over_is_noted_no_more(void **state) {
  struct statefolder *folder = *state;
  struct cortex_session_end ends[] = {{.pid = PID, .backend_start = START},
                                      {.pid = PID + 1, .backend_start = START}};

  begin(folder);
  assert_int_equal(note(folder, ends, 2), CORTEX_OK);
  assert_int_equal(recorded(folder, ends, 1), 0);
  assert_int_equal(due(folder), 1);
}

/* A note goes with its stamp, but not before who told the backend has come to the record. */
static void a_note_lasts_as_long_as_its_stamp_and_a_minute(void **state) {
  struct statefolder *folder = *state;
  struct cortex_session_end one = {.pid = PID, .backend_start = START}, other = one;
  char text[64];

  begin(folder);
  assert_int_equal(note(folder, &one, 1), CORTEX_OK);
  assert_int_equal(cortex_session_forget(folder->settings, PID, NULL), CORTEX_OK);
  other.pid++;
  assert_int_equal(note(folder, &other, 1), CORTEX_OK);
  assert_int_equal(due(folder), 2);
  snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " 0\n", PID, START,
           (int64_t)time(NULL) - 61);
  statefolder_put(folder, CX_STATE_SESSIONS, "ended", text, strlen(text));
  assert_int_equal(due(folder), 1);
  begin(folder);
  assert_int_equal(note(folder, &other, 1), CORTEX_OK);
  assert_int_equal(due(folder), 2);
  assert_int_equal(cortex_session_forget(folder->settings, PID, NULL), CORTEX_OK);
  assert_int_equal(note(folder, &other, 1), CORTEX_OK);
  assert_int_equal(due(folder), 1);
}

static void a_damaged_list_of_ends_forgets_what_it_held(void **state) {
  struct statefolder *folder = *state;
  struct cortex_session_end end = {.pid = PID, .backend_start = START, .is_over = true};

  begin(folder);
  statefolder_put(folder, CX_STATE_SESSIONS, "ended", "4242 x", 6);
  assert_int_equal(due(folder), 0);
  assert_int_equal(recorded(folder, &end, 1), 1);
  assert_int_equal(recorded(folder, &end, 1), 0);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, statefolder_setup, statefolder_teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_stamp_comes_back_as_it_was),
      cmocka_unit_test(a_stamp_is_three_lines_of_ascii),
      cmocka_unit_test(what_no_login_wrote_is_refused),
      IN_FOLDER(a_session_is_there_until_it_is_forgotten),
      IN_FOLDER(a_stamp_under_another_pid_is_none),
      IN_FOLDER(other_files_are_passed_over),
      IN_FOLDER(without_the_folder_no_session_begins),
      IN_FOLDER(a_session_ends_with_its_issuer_s_section),
      IN_FOLDER(enforce_asks_for_a_reaper),
      IN_FOLDER(an_end_is_recorded_once),
      IN_FOLDER(what_could_not_be_recorded_stays_due),
      IN_FOLDER(what_is_not_over_is_noted_no_more),
      IN_FOLDER(a_note_lasts_as_long_as_its_stamp_and_a_minute),
      IN_FOLDER(a_damaged_list_of_ends_forgets_what_it_held),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
