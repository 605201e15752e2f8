/*
 * The SAML helper's answer as the library takes it: from a stranger.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "saml/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1700000000
#define GOOD                                                                                       \
  "\"ok\":true,\"label\":\"idp\",\"issuer\":\"https://idp.example\",\"assertion_id\":\"_1\","      \
  "\"usable_until\":1700000300,\"session_until\":0,\"one_time\":false,\"transient\":false"
#define SUBJECT ",\"subject\":\"alice\""
#define ATTRIBUTES ",\"attributes\":{\"groups\":[\"staff\"]}"
#define WHOLE "{" GOOD SUBJECT ATTRIBUTES "}"

static const char config[] = "[saml \"idp\"]\n"
                             "metadata_file = idp.xml\n"
                             "sp_entity_id = https://db.example\n"
                             "acs_url = https://db.example/acs\n"
                             "shared_names = yes\n"
                             "[saml \"named\"]\n"
                             "metadata_file = named.xml\n"
                             "idp_entity_id = https://op.example\n"
                             "sp_entity_id = https://db.example\n"
                             "acs_url = https://db.example/acs\n"
                             "shared_names = yes\n"
                             "[oidc \"token\"]\n"
                             "issuer = https://op.example\n"
                             "audience = db\n"
                             "shared_names = yes\n";

static struct cortex_settings *settings;

static int load(void **state) {
  (void)state;
  return cortex_settings_parse("cortex.conf", config, sizeof config - 1, &settings, NULL) !=
         CORTEX_OK;
}

static int unload(void **state) {
  (void)state;
  cortex_settings_free(&settings);
  return 0;
}

static enum cortex_reason take_bytes(const char *bytes, size_t len,
                                     struct cortex_identity **identity_out,
                                     struct cortex_error *error) {
  const struct cx_trust trust = {settings->issuers, settings->issuer_count, NULL, 0};
  struct cortex_identity *identity = cx_identity_new();
  enum cortex_reason reason;
  struct cx_buf answer;

  assert_non_null(identity);
  cx_buf_init(&answer, 1024 * 1024);
  cx_buf_put(&answer, bytes, len);
  reason = cx_saml_profile_read(&trust, &answer, NOW, identity, error);
  cx_buf_clear(&answer);
  *identity_out = identity;
  return reason;
}

static void refused(const char *text, enum cortex_reason expected) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_identity *identity;
  enum cortex_reason reason = take_bytes(text, strlen(text), &identity, &error);

  if (reason != expected)
    fail_msg("%s: %s (%s), expected %s", text, cortex_reason_name(reason), error.message,
             cortex_reason_name(expected));
  assert_int_equal(error.reason, expected);
  cortex_identity_free(&identity);
}

static void a_whole_answer_is_taken(void **state) {
  struct cortex_identity *identity;

  (void)state;
  assert_int_equal(take_bytes(WHOLE, strlen(WHOLE), &identity, NULL), CORTEX_OK);
  assert_string_equal(identity->username, "alice");
  assert_string_equal(identity->label, "idp");
  assert_int_equal(identity->usable_until, 1700000300);
  assert_false(identity->one_time);
  assert_int_equal(identity->groups.count, 1);
  cortex_identity_free(&identity);
}

/* Whose name it is, the operator says: metadata and helper could say any. */
static void a_name_of_another_section_is_not_taken(void **state) {
  static const struct {
    const char *label, *issuer;
    enum cortex_reason expected;
  } names[] = {{"idp", "https://idp.example", CORTEX_OK},
               {"idp", "https://op.example", CORTEX_UNKNOWN_ISSUER},
               {"named", "https://op.example", CORTEX_OK},
               {"named", "https://idp.example", CORTEX_HELPER_FAILED}};
  struct cortex_identity *identity;
  char text[1024];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(text, sizeof text,
             "{\"ok\":true,\"label\":\"%s\",\"issuer\":\"%s\",\"assertion_id\":\"_1\",\"usable_until\":1700000300,"
             "\"session_until\":0,\"one_time\":false,\"transient\":false" SUBJECT ATTRIBUTES "}",
             names[i].label, names[i].issuer);
    assert_int_equal(take_bytes(text, strlen(text), &identity, NULL), names[i].expected);
    cortex_identity_free(&identity);
  }
}

static bool is_overage(const char *attributes) {
  struct cortex_identity *identity;
  char text[1024];
  bool is_over;

  snprintf(text, sizeof text, "{" GOOD SUBJECT ",\"attributes\":{%s}}", attributes);
  assert_int_equal(take_bytes(text, strlen(text), &identity, NULL), CORTEX_OK);
  is_over = identity->groups_overage;
  cortex_identity_free(&identity);
  return is_over;
}

/* Microsoft Entra's link in place of more groups than an assertion lists. */
static void a_link_in_place_of_groups_is_an_overage(void **state) {
  static const char link[] = "\"http://schemas.microsoft.com/claims/groups.link\":"
                             "[\"https://graph.windows.net/t/users/u/getMemberObjects\"]";
  char both[sizeof link + 64];

  (void)state;
  snprintf(both, sizeof both, "%s,\"groups\":[\"staff\"]", link);
  assert_true(is_overage(link));
  assert_false(is_overage(both));
  assert_false(is_overage(""));
}

static bool is_one_time(const char *member) {
  struct cortex_identity *identity;
  char text[1024];
  bool is_once;

  snprintf(text, sizeof text,
           "{\"ok\":true,\"label\":\"idp\",\"issuer\":\"i\",\"assertion_id\":\"_1\","
           "\"usable_until\":1700000300,\"session_until\":0%s" SUBJECT ATTRIBUTES "}",
           member);
  assert_int_equal(take_bytes(text, strlen(text), &identity, NULL), CORTEX_OK);
  is_once = identity->one_time;
  cortex_identity_free(&identity);
  return is_once;
}

static void one_use_is_asked_unless_it_is_denied(void **state) {
  (void)state;
  assert_true(is_one_time(",\"one_time\":true"));
  assert_true(is_one_time(""));
  assert_true(is_one_time(",\"one_time\":0"));
  assert_false(is_one_time(",\"one_time\":false"));
}

static void what_is_no_answer_is_the_helper_s_failure(void **state) {
  static const char *const texts[] = {
      "",
      "null",
      "[]",
      "\"ok\"",
      "{",
      "{}",
      "{\"ok\":true}",
      "<xml/>",
      WHOLE WHOLE,
      WHOLE "x",
      "[" WHOLE "]",
      "{\"ok\":1," GOOD SUBJECT ATTRIBUTES "}",
      "{" GOOD SUBJECT ATTRIBUTES ",\"subject\":\"postgres\"}",
      "{" GOOD SUBJECT ",\"attributes\":{\"groups\":[],\"groups\":[\"dba\"]}}",
      "{" GOOD SUBJECT "}",
      "{" GOOD SUBJECT ",\"attributes\":[]}",
      "{" GOOD SUBJECT ",\"attributes\":null}",
      "{" GOOD SUBJECT ",\"attributes\":{\"groups\":\"staff\"}}",
      "{" GOOD SUBJECT ",\"attributes\":{\"groups\":[{}]}}",
      "{" GOOD SUBJECT ",\"attributes\":{\"groups\":[1]}}",
      "{" GOOD SUBJECT ",\"attributes\":{\"other\":[\"a\\u0000b\"]}}",
      "{" GOOD SUBJECT ",\"attributes\":{\"a\\u0000b\":[]}}",
      "{" GOOD ",\"subject\":\"\xff\"" ATTRIBUTES "}",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
    refused(texts[i], CORTEX_HELPER_FAILED);
}

/* The same, by one member that is not as it must be. */
static void members_are_checked_one_by_one(void **state) {
  static const struct {
    const char *from, *to;
    enum cortex_reason reason;
  } changes[] = {
      {"\"ok\":true", "\"ok\":\"true\"", CORTEX_HELPER_FAILED},
      {"\"ok\":true", "\"ok\":false", CORTEX_HELPER_FAILED},
      {"\"label\":\"idp\"", "\"label\":\"other\"", CORTEX_HELPER_FAILED},
      {"\"label\":\"idp\"", "\"label\":\"token\"", CORTEX_HELPER_FAILED},
      {"\"label\":\"idp\"", "\"label\":\"idp\\u0000x\"", CORTEX_HELPER_FAILED},
      {"\"label\":\"idp\"", "\"label\":null", CORTEX_HELPER_FAILED},
      {"\"issuer\":\"https://idp.example\"", "\"issuer\":\"\"", CORTEX_CLAIM_MISMATCH},
      {"\"issuer\":\"https://idp.example\"", "\"issuer\":\"a\\u0000b\"", CORTEX_CLAIM_MISMATCH},
      {"\"issuer\":\"https://idp.example\"", "\"issuer\":7", CORTEX_CLAIM_MISMATCH},
      {"\"assertion_id\":\"_1\"", "\"assertion_id\":\"\"", CORTEX_HELPER_FAILED},
      {"\"assertion_id\":\"_1\"", "\"assertion_id\":\"_1\\u0000\"", CORTEX_HELPER_FAILED},
      {"\"assertion_id\":\"_1\"", "\"assertion_id\":[]", CORTEX_HELPER_FAILED},
      {"1700000300", "1699999000", CORTEX_TOKEN_EXPIRED},
      {"1700000300", "1699999940", CORTEX_TOKEN_EXPIRED},
      {"1700000300", "-1", CORTEX_HELPER_FAILED},
      {"1700000300", "0", CORTEX_HELPER_FAILED},
      {"1700000300", "1700000300.0", CORTEX_HELPER_FAILED},
      {"1700000300", "\"1700000300\"", CORTEX_HELPER_FAILED},
      {"1700000300", "99999999999999999999", CORTEX_HELPER_FAILED},
      {"1700000300", "9223372036854775807", CORTEX_HELPER_FAILED},
      {"\"session_until\":0", "\"session_until\":-1", CORTEX_HELPER_FAILED},
      {"\"session_until\":0", "\"session_until\":9223372036854775807", CORTEX_HELPER_FAILED},
      {"\"session_until\":0", "\"session_until\":null", CORTEX_HELPER_FAILED},
      {"\"alice\"", "\"\"", CORTEX_BAD_USERNAME},
      {"\"alice\"", "\"ali\\u0000ce\"", CORTEX_BAD_USERNAME},
      {"\"alice\"", "\"ali\\nce\"", CORTEX_BAD_USERNAME},
      {"\"alice\"", "[\"alice\"]", CORTEX_HELPER_FAILED},
      {"[\"staff\"]", "[\"\"]", CORTEX_CLAIM_MISMATCH},
      {"[\"staff\"]", "[null]", CORTEX_CLAIM_MISMATCH},
      {"[\"staff\"]", "[\"a\\u009fb\"]", CORTEX_CLAIM_MISMATCH},
  };
  char text[2048];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    const char *at = strstr(WHOLE, changes[i].from);

    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - WHOLE), WHOLE, changes[i].to,
             at + strlen(changes[i].from));
    refused(text, changes[i].reason);
  }
}

static void refusals_are_passed_on(void **state) {
  (void)state;
  refused("{\"ok\":false,\"error\":\"signature_invalid\",\"detail\":\"no\"}",
          CORTEX_SIGNATURE_INVALID);
  refused("{\"ok\":false,\"error\":\"keys_unavailable\",\"label\":\"idp\"}",
          CORTEX_KEYS_UNAVAILABLE);
  refused("{\"error\":\"xml_refused\",\"detail\":[]}", CORTEX_XML_REFUSED);
}

/* What the login decides by itself cannot be claimed, and no word for success is a refusal's reason. */
static void reasons_that_are_not_the_helper_s_are_its_failure(void **state) {
  static const char *const names[] = {
      "\"ok\"",          "\"policy_denied\"", "\"replayed\"",           "\"revoked\"",
      "\"protected_role\"", "\"state_unavailable\"", "\"config_invalid\"", "\"deadline\"",
      "\"\"",            "\"no_such_code\"",  "\"malformed\\u0000\"",   "null",
      "[\"malformed\"]", "7",                 "\"SIGNATURE_INVALID\""};
  char text[256];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(text, sizeof text, "{\"ok\":false,\"error\":%s,\"detail\":\"d\"}", names[i]);
    refused(text, CORTEX_HELPER_FAILED);
  }
}

static void nesting_is_bounded(void **state) {
  struct cortex_identity *identity;
  char *text = malloc(200000);

  (void)state;
  assert_non_null(text);
  memset(text, '[', 200000);
  assert_int_equal(take_bytes(text, 200000, &identity, NULL), CORTEX_HELPER_FAILED);
  cortex_identity_free(&identity);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer_is_taken),
      cmocka_unit_test(a_name_of_another_section_is_not_taken),
      cmocka_unit_test(a_link_in_place_of_groups_is_an_overage),
      cmocka_unit_test(one_use_is_asked_unless_it_is_denied),
      cmocka_unit_test(what_is_no_answer_is_the_helper_s_failure),
      cmocka_unit_test(members_are_checked_one_by_one),
      cmocka_unit_test(refusals_are_passed_on),
      cmocka_unit_test(reasons_that_are_not_the_helper_s_are_its_failure),
      cmocka_unit_test(nesting_is_bounded),
  };

  return cmocka_run_group_tests_name("profile", tests, load, unload);
}
