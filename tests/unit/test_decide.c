/*
 * Decisions: from identity and service through the policy to levels and an end.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "parsed.h"
#include "scratch.h"

#include "identity/identity.h"

#define NOW INT64_C(1800000000)

static const char entities[] =
    "[{\"uid\":{\"type\":\"Service\",\"id\":\"analytics-staging\"},"
    "\"attrs\":{\"database\":\"analytics\",\"environment\":\"staging\",\"host\":\"h\",\"port\":"
    "5433,"
    "\"grants\":{\"read\":[\"analytics_read\"]}},"
    "\"parents\":[{\"type\":\"Database\",\"id\":\"analytics\"},{\"type\":\"Environment\",\"id\":"
    "\"staging\"}]},"
    "{\"uid\":{\"type\":\"Service\",\"id\":\"analytics-production\"},"
    "\"attrs\":{\"database\":\"analytics\",\"environment\":\"production\",\"host\":\"h\",\"port\":"
    "5432,"
    "\"grants\":{}},"
    "\"parents\":[{\"type\":\"Database\",\"id\":\"analytics\"},{\"type\":\"Environment\",\"id\":"
    "\"production\"}]},"
    "{\"uid\":{\"type\":\"Role\",\"id\":\"analytics-staging/report\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Service\",\"id\":\"analytics-staging\"}]},"
    "{\"uid\":{\"type\":\"Group\",\"id\":\"backend\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"engineers\"}]}]";

static const char policies[] =
    "@id(\"read-staging\") @max_session(\"8h\") @reason(\"engineers work in staging\")\n"
    "permit (principal in Group::\"engineers\", action == Action::\"read\", resource in "
    "Database::\"analytics\")\n"
    "when { resource.environment == \"staging\" };\n"
    "@id(\"write-mfa\") @max_session(\"2h\")\n"
    "permit (principal in Group::\"engineers\", action == Action::\"write\", resource)\n"
    "when { context.mfa };\n"
    "@id(\"admin-by-tag\")\n"
    "permit (principal, action == Action::\"admin\", resource)\n"
    "when { principal.hasTag(\"dba\") && principal.getTag(\"dba\").contains(\"true\") };\n"
    "@id(\"never-mallory\")\n"
    "forbid (principal == User::\"mallory\", action, resource);\n"
    "@id(\"report\")\n"
    "permit (principal in Group::\"engineers\", action == Action::\"assume\",\n"
    "        resource in Service::\"analytics-staging\");\n"
    "@id(\"broken\")\n"
    "permit (principal == User::\"carol\", action == Action::\"read\", resource)\n"
    "when { resource.port + 9223372036854775807 > 0 };\n";

struct world {
  char folder[SCRATCH_PATH];
  struct cortex_settings *settings;
  struct cortex_policy *policy;
};

static void write_file(const struct world *world, const char *name, const char *text) {
  scratch_write(world->folder, name, text, strlen(text));
}

static enum cortex_reason load(struct world *world, const char *roles, struct cortex_error *error) {
  char name[128], text[512];

  cortex_policy_free(&world->policy);
  cortex_settings_free(&world->settings);
  snprintf(name, sizeof name, "%s/cortex.conf", world->folder);
  snprintf(text, sizeof text,
           "[oidc \"a\"]\nissuer = https://op.example\naudience = db\n"
           "[policy]\npath = p\nentities = entities.json\n[session]\nmax = 12h\n%s",
           roles);
  assert_int_equal(cortex_settings_parse(name, text, strlen(text), &world->settings, error),
                   CORTEX_OK);
  return cortex_policy_load(world->settings, &world->policy, error);
}

static int make_world(void **state) {
  struct world *world = calloc(1, sizeof *world);
  char path[128];

  scratch_make(world->folder);
  snprintf(path, sizeof path, "%s/p", world->folder);
  mkdir(path, 0700);
  write_file(world, "entities.json", entities);
  write_file(world, "p/10-main.cedar", policies);
  *state = world;
  return 0;
}

static int remove_world(void **state) {
  struct world *world = *state;

  cortex_policy_free(&world->policy);
  cortex_settings_free(&world->settings);
  scratch_remove(world->folder);
  free(world);
  return 0;
}

static struct cortex_identity *identity(const char *user, const char *group, const char *claims) {
  struct cortex_identity *made = NULL;

  assert_int_equal(cortex_identity_claim(user, &group, group != NULL, &made, NULL), CORTEX_OK);
  if (claims != NULL)
    made->claims = made->document = parsed(claims);
  return made;
}

struct expected {
  enum cortex_reason reason;
  unsigned levels;
  int64_t lasts; /* seconds */
};

static void expect(struct world *world, struct cortex_identity *who,
                   struct cortex_question question, struct expected expected) {
  struct cortex_decision *decision = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  question.identity = who;
  question.now = NOW * 1000000;
  reason = cortex_decide(world->policy, &question, &decision, &error);
  if (reason != expected.reason)
    fail_msg("%s: %s", cortex_reason_name(reason), error.message);
  assert_non_null(decision);
  assert_int_equal(cortex_decision_effect(decision),
                   reason == CORTEX_OK ? CORTEX_ALLOW : CORTEX_DENY);
  assert_int_equal(cortex_decision_levels(decision), expected.levels);
  assert_int_equal(cortex_decision_session_until(decision),
                   reason == CORTEX_OK ? NOW + expected.lasts : 0);
  cortex_decision_free(&decision);
  cortex_identity_free(&who);
}

#define ON(name)                                                                                   \
  (struct cortex_question) {                                                                       \
    .service = name                                                                                \
  }
#define DENIED(reason)                                                                             \
  (struct expected) {                                                                              \
    reason, 0, 0                                                                                   \
  }
#define ALLOWED(levels, lasts)                                                                     \
  (struct expected) {                                                                              \
    CORTEX_OK, levels, lasts                                                                       \
  }

static void engineers_read_in_staging_but_not_in_production(void **state) {
  struct world *world = *state;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("alice", "engineers", NULL), ON("analytics-staging"),
         ALLOWED(CORTEX_LEVEL_READ, 8 * 3600));
  expect(world, identity("alice", "engineers", NULL), ON("analytics-production"),
         DENIED(CORTEX_POLICY_DENIED));
  expect(world, identity("bob", "sales", NULL), ON("analytics-staging"),
         DENIED(CORTEX_POLICY_DENIED));
  expect(world, identity("bob", NULL, NULL), ON("analytics-staging"), DENIED(CORTEX_POLICY_DENIED));
}

static void nested_groups_come_from_the_entities(void **state) {
  struct world *world = *state;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("dan", "backend", NULL), ON("analytics-staging"),
         ALLOWED(CORTEX_LEVEL_READ, 8 * 3600));
}

static void the_shortest_session_of_the_permits_counts(void **state) {
  struct world *world = *state;
  struct cortex_identity *who = identity("alice", "engineers", NULL);

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  who->mfa = true;
  expect(world, who, ON("analytics-staging"),
         ALLOWED(CORTEX_LEVEL_READ | CORTEX_LEVEL_WRITE, 2 * 3600));
}

static void without_max_session_the_credential_s_end_counts(void **state) {
  struct world *world = *state;
  struct cortex_identity *who = identity("eve", NULL, "{\"dba\":true}");

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  who->usable_until = NOW + 300;
  expect(world, who, ON("analytics-production"), ALLOWED(CORTEX_LEVEL_ADMIN, 300));
  who = identity("eve", NULL, "{\"dba\":[true,true]}");
  who->usable_until = NOW + 3 * 86400;
  expect(world, who, ON("analytics-production"), ALLOWED(CORTEX_LEVEL_ADMIN, 12 * 3600));
  who = identity("eve", NULL, "{\"dba\":true}"); /* SAML: its session outlasts the response */
  who->usable_until = NOW + 300;
  who->session_not_on_or_after = NOW + 600;
  expect(world, who, ON("analytics-production"), ALLOWED(CORTEX_LEVEL_ADMIN, 600));
}

static void claims_of_other_shapes_make_no_tag(void **state) {
  static const char *const claims[] = {"{\"dba\":null}",         "{\"dba\":{\"true\":true}}",
                                       "{\"dba\":[\"true\",1]}", "{\"dba\":[null]}",
                                       "{\"dba\":[]}",           "{\"dba\":[[\"true\"]]}"};
  struct world *world = *state;
  size_t i;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  for (i = 0; i < sizeof claims / sizeof claims[0]; i++)
    expect(world, identity("eve", NULL, claims[i]), ON("analytics-production"),
           DENIED(CORTEX_POLICY_DENIED));
}

static void forbid_beats_permit(void **state) {
  struct world *world = *state;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("mallory", "engineers", NULL), ON("analytics-staging"),
         DENIED(CORTEX_POLICY_DENIED));
}

static void a_permit_that_cannot_be_evaluated_permits_nothing(void **state) {
  struct world *world = *state;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("carol", NULL, NULL), ON("analytics-staging"),
         DENIED(CORTEX_POLICY_DENIED));
}

static void unknown_services_and_other_databases_are_refused(void **state) {
  struct world *world = *state;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("alice", "engineers", NULL), ON("analytics"),
         DENIED(CORTEX_SERVICE_UNKNOWN));
  expect(world, identity("alice", "engineers", NULL), ON(""), DENIED(CORTEX_SERVICE_UNKNOWN));
  expect(world, identity("alice", "engineers", NULL),
         (struct cortex_question){.service = "analytics-staging", .database = "postgres"},
         DENIED(CORTEX_SERVICE_MISMATCH));
  expect(world, identity("alice", "engineers", NULL),
         (struct cortex_question){.service = "analytics-staging", .database = "analytics"},
         ALLOWED(CORTEX_LEVEL_READ, 8 * 3600));
}

static void another_role_is_opened_only_where_assume_is_on_and_permitted(void **state) {
  const struct cortex_question report = {.service = "analytics-staging", .role = "report"};
  const struct cortex_question app = {.service = "analytics-production", .role = "report"};
  const struct cortex_question super = {.service = "analytics-staging", .role = "postgres"};
  const struct cortex_question odd = {.service = "analytics-staging", .role = "report/x"};
  struct world *world = *state;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("alice", "engineers", NULL), report, DENIED(CORTEX_ASSUME_DENIED));
  assert_int_equal(load(world, "[roles]\nassume = yes\n", NULL), CORTEX_OK);
  expect(world, identity("alice", "engineers", NULL), report, ALLOWED(CORTEX_LEVEL_ASSUME, 3600));
  expect(world, identity("bob", "sales", NULL), report, DENIED(CORTEX_ASSUME_DENIED));
  expect(world, identity("alice", "engineers", NULL), app, DENIED(CORTEX_ASSUME_DENIED));
  expect(world, identity("alice", "engineers", NULL), super, DENIED(CORTEX_PROTECTED_ROLE));
  expect(world, identity("alice", "engineers", NULL), odd, DENIED(CORTEX_BAD_USERNAME));
}

/* USER/LEVEL is the person's own where roles are made, and anybody's shared one elsewhere. */
static void a_role_of_one_level_is_the_person_s_where_roles_are_made(void **state) {
  static const char jit[] = "[roles]\njit = yes\njit_conninfo = \"host=/run/postgresql port=5432 "
                            "user=cortex_jit dbname=postgres requirepeer=postgres\"\n";
  static const char name58[] = "1234567890123456789012345678901234567890123456789012345678";
  const struct cortex_question own = {.service = "analytics-staging", .role = "alice/read"};
  const struct cortex_question other = {.service = "analytics-staging", .role = "bob/read"};
  struct cortex_question long_name = {.service = "analytics-staging"};
  struct world *world = *state;
  struct cortex_identity *more = identity("alice", "engineers", NULL);
  char user[64], role[80];

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  expect(world, identity("alice", "engineers", NULL), own, DENIED(CORTEX_ASSUME_DENIED));
  assert_int_equal(load(world, jit, NULL), CORTEX_OK);
  more->mfa = true; /* may write as well, and asks for no more than to read */
  expect(world, more, own, ALLOWED(CORTEX_LEVEL_READ, 8 * 3600));
  expect(world, identity("alice", "engineers", NULL), own, ALLOWED(CORTEX_LEVEL_READ, 8 * 3600));
  expect(world, identity("alice", "engineers", NULL), other, DENIED(CORTEX_ASSUME_DENIED));
  long_name.role = role;
  snprintf(role, sizeof role, "%s/read", name58);
  expect(world, identity(name58, "engineers", NULL), long_name,
         ALLOWED(CORTEX_LEVEL_READ, 8 * 3600));
  snprintf(user, sizeof user, "%sx", name58);
  snprintf(role, sizeof role, "%s/read", user);
  expect(world, identity(user, "engineers", NULL), long_name, DENIED(CORTEX_BAD_USERNAME));
}

/* What is said of a service holds for its roles, also for those that no file lists. */
static void a_role_is_in_its_service(void **state) {
  static const char *const roles[] = {"report", "batch"}; /* the first one is in the file */
  struct world *world = *state;
  size_t i;

  write_file(world, "p/20-more.cedar",
             "permit (principal in Group::\"dba\", action == Action::\"assume\",\n"
             "        resource in Database::\"analytics\");\n"
             "forbid (principal, action, resource in Environment::\"production\")\n"
             "unless { context.mfa };\n");
  assert_int_equal(load(world, "[roles]\nassume = yes\n", NULL), CORTEX_OK);
  for (i = 0; i < sizeof roles / sizeof roles[0]; i++) {
    const struct cortex_question staging = {.service = "analytics-staging", .role = roles[i]};
    const struct cortex_question production = {.service = "analytics-production", .role = roles[i]};

    expect(world, identity("dana", "dba", NULL), staging, ALLOWED(CORTEX_LEVEL_ASSUME, 3600));
    expect(world, identity("alice", "engineers", NULL), staging,
           ALLOWED(CORTEX_LEVEL_ASSUME, 3600));
    expect(world, identity("dana", "dba", NULL), production, DENIED(CORTEX_ASSUME_DENIED));
  }
}

static void a_service_takes_a_credential_for_its_own_audience_only(void **state) {
  static const char service[] =
      "[{\"uid\":{\"type\":\"Service\",\"id\":\"s\"},\"attrs\":{\"database\":\"d\",\"environment\":"
      "\"e\",\"host\":\"h\",\"port\":1,\"grants\":{},\"audience\":\"prod\"},\"parents\":[]},"
      "{\"uid\":{\"type\":\"Service\",\"id\":\"any\"},\"attrs\":{\"database\":\"d\","
      "\"environment\":"
      "\"e\",\"host\":\"h\",\"port\":1,\"grants\":{}},\"parents\":[]}]";
  static const char sections[] = "[saml \"own\"]\nmetadata_file = m\nsp_entity_id = prod\n"
                                 "acs_url = https://a.example\nshared_names = yes\n"
                                 "[saml \"other\"]\nmetadata_file = m\nsp_entity_id = stage\n"
                                 "acs_url = https://a.example\nshared_names = yes\n";
  static const struct {
    const char *label, *claims;
    enum cortex_reason reason;
  } cases[] = {
      {"a", "{\"aud\":\"prod\"}", CORTEX_OK},
      {"a", "{\"aud\":[\"stage\",\"prod\"]}", CORTEX_OK},
      {"a", "{\"aud\":\"stage\"}", CORTEX_AUDIENCE_MISMATCH},
      {"a", "{\"aud\":[]}", CORTEX_AUDIENCE_MISMATCH},
      {"a", "{\"aud\":[\"prod \",\"PROD\"]}", CORTEX_AUDIENCE_MISMATCH},
      {"a", "{}", CORTEX_AUDIENCE_MISMATCH},
      {"own", "{}", CORTEX_OK},
      {"other", "{\"aud\":\"prod\"}", CORTEX_AUDIENCE_MISMATCH},
  };
  struct world *world = *state;
  size_t i;

  write_file(world, "entities.json", service);
  assert_int_equal(load(world, sections, NULL), CORTEX_OK);
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cortex_identity *who = identity("alice", NULL, cases[i].claims);

    assert_int_equal(cortex_service_check_audience(world->policy, world->settings, who, "s", NULL),
                     CORTEX_OK); /* nobody proved it */
    who->issuer = strdup("https://op.example");
    who->label = strdup(cases[i].label);
    assert_int_equal(cortex_service_check_audience(world->policy, world->settings, who, "s", NULL),
                     cases[i].reason);
    assert_int_equal(
        cortex_service_check_audience(world->policy, world->settings, who, "any", NULL), CORTEX_OK);
    assert_int_equal(
        cortex_service_check_audience(world->policy, world->settings, who, "none", NULL),
        CORTEX_SERVICE_UNKNOWN);
    cortex_identity_free(&who);
  }
}

static void determining_policies_are_named_with_their_place(void **state) {
  struct world *world = *state;
  struct cortex_identity *who = identity("alice", "engineers", NULL);
  struct cortex_question question = {
      .identity = who, .service = "analytics-staging", .now = NOW * 1000000};
  struct cortex_decision *decision = NULL;
  struct cortex_determining item;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  assert_int_equal(cortex_decide(world->policy, &question, &decision, NULL), CORTEX_OK);
  assert_true(cortex_decision_determining(decision, 0, &item));
  assert_string_equal(item.id, "read-staging");
  assert_int_equal(item.line, 1);
  assert_non_null(strstr(item.source, "10-main.cedar"));
  assert_string_equal(item.reason, "engineers work in staging");
  assert_false(cortex_decision_determining(decision, 1, &item));
  cortex_decision_free(&decision);
  cortex_identity_free(&who);
}

static void the_explanation_of_a_deny_names_the_clause_that_failed(void **state) {
  struct world *world = *state;
  struct cortex_identity *who = identity("alice", "engineers", NULL);
  struct cortex_question question = {
      .identity = who, .service = "analytics-production", .now = NOW * 1000000};
  char *text = NULL;

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  assert_int_equal(cortex_explain(world->policy, &question, &text, NULL), CORTEX_OK);
  assert_non_null(strstr(text, "read-staging"));
  assert_non_null(strstr(text, "10-main.cedar"));
  assert_non_null(strstr(text, "resource.environment == \"staging\""));
  assert_non_null(strstr(text, "resource.environment = \"production\""));
  free(text);
  cortex_identity_free(&who);
}

static void no_decision_is_a_deny(void **state) {
  struct cortex_determining determining;

  (void)state;
  assert_int_equal(cortex_decision_effect(NULL), CORTEX_DENY);
  assert_int_equal(cortex_decision_levels(NULL), 0);
  assert_int_equal(cortex_decision_session_until(NULL), 0);
  assert_false(cortex_decision_determining(NULL, 0, &determining));
}

static void the_digest_follows_every_file(void **state) {
  struct world *world = *state;
  char first[65];

  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  strcpy(first, cortex_policy_digest(world->policy));
  assert_int_equal(strlen(first), 64);
  write_file(world, "p/.hidden.cedar", "permit (principal, action, resource);");
  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  assert_string_equal(cortex_policy_digest(world->policy), first);
  write_file(world, "p/20-more.cedar", "");
  assert_int_equal(load(world, "", NULL), CORTEX_OK);
  assert_string_not_equal(cortex_policy_digest(world->policy), first);
}

static void broken_files_refuse_the_whole_policy_with_their_place(void **state) {
  static const struct {
    const char *file, *text, *part;
    unsigned line;
  } broken[] = {
      {"p/20-more.cedar", "permit (principal, action, resource)\nwhen { 1 + };", "", 2},
      {"p/20-more.cedar", "@max_session(\"8 hours\")\npermit (principal, action, resource);",
       "@max_session", 1},
      {"p/20-more.cedar", "@id(\"report\") permit (principal, action, resource);", "report", 1},
      {"p/20-more.cedar",
       "permit (principal, action == Action::\"read\", resource)\n"
       "when { resource.enviroment == \"staging\" };",
       "enviroment", 2},
      {"p/20-more.cedar", "permit (principal, action == Action::\"raed\", resource);", "raed", 1},
      {"p/20-more.cedar",
       "permit (principal, action, resource)\nwhen { context.groups.contains(\"x\") };", "groups",
       2},
      {"entities.json", "", "", 1},
      {"entities.json", "{}", "", 1},
      {"entities.json",
       "[{\"uid\":{\"type\":\"Service\",\"id\":\"s\"},\"attrs\":{\"environment\":\"x\"},"
       "\"parents\":[]}]",
       "database", 1},
      {"entities.json",
       "[{\"uid\":{\"type\":\"Service\",\"id\":\"s\"},\"attrs\":{\"database\":\"d\","
       "\"environment\":\"e\","
       "\"host\":\"h\",\"grants\":{},\"port\":70000},\"parents\":[]}]",
       "port", 1},
      {"entities.json",
       "[{\"uid\":{\"type\":\"Service\",\"id\":\"s\"},\"attrs\":{\"database\":\"d\","
       "\"environment\":\"e\","
       "\"host\":\"h\",\"port\":1,\"grants\":{\"read\":\"x\"}},\"parents\":[]}]",
       "Set", 1},
  };
  struct world *world = *state;
  size_t i;

  for (i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    struct cortex_error error = CORTEX_ERROR_NONE;

    write_file(world, "entities.json", entities);
    write_file(world, "p/20-more.cedar", "");
    write_file(world, broken[i].file, broken[i].text);
    assert_int_equal(load(world, "", &error), CORTEX_POLICY_UNAVAILABLE);
    assert_null(world->policy);
    assert_non_null(strstr(error.source, broken[i].file));
    if (strstr(error.message, broken[i].part) == NULL)
      fail_msg("%s: %s", broken[i].part, error.message);
    assert_int_equal(error.line, broken[i].line);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)
      TEST(engineers_read_in_staging_but_not_in_production),
      TEST(nested_groups_come_from_the_entities),
      TEST(the_shortest_session_of_the_permits_counts),
      TEST(without_max_session_the_credential_s_end_counts),
      TEST(claims_of_other_shapes_make_no_tag),
      TEST(forbid_beats_permit),
      TEST(a_permit_that_cannot_be_evaluated_permits_nothing),
      TEST(unknown_services_and_other_databases_are_refused),
      TEST(another_role_is_opened_only_where_assume_is_on_and_permitted),
      TEST(a_role_of_one_level_is_the_person_s_where_roles_are_made),
      TEST(a_role_is_in_its_service),
      TEST(a_service_takes_a_credential_for_its_own_audience_only),
      TEST(determining_policies_are_named_with_their_place),
      TEST(the_explanation_of_a_deny_names_the_clause_that_failed),
      cmocka_unit_test(no_decision_is_a_deny),
      TEST(the_digest_follows_every_file),
      TEST(broken_files_refuse_the_whole_policy_with_their_place),
  };

  return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
