/*
 * Standing: whoever was asked about before, a person gets the answer that Cedar gives of them.
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

#include <cmocka.h>

#include "scratch.h"

#include "identity/identity.h"
#include "util/buf.h"

#define GROUPS 80 /* more than the bits of one standing */
#define USERS 6
#define PEOPLE 600
#define LEVELS (CORTEX_LEVEL_READ | CORTEX_LEVEL_WRITE | CORTEX_LEVEL_ADMIN)

static const char *const services[] = {"few", "many", "most"};
#define SERVICES (sizeof services / sizeof services[0])

/* What heads and conditions can say of a principal; "few" has all of it. */
static const char policies[] =
    "@id(\"in\") @reason(\"in it\") permit (principal in Group::\"g0\", action == "
    "Action::\"read\", resource);\n"
    "@id(\"is in\") permit (principal is User in Group::\"g1\", action == Action::\"read\", "
    "resource);\n"
    "@id(\"by place\") permit (principal in Group::\"g2\", action, resource in "
    "Environment::\"e\");\n"
    "@id(\"not here\") permit (principal in Group::\"g2\", action, resource in "
    "Environment::\"other\");\n"
    "@id(\"not in\") forbid (principal in Group::\"g3\", action == Action::\"read\", resource);\n"
    "@id(\"one\") permit (principal == User::\"u1\", action == Action::\"write\", resource);\n"
    "@id(\"not one\") forbid (principal == User::\"u2\", action, resource == Service::\"few\");\n"
    "@id(\"later\") permit (principal in Group::\"g4\", action == Action::\"write\", resource)\n"
    "when { context.mfa };\n"
    "@id(\"later no\") forbid (principal in Group::\"g5\", action == Action::\"write\", resource)\n"
    "unless { context.mfa };\n"
    "@id(\"behind\") permit (principal, action == Action::\"admin\", resource == "
    "Service::\"few\")\n"
    "when { principal in Group::\"g6\" };\n"
    "@id(\"behind a quote\") permit (principal, action == Action::\"write\", resource == "
    "Service::\"many\")\n"
    "when { resource.environment != \"\\\"\" && principal == User::\"u4\" };\n";

struct world {
  char folder[SCRATCH_PATH];
  struct cortex_settings *settings;
  struct cortex_policy *policy;
};

static void write_file(const struct world *world, const char *name, const struct cx_buf *text) {
  scratch_write(world->folder, name, text->bytes, text->len);
}

/* g9 is in g8 and that in g0; that u3 is in g2 says the entities file alone, and no login takes it.
 */
static void write_entities(const struct world *world) {
  struct cx_buf text;
  size_t i;

  cx_buf_init(&text, 65536);
  cx_buf_put_text(&text, "[{\"uid\":{\"type\":\"Group\",\"id\":\"g9\"},\"attrs\":{},"
                         "\"parents\":[{\"type\":\"Group\",\"id\":\"g8\"}]},"
                         "{\"uid\":{\"type\":\"Group\",\"id\":\"g8\"},\"attrs\":{},"
                         "\"parents\":[{\"type\":\"Group\",\"id\":\"g0\"}]},"
                         "{\"uid\":{\"type\":\"User\",\"id\":\"u3\"},\"attrs\":{\"username\":"
                         "\"u3\",\"issuer\":\"\",\"subject\":\"\"},"
                         "\"parents\":[{\"type\":\"Group\",\"id\":\"g2\"}]}");
  for (i = 0; i < SERVICES; i++)
    cx_buf_printf(&text,
                  ",{\"uid\":{\"type\":\"Service\",\"id\":\"%s\"},\"attrs\":{\"database\":\"d\","
                  "\"environment\":\"e\",\"host\":\"h\",\"port\":5432,\"grants\":{}},"
                  "\"parents\":[{\"type\":\"Environment\",\"id\":\"e\"}]}",
                  services[i]);
  cx_buf_put_text(&text, "]");
  write_file(world, "entities.json", &text);
  cx_buf_clear(&text);
}

/* On "many" more groups matter than an int has bits, on "most" more than are told apart at all. */
static void write_policies(const struct world *world) {
  struct cx_buf text;
  unsigned i;

  cx_buf_init(&text, 65536);
  cx_buf_put_text(&text, policies);
  for (i = 0; i < GROUPS; i++)
    cx_buf_printf(&text,
                  "@id(\"%u\") %s (principal in Group::\"g%u\", action == Action::\"admin\", "
                  "resource == Service::\"%s\");\n",
                  i, i % 5 == 4 ? "forbid" : "permit", i, i < 50 ? "many" : "most");
  for (i = 0; i < GROUPS; i++)
    cx_buf_printf(&text,
                  "@id(\"w%u\") permit (principal in Group::\"g%u\", action == Action::\"write\", "
                  "resource == Service::\"most\");\n",
                  i, i);
  write_file(world, "main.cedar", &text);
  cx_buf_clear(&text);
}

static int make_world(void **state) {
  static const char text[] = "[oidc \"a\"]\nissuer = https://op.example\naudience = db\n"
                             "[policy]\npath = .\nentities = entities.json\n";
  struct world *world = calloc(1, sizeof *world);
  struct cortex_error error = CORTEX_ERROR_NONE;
  char name[128];

  scratch_make(world->folder);
  write_entities(world);
  write_policies(world);
  snprintf(name, sizeof name, "%s/cortex.conf", world->folder);
  if (cortex_settings_parse(name, text, strlen(text), &world->settings, &error) != CORTEX_OK ||
      cortex_policy_load(world->settings, &world->policy, &error) != CORTEX_OK)
    fail_msg("%s: %s", error.source, error.message);
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

/* Somebody of a few groups, often of the lower ones, which more policies name. */
struct person {
  char name[8];
  char groups[4][8];
  uint32_t numbers[4];
  size_t count;
};

static unsigned random_below(unsigned limit) {
  static uint64_t seed = 20260701;

  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)(seed >> 33) % limit;
}

static struct person make_person(void) {
  struct person person = {.count = random_below(5)};
  size_t i;

  snprintf(person.name, sizeof person.name, "u%u", random_below(USERS));
  for (i = 0; i < person.count; i++) {
    person.numbers[i] = random_below(2) == 0 ? random_below(10) : random_below(GROUPS);
    snprintf(person.groups[i], sizeof person.groups[i], "g%u", (unsigned)person.numbers[i]);
  }
  return person;
}

static struct cortex_standing *make_standing(const struct world *world) {
  struct cortex_standing *standing = NULL;
  uint32_t number, i;
  char name[8];

  assert_int_equal(cortex_standing_new(world->policy, &standing, NULL), CORTEX_OK);
  for (i = 0; i < GROUPS; i++) {
    snprintf(name, sizeof name, "g%u", (unsigned)i);
    assert_int_equal(cortex_standing_group(standing, name, &number, NULL), CORTEX_OK);
    assert_int_equal(number, i);
  }
  return standing;
}

/* SERVICE LEVEL and by which policy, in order; also the levels that stand, by service. */
static void put_answer(const struct world *world, struct cortex_standing *standing,
                       const struct person *person, struct cx_buf *text, unsigned *levels) {
  struct cortex_standing_level level;
  struct cortex_service service;
  size_t i, j;
  unsigned bit;

  assert_int_equal(
      cortex_standing_ask(standing, person->name, person->numbers, person->count, NULL), CORTEX_OK);
  cx_buf_init(text, 4096);
  cx_buf_put_text(text, "");
  memset(levels, 0, SERVICES * sizeof *levels);
  for (i = 0; i < SERVICES; i++)
    for (bit = CORTEX_LEVEL_READ; bit <= CORTEX_LEVEL_ADMIN; bit <<= 1)
      for (j = 0; cortex_standing_get(standing, j, &level); j++) {
        if (level.service != i || level.level != bit)
          continue;
        assert_true(cortex_policy_service(world->policy, i, &service));
        cx_buf_printf(text, "%s %s by %s: %s\n", service.name, cortex_level_name(bit),
                      level.is_conditional ? "a login" : level.policy, level.reason);
        levels[i] |= level.is_conditional ? 0 : bit;
      }
}

/* Asked of Cedar for this login alone, whatever the heads of the policies say. */
static void expect_levels(const struct world *world, const struct person *person,
                          const unsigned *levels) {
  const char *groups[4];
  struct cortex_identity *identity = NULL;
  struct cortex_question question = {.identity = NULL};
  struct cortex_service service;
  unsigned standing;
  size_t i;

  for (i = 0; i < person->count; i++)
    groups[i] = person->groups[i];
  assert_int_equal(cortex_identity_claim(person->name, groups, person->count, &identity, NULL),
                   CORTEX_OK);
  question.identity = identity;
  for (i = 0; cortex_policy_service(world->policy, i, &service); i++) {
    question.service = service.name;
    assert_int_equal(cx_standing_levels(world->policy, &question, LEVELS, &standing, NULL),
                     CORTEX_OK);
    if (standing != levels[i])
      fail_msg("%s on %s: %u in place of %u", person->name, service.name, levels[i], standing);
    assert_int_equal(
        cx_standing_levels(world->policy, &question, CORTEX_LEVEL_READ, &standing, NULL),
        CORTEX_OK);
    assert_int_equal(standing, levels[i] & CORTEX_LEVEL_READ);
  }
  cortex_identity_free(&identity);
}

static void who_was_asked_about_before_changes_no_answer(void **state) {
  const struct world *world = *state;
  struct cortex_standing *standing = make_standing(world), *fresh;
  unsigned levels[SERVICES], expected[SERVICES];
  struct cx_buf answer, alone;
  struct person person;
  size_t i;

  for (i = 0; i < PEOPLE; i++) {
    person = make_person();
    fresh = make_standing(world);
    put_answer(world, standing, &person, &answer, levels);
    put_answer(world, fresh, &person, &alone, expected);
    assert_string_equal(answer.bytes, alone.bytes);
    expect_levels(world, &person, levels);
    cx_buf_clear(&answer);
    cx_buf_clear(&alone);
    cortex_standing_free(&fresh);
  }
  cortex_standing_free(&standing);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(who_was_asked_about_before_changes_no_answer, make_world,
                                      remove_world),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
