/*
 * cortex.conf: values, defaults, and every case of tests/cases/settings.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A case is a file NAME.conf whose first line is "; expect ok" or
 * "; expect LINE TEXT": refused at that line with that text in the message.
 */
#include "settings/settings.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char minimal[] = "[oidc \"a\"]\nissuer = https://op.example\naudience = db\n";

static struct cortex_settings *parse(const char *text) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_settings_parse("/etc/cortex/x.conf", text, strlen(text), &settings, &error) !=
      CORTEX_OK)
    fail_msg("%u: %s", error.line, error.message);
  return settings;
}

static void defaults_are_those_of_the_manual(void **state) {
  struct cortex_settings *settings = parse(minimal);
  const struct cx_oidc_settings *oidc = &settings->issuers[0].oidc;

  (void)state;
  assert_string_equal(oidc->username_claim, "sub");
  assert_string_equal(oidc->groups_claim, "groups");
  assert_int_equal(oidc->clock_skew, 60);
  assert_int_equal(oidc->algorithms.count, 4);
  assert_int_equal(oidc->token_use, CX_TOKEN_ANY);
  assert_string_equal(oidc->mfa_amr.items[0], "mfa");
  assert_string_equal(settings->policy.path, "/etc/cortex/policies");
  assert_string_equal(settings->audit.file, "/var/log/cortex/audit.jsonl");
  assert_true(settings->audit.required);
  assert_false(settings->audit.fsync);
  assert_int_equal(settings->audit.syslog, 10); /* RFC 5424 6.2.1: authpriv */
  assert_int_equal(settings->audit.anchor_every, 1000);
  assert_int_equal(settings->cache.stale, 86400);
  assert_int_equal(settings->session.max, 12 * 3600);
  assert_string_equal(settings->session.path, "/var/lib/cortex/sessions");
  assert_false(settings->roles.assume);
  cortex_settings_free(&settings);
  assert_null(settings);
}

static void values_are_read_by_their_types(void **state) {
  struct cortex_settings *settings =
      parse("[policy]\npath = p\n[audit]\nsyslog = local3\n"
            "[roles]\nassume = yes\nprotected = app, \"b, c\"\n"
            "[oidc \"a\"]\nissuer = https://op.example\naudience = db, other\n"
            "username_map = /([^@]+)@example\\.com/\\1/\nusername_map = /(a)\\/(b)/\\2/\n"
            "required_claims = hd=example.com, scope~=db\nclock_skew = 2m\n");
  const struct cx_oidc_settings *oidc = &settings->issuers[0].oidc;

  (void)state;
  assert_string_equal(settings->policy.path, "/etc/cortex/p");
  assert_string_equal(cortex_settings_value(settings, "policy", "path"), "/etc/cortex/p");
  assert_int_equal(settings->audit.syslog, 19);
  assert_string_equal(settings->roles.protected.items[1], "b, c");
  assert_true(settings->roles.assume);
  assert_int_equal(oidc->audience.count, 2);
  assert_string_equal(cortex_issuer_value(&settings->issuers[0], "audience"), "db\nother");
  assert_int_equal(oidc->naming.maps.count, 2);
  assert_int_equal(oidc->required_claims.count, 2);
  assert_string_equal(oidc->required_claims.items[0].value, "example.com");
  assert_true(oidc->required_claims.items[1].is_member);
  assert_string_equal(oidc->required_claims.items[1].name, "scope");
  assert_int_equal(oidc->clock_skew, 120);
  cortex_settings_free(&settings);
}

static void a_connection_is_given_as_it_was_written(void **state) {
  struct cortex_settings *settings =
      parse("[oidc \"a\"]\nissuer = https://op.example\naudience = db\n[roles]\njit = yes\n"
            "jit_conninfo = host=/run port=5432  user=cortex_jit dbname=db requirepeer=postgres\n");

  (void)state;
  assert_string_equal(cortex_settings_value(settings, "roles", "jit_conninfo"),
                      "host=/run port=5432  user=cortex_jit dbname=db requirepeer=postgres");
  assert_string_equal(settings->roles.jit_conninfo.values[3], "db");
  cortex_settings_free(&settings);
}

static void every_option_is_listed_once(void **state) {
  struct cortex_option option, other;
  size_t i, j;

  (void)state;
  for (i = 0; cortex_option_get(i, &option); i++)
    for (j = 0; j < i && cortex_option_get(j, &other); j++)
      assert_false(strcmp(option.section, other.section) == 0 &&
                   strcmp(option.key, other.key) == 0);
  assert_true(i > 40);
}

/* The reader looks for an option among its section's rows only. */
static void options_of_a_section_stand_together(void **state) {
  struct cortex_option option, before, other;
  size_t i, j;

  (void)state;
  for (i = 1; cortex_option_get(i, &option); i++) {
    assert_true(cortex_option_get(i - 1, &before));
    if (strcmp(option.section, before.section) == 0)
      continue;
    for (j = 0; j < i && cortex_option_get(j, &other); j++)
      assert_string_not_equal(option.section, other.section);
  }
}

static void a_missing_file_is_named(void **state) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;

  (void)state;
  assert_int_equal(cortex_settings_load("/nonexistent/cortex.conf", &settings, &error),
                   CORTEX_CONFIG_INVALID);
  assert_null(settings);
  assert_string_equal(error.source, "/nonexistent/cortex.conf");
}

static void run_case(const char *name, const char *text) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason = cortex_settings_parse(name, text, strlen(text), &settings, &error);
  char part[256] = "";
  unsigned line = 0;

  cortex_settings_free(&settings);
  if (strncmp(text, "; expect ok\n", 12) == 0) {
    if (reason != CORTEX_OK)
      fail_msg("%s: refused: line %u: %s", name, error.line, error.message);
    return;
  }
  if (sscanf(text, "; expect %u %255[^\n]", &line, part) != 2)
    fail_msg("%s: no expectation in the first line", name);
  if (reason != CORTEX_CONFIG_INVALID || error.line != line ||
      strstr(error.message, part) == NULL || strcmp(error.source, name) != 0)
    fail_msg("%s: %s: line %u: %s", name, cortex_reason_name(reason), error.line, error.message);
}

static void every_case_of_the_folder_is_met(void **state) {
  char folder[1024], path[2048], text[65536];
  struct dirent *entry;
  int count = 0;
  DIR *dir;

  (void)state;
  snprintf(folder, sizeof folder, "%s/settings", getenv("cases"));
  dir = opendir(folder);
  assert_non_null(dir);
  while ((entry = readdir(dir)) != NULL) {
    FILE *file;
    size_t len;

    if (strstr(entry->d_name, ".conf") == NULL)
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    file = fopen(path, "r");
    assert_non_null(file);
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    run_case(path, text);
    count++;
  }
  closedir(dir);
  assert_true(count > 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_those_of_the_manual),
      cmocka_unit_test(values_are_read_by_their_types),
      cmocka_unit_test(a_connection_is_given_as_it_was_written),
      cmocka_unit_test(every_option_is_listed_once),
      cmocka_unit_test(options_of_a_section_stand_together),
      cmocka_unit_test(a_missing_file_is_named),
      cmocka_unit_test(every_case_of_the_folder_is_met),
  };

  return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
