/*
 * Process titles of PostgreSQL, and of those who imitate them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "title.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cx_title parse(const char *text, const char *user) {
  struct cx_process process = {.title_len = strlen(text) + 1};
  struct cx_title title;

  memcpy(process.title, text, process.title_len);
  cx_title_parse(&process, user, &title);
  return title;
}

static void unreadable(const char *text, const char *user) {
  struct cx_title title = parse(text, user);

  assert_int_equal(title.kind, CX_TITLE_UNREADABLE);
  assert_string_equal(title.database, "");
  assert_string_equal(title.host, "");
}

static void titles_of_logins_give_database_and_host(void **state) {
  static const struct {
    const char *title, *user, *database, *host;
  } cases[] = {
      {"postgres: alice appdb 127.0.0.1(44832) authentication", "alice", "appdb", "127.0.0.1"},
      {"postgres: alice appdb ::1(44832) authentication", "alice", "appdb", "::1"},
      {"postgres: alice appdb fe80::1%eth0(5) authentication", "alice", "appdb", "fe80::1%eth0"},
      {"postgres: alice appdb client.example(44832) authentication", "alice", "appdb",
       "client.example"},
      {"postgres: alice appdb [local] authentication", "alice", "appdb", ""},
      {"postgres: alice appdb [local] ", "alice", "appdb", ""},
      {"postgres: alice appdb 127.0.0.1(44832) ", "alice", "appdb", "127.0.0.1"},
      {"postgres: main: alice appdb 127.0.0.1(44832) authentication", "alice", "appdb",
       "127.0.0.1"},
      {"postgres: 15/main: x: alice appdb [local] ", "alice", "appdb", ""},
      {"postgres: alice alice [local] authentication", "alice", "alice", ""},
      {"postgres: a b c d [local] authentication", "a b", "c d", ""},
      {"postgres: alice  x  [local] authentication", "alice", " x ", ""},
      {"postgres: alice x 10.0.0.1(5) 127.0.0.1(44832) authentication", "alice", "x 10.0.0.1(5)",
       "127.0.0.1"},
      {"postgres: alice db authentication [local] authentication", "alice", "db authentication",
       ""},
      {"postgres: a\nb \"appdb\" [local] authentication", "a\nb", "\"appdb\"", ""},
      {"postgres: walsenders appdb [local] authentication", "walsenders", "appdb", ""},
      {"postgres: walsender: alice appdb [local] authentication", "alice", "appdb", ""},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cx_title title = parse(cases[i].title, cases[i].user);

    assert_int_equal(title.kind, CX_TITLE_BACKEND);
    assert_string_equal(title.database, cases[i].database);
    assert_string_equal(title.host, cases[i].host);
  }
}

static void other_programs_have_no_database(void **state) {
  static const char *const titles[] = {
      "/usr/sbin/pgbouncer",      "sshd: alice [priv]",    "postgres",
      "postgresql: a b [local] ", "postgres:a b [local] ", " postgres: a b [local] "};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof titles / sizeof titles[0]; i++)
    assert_int_equal(parse(titles[i], "a").kind, CX_TITLE_FOREIGN);
}

static void the_server_without_its_title_is_unreadable(void **state) {
  struct cx_process process = {.is_postgres = true, .title = "postgr", .title_len = 6};
  struct cx_title title;

  (void)state;
  cx_title_parse(&process, "alice", &title);
  assert_int_equal(title.kind, CX_TITLE_UNREADABLE);
  process.title_len = 0;
  cx_title_parse(&process, "alice", &title);
  assert_int_equal(title.kind, CX_TITLE_UNREADABLE);
  process.is_postgres = false;
  cx_title_parse(&process, "alice", &title);
  assert_int_equal(title.kind, CX_TITLE_UNREADABLE);
}

static void every_cut_of_a_title_is_unreadable_or_right(void **state) {
  static const char whole[] = "postgres: main: alice appdb 127.0.0.1(44832) authentication";
  char cut[sizeof whole];
  size_t len;

  (void)state;
  for (len = sizeof "postgres: " - 1; len < sizeof whole - 1; len++) {
    struct cx_title title;

    memcpy(cut, whole, len);
    cut[len] = '\0';
    title = parse(cut, "alice");
    if (len == strlen("postgres: main: alice appdb 127.0.0.1(44832) "))
      assert_string_equal(title.database, "appdb");
    else
      assert_int_equal(title.kind, CX_TITLE_UNREADABLE);
  }
}

static void replication_is_unreadable(void **state) {
  (void)state;
  unreadable("postgres: walsender alice 127.0.0.1(44832) authentication", "alice");
  unreadable("postgres: walsender alice appdb 127.0.0.1(44832) authentication", "alice");
  unreadable("postgres: main: walsender alice appdb [local] authentication", "alice");
  unreadable("postgres: walsender alice q: alice appdb [local] authentication", "alice");
  unreadable("postgres: main: walsender alice q: alice appdb [local] authentication", "alice");
  unreadable("postgres: walsender walsender [local] authentication", "walsender");
  unreadable("postgres: walsender x [local] authentication", "walsender");
  unreadable("postgres: walsender alice appdb [local] authentication", "walsender alice");
}

static void two_readings_are_unreadable(void **state) {
  (void)state;
  unreadable("postgres: alice x: alice appdb [local] authentication", "alice");
  unreadable("postgres: main: alice x: alice appdb [local] authentication", "alice");
  unreadable("postgres: : : b [local] authentication", ":");
  unreadable("postgres: alice db [local](/tmp/: alice appdb h(5) authentication", "alice");
}

static void another_user_is_unreadable(void **state) {
  static const char title[] = "postgres: alice appdb [local] authentication";

  (void)state;
  unreadable(title, "alic");
  unreadable(title, "alice ");
  unreadable(title, "alice appdb");
  unreadable(title, "Alice");
  unreadable(title, "bob");
  unreadable(title, "");
}

static void other_forms_are_unreadable(void **state) {
  static const char *const titles[] = {
      "postgres: ",
      "postgres:  ",
      "postgres: alice",
      "postgres: alice ",
      "postgres: alice appdb",
      "postgres: alice appdb ",
      "postgres: alice [local] authentication",
      "postgres: alice  [local] authentication",
      "postgres: alice appdb [local]",
      "postgres: alice appdb [local] idle",
      "postgres: alice appdb [local] SELECT",
      "postgres: alice appdb [local] authentication ",
      "postgres: alice appdb [local]  ",
      "postgres: alice appdb [LOCAL] authentication",
      "postgres: alice appdb [local](/tmp/x) authentication",
      "postgres: alice appdb 127.0.0.1 authentication",
      "postgres: alice appdb 127.0.0.1() authentication",
      "postgres: alice appdb 127.0.0.1(x) authentication",
      "postgres: alice appdb 127.0.0.1(123456) authentication",
      "postgres: alice appdb 127.0.0.1(1)) authentication",
      "postgres: alice appdb (1) authentication",
      "postgres: checkpointer ",
      "postgres: autovacuum worker appdb",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof titles / sizeof titles[0]; i++)
    unreadable(titles[i], "alice");
}

static void a_database_is_never_shortened(void **state) {
  char text[1024];
  char name[300];

  (void)state;
  memset(name, 'd', sizeof name);
  name[255] = '\0';
  snprintf(text, sizeof text, "postgres: alice %s [local] ", name);
  assert_string_equal(parse(text, "alice").database, name);
  name[255] = 'd';
  name[256] = '\0';
  snprintf(text, sizeof text, "postgres: alice %s [local] ", name);
  unreadable(text, "alice");
}

static void a_title_that_fills_the_buffer_is_unreadable(void **state) {
  struct cx_process process = {.is_postgres = true, .title_len = sizeof process.title};
  static const char start[] = "postgres: alice ";
  static const char end[] = " [local] ";
  struct cx_title title;

  (void)state;
  memset(process.title, 'd', sizeof process.title);
  memcpy(process.title, start, sizeof start - 1);
  memcpy(process.title + sizeof process.title - sizeof end + 1, end, sizeof end - 1);
  cx_title_parse(&process, "alice", &title);
  assert_int_equal(title.kind, CX_TITLE_UNREADABLE);
}

static void only_the_first_string_counts(void **state) {
  static const char text[] = "postgres: alice appdb [local] \0\0postgres: alice other [local] ";
  struct cx_process process = {.title_len = sizeof text};
  struct cx_title title;

  (void)state;
  memcpy(process.title, text, sizeof text);
  cx_title_parse(&process, "alice", &title);
  assert_string_equal(title.database, "appdb");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(titles_of_logins_give_database_and_host),
      cmocka_unit_test(other_programs_have_no_database),
      cmocka_unit_test(the_server_without_its_title_is_unreadable),
      cmocka_unit_test(every_cut_of_a_title_is_unreadable_or_right),
      cmocka_unit_test(replication_is_unreadable),
      cmocka_unit_test(two_readings_are_unreadable),
      cmocka_unit_test(another_user_is_unreadable),
      cmocka_unit_test(other_forms_are_unreadable),
      cmocka_unit_test(a_database_is_never_shortened),
      cmocka_unit_test(a_title_that_fills_the_buffer_is_unreadable),
      cmocka_unit_test(only_the_first_string_counts),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
