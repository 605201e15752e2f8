/*
 * Requests made without JSON: values, overlay, several questions, what is refused.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cedar_world.h"

static struct cedar_text t(const char *string) {
  return (struct cedar_text){string, strlen(string)};
}

static struct cedar_uid_text uid(const char *type, const char *id) {
  return (struct cedar_uid_text){t(type), t(id)};
}

static struct cedar_store *store_of(const char *policies) {
  struct cedar_source source = {"test.cedar", policies, strlen(policies)};
  struct cedar_error error = {0};
  struct cedar_store *store;

  assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
  if (cedar_store_add_policies(store, &source, CEDAR_ID_HOST, &error) != CEDAR_OK)
    fail_msg("%u:%u: %s", error.line, error.column, error.message);
  assert_true(cedar_world_add(store));
  return store;
}

/* Whether `permit ... when { condition }` allows the world's request. */
static bool holds(const char *condition) {
  struct cedar_answer answer;
  struct cedar_request *r;
  struct cedar_store *store;
  char policy[512];

  snprintf(policy, sizeof(policy), "permit (principal, action, resource) when { %s };", condition);
  store = store_of(policy);
  r = cedar_world_request(store, NULL);
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  cedar_request_free(&r);
  cedar_store_free(&store);
  return answer.decision == CEDAR_ALLOW;
}

static void context_has_every_kind_of_value(void **state) {
  (void)state;
  assert_true(holds("context.mfa == false && context.count == 3"));
  assert_true(holds("context.now == datetime(\"2023-11-14T22:13:20Z\")"));
  assert_true(holds("context.groups == [\"ops\", \"eng\", \"ops\"]"));
  assert_true(holds("context.address.isInRange(ip(\"fd00::/8\"))"));
  assert_true(holds("context.who == User::\"bob\" && context.who is User"));
  assert_false(holds("context has nothing"));
}

static void overlay_replaces_the_stored_entity(void **state) {
  struct cedar_store *store =
      store_of("permit (principal in Group::\"all\", action, resource) when {"
               " principal.n == 9 && principal.hasTag(\"claim\") &&"
               " !(principal has s) && !principal.hasTag(\"t\") };");
  struct cedar_request *r = cedar_world_request(store, NULL);
  struct cedar_answer answer;

  (void)state;
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  assert_int_equal(answer.decision, CEDAR_DENY);
  cedar_request_overlay_principal(r);
  cedar_request_overlay_attr(r, t("n"), cedar_value_long(9));
  cedar_request_overlay_tag(r, t("claim"), cedar_value_string(r, t("x")));
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  assert_int_equal(answer.decision, CEDAR_DENY);
  cedar_request_overlay_parent(r, uid("Group", "eng"));
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  assert_int_equal(answer.decision, CEDAR_ALLOW);
  cedar_request_free(&r);
  cedar_store_free(&store);
}

/* What the store says of the resource stays, and the next resource has no share in it. */
static void a_resource_may_have_a_parent_of_the_request(void **state) {
  static const struct {
    const char *resource, *parent, *condition;
  } cases[] = {
      {"new", NULL, "!(resource in Group::\"all\")"},
      {"new", "all", "resource in Group::\"all\" && !(resource in Group::\"eng\")"},
      {"new", "eng", "resource in Group::\"eng\" && resource in Group::\"all\""},
      {"new", "nowhere", "resource in Group::\"nowhere\" && !(resource in Group::\"all\")"},
      {"new", NULL, "!(resource in Group::\"nowhere\")"},
      {"eng", "nowhere", "resource in Group::\"nowhere\" && resource in Group::\"all\""},
      {"eng", NULL, "resource in Group::\"all\" && !(resource in Group::\"nowhere\")"},
  };
  char policy[400];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct cedar_request *r;
    struct cedar_store *store;
    struct cedar_answer answer;

    snprintf(policy, sizeof(policy), "permit (principal, action, resource) when { %s };",
             cases[i].condition);
    store = store_of(policy);
    r = cedar_world_request(store, NULL);
    cedar_request_set_resource_parent(r, uid("Group", "left over"));
    cedar_request_set_resource(r, uid("Group", cases[i].resource));
    if (cases[i].parent != NULL)
      cedar_request_set_resource_parent(r, uid("Group", cases[i].parent));
    assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
    if (answer.decision != CEDAR_ALLOW)
      fail_msg("%zu: %s", i, cases[i].condition);
    cedar_request_free(&r);
    cedar_store_free(&store);
  }
}

static void one_request_answers_several_actions(void **state) {
  static const char *const actions[] = {"read", "write", "admin"};
  static const enum cedar_decision wanted[] = {CEDAR_ALLOW, CEDAR_DENY, CEDAR_ALLOW};
  struct cedar_store *store =
      store_of("permit (principal, action in [Action::\"read\", Action::\"admin\"], resource);");
  struct cedar_request *r = cedar_world_request(store, NULL);
  struct cedar_answer answer;
  size_t i;

  (void)state;
  for (i = 0; i < 3; i++) {
    cedar_request_set_action(r, uid("Action", actions[i]));
    assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
    assert_int_equal(answer.decision, wanted[i]);
  }
  cedar_request_free(&r);
  cedar_store_free(&store);
}

static void same_text_is_one_symbol_across_resets(void **state) {
  struct cedar_store *store =
      store_of("permit (principal, action, resource) when {"
               " context.a == context.b && context.c.contains(principal) };");
  struct cedar_request *r;
  struct cedar_answer answer;
  char name[32];
  int i;

  (void)state;
  assert_int_equal(cedar_request_new(store, NULL, &r), CEDAR_OK);
  for (i = 0; i < 300; i++) {
    struct cedar_value who;

    snprintf(name, sizeof(name), "new-%d", i);
    cedar_request_reset(r);
    cedar_request_set_principal(r, uid("User", name));
    cedar_request_set_action(r, uid("Action", "x"));
    cedar_request_set_resource(r, uid("New::Type", name));
    who = cedar_value_entity(r, uid("User", name));
    cedar_request_context_put(r, t("a"), cedar_value_string(r, t(name)));
    cedar_request_context_put(r, t("b"), cedar_value_string(r, t(name)));
    cedar_request_context_put(r, t("c"), cedar_value_set(r, &who, 1));
    assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
    assert_int_equal(answer.decision, CEDAR_ALLOW);
  }
  cedar_request_free(&r);
  cedar_store_free(&store);
}

/* Does something wrong to a good request; the decision must then be an error and a deny. */
static void refused(void (*spoil)(struct cedar_request *), enum cedar_status status) {
  struct cedar_store *store = store_of("permit (principal, action, resource);");
  struct cedar_request *r = cedar_world_request(store, NULL);
  struct cedar_answer answer = {.decision = CEDAR_ALLOW};
  struct cedar_error error = {0};

  spoil(r);
  assert_int_equal(cedar_authorize(r, &answer, &error), status);
  assert_int_equal(answer.decision, CEDAR_DENY);
  assert_int_equal(error.status, status);
  assert_true(cedar_request_error(r, &error));
  cedar_request_reset(r);
  assert_false(cedar_request_error(r, &error));
  cedar_request_free(&r);
  cedar_store_free(&store);
}

static void bad_address(struct cedar_request *r) {
  cedar_request_context_put(r, t("ip"), cedar_value_extension(r, CEDAR_KIND_IPADDR, t("1.2.3")));
}

static void bad_utf8(struct cedar_request *r) {
  cedar_request_context_put(r, t("s"), cedar_value_string(r, t("\xff")));
}

static void twice(struct cedar_request *r) {
  cedar_request_context_put(r, t("mfa"), cedar_value_bool(true));
}

static void bad_type(struct cedar_request *r) {
  cedar_request_set_principal(r, uid("no type", "x"));
}

static void bad_id(struct cedar_request *r) {
  cedar_request_set_principal(r, uid("User", "\xc0\x80"));
}

static void no_principal(struct cedar_request *r) {
  cedar_request_reset(r);
  cedar_request_set_action(r, uid("Action", "read"));
}

static void overlay_of_nobody(struct cedar_request *r) {
  cedar_request_reset(r);
  cedar_request_overlay_principal(r);
}

static void parent_of_no_resource(struct cedar_request *r) {
  cedar_request_reset(r);
  cedar_request_set_resource_parent(r, uid("Group", "all"));
}

static void nothing_as_value(struct cedar_request *r) {
  struct cedar_value none = {.kind = CEDAR_KIND_NONE};

  cedar_request_context_put(r, t("x"), none);
}

static void nothing_in_a_set(struct cedar_request *r) {
  struct cedar_value none = {.kind = CEDAR_KIND_NONE};

  cedar_value_set(r, &none, 1);
}

static void mistakes_are_kept_and_deny(void **state) {
  (void)state;
  refused(bad_address, CEDAR_INVALID);
  refused(bad_utf8, CEDAR_INVALID);
  refused(twice, CEDAR_INVALID);
  refused(bad_type, CEDAR_INVALID);
  refused(bad_id, CEDAR_INVALID);
  refused(no_principal, CEDAR_MISUSE);
  refused(overlay_of_nobody, CEDAR_MISUSE);
  refused(parent_of_no_resource, CEDAR_MISUSE);
  refused(nothing_as_value, CEDAR_MISUSE);
  refused(nothing_in_a_set, CEDAR_MISUSE);
}

/* Large sets are laid out anew; templates share their bodies with their links all the same. */
static struct cedar_store *many_policies(void) {
  struct cedar_world_text text = {NULL, 0, 0}, links = {NULL, 0, 0};
  struct cedar_source policies, link_source;
  struct cedar_store *store;
  char line[400];
  int i;

  assert_true(cedar_world_put(&links, "[", 1));
  for (i = 0; i < 400; i++) {
    snprintf(line, sizeof(line),
             "permit (principal in Group::\"g%d\", action in [Action::\"a\", Action::\"b%d\"], "
             "resource) when { {k: [context.n, %d]}.k == [%d] && context has n };\n"
             "@id(\"t%d\") forbid (principal == ?principal, action in [Action::\"t%d\", "
             "Action::\"u\"], resource) when { context.n > %d };\n",
             i % 40, i, i, i, i, i, i);
    assert_true(cedar_world_put(&text, line, strlen(line)));
    snprintf(line, sizeof(line),
             "%s{\"template_id\":\"t%d\",\"link_id\":\"x%d\",\"args\":{\"?principal\":"
             "\"User::\\\"u%d\\\"\"}},{\"template_id\":\"t%d\",\"link_id\":\"y%d\",\"args\":"
             "{\"?principal\":\"User::\\\"v\\\"\"}}",
             i == 0 ? "" : ",", i, i, i, i, i);
    assert_true(cedar_world_put(&links, line, strlen(line)));
  }
  assert_true(cedar_world_put(&links, "]", 1));
  policies = (struct cedar_source){"many.cedar", text.bytes, text.len};
  link_source = (struct cedar_source){"links", links.bytes, links.len};
  assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
  assert_int_equal(cedar_store_add_policies(store, &policies, CEDAR_ID_HOST, NULL), CEDAR_OK);
  assert_int_equal(cedar_store_add_links(store, &link_source, NULL), CEDAR_OK);
  assert_true(cedar_world_add(store));
  free(text.bytes);
  free(links.bytes);
  return store;
}

static void a_large_set_decides_like_its_parts(void **state) {
  struct cedar_store *store = many_policies();
  struct cedar_policy_info info;
  struct cedar_answer answer;
  struct cedar_request *r;
  char name[16];
  int i;

  (void)state;
  assert_int_equal(cedar_request_new(store, NULL, &r), CEDAR_OK);
  for (i = 0; i < 400; i++) {
    cedar_request_reset(r);
    snprintf(name, sizeof(name), "g%d", i % 40);
    cedar_request_set_principal(r, uid("Group", name));
    cedar_request_set_action(r, uid("Action", "a"));
    cedar_request_set_resource(r, uid("Service", "s"));
    cedar_request_context_put(r, t("n"), cedar_value_long(i));
    assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
    assert_int_equal(answer.decision, CEDAR_ALLOW);
    assert_int_equal(answer.reason_count, 1);
    assert_int_equal(answer.reasons[0], 2 * i);
    snprintf(name, sizeof(name), "u%d", i);
    cedar_request_set_principal(r, uid("User", name));
    cedar_request_set_action(r, uid("Action", "u"));
    assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
    assert_int_equal(answer.reason_count, 0);
    cedar_request_set_principal(r, uid("User", "v"));
    assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
    assert_int_equal(answer.reason_count, i);
    assert_true(i == 0 || cedar_policy_get(store, answer.reasons[0], &info));
    assert_true(i == 0 || (info.kind == CEDAR_POLICY_LINK && info.id.ptr[0] == 'y'));
  }
  cedar_request_free(&r);
  cedar_store_free(&store);
}

static void a_sealed_store_takes_nothing_more(void **state) {
  struct cedar_source source = {"x", "", 0};
  struct cedar_store *store = store_of("");
  struct cedar_request *r;

  (void)state;
  assert_int_equal(cedar_store_add_policies(store, &source, CEDAR_ID_HOST, NULL), CEDAR_MISUSE);
  assert_int_equal(cedar_store_seal(store, NULL), CEDAR_MISUSE);
  cedar_store_free(&store);
  assert_null(store);
  assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
  assert_int_equal(cedar_request_new(store, NULL, &r), CEDAR_MISUSE);
  assert_null(r);
  cedar_store_free(&store);
}

static void a_failed_store_stays_failed(void **state) {
  struct cedar_source bad = {"x", "permit", 6}, good = {"y", "", 0};
  struct cedar_store *store;

  (void)state;
  assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
  assert_int_equal(cedar_store_add_policies(store, &bad, CEDAR_ID_HOST, NULL), CEDAR_INVALID);
  assert_int_equal(cedar_store_add_policies(store, &good, CEDAR_ID_HOST, NULL), CEDAR_MISUSE);
  assert_int_equal(cedar_store_seal(store, NULL), CEDAR_MISUSE);
  cedar_store_free(&store);
}

static void entities_can_be_looked_at(void **state) {
  struct cedar_store *store =
      store_of("@max_session(\"8h\") @bare permit (principal, action, resource);");
  uint32_t cursor = 0, index = 99;
  struct cedar_value value, element;
  struct cedar_uid_text above;
  struct cedar_text text;
  int64_t n;

  (void)state;
  assert_true(cedar_entity_next_of_type(store, t("Service"), &cursor, &index));
  assert_true(cedar_entity_attr(store, index, "environment", &value));
  assert_true(cedar_value_get_string(store, value, &text));
  assert_int_equal(text.len, strlen("production"));
  assert_false(cedar_entity_next_of_type(store, t("Service"), &cursor, &index));
  assert_true(cedar_entity_find(store, uid("User", "alice"), &index));
  assert_true(cedar_entity_attr(store, index, "set", &value));
  assert_int_equal(cedar_value_count(value), 3);
  assert_true(cedar_value_element(store, value, 2, &element));
  assert_true(cedar_value_get_long(element, &n));
  assert_int_equal(n, 3);
  assert_false(cedar_value_element(store, value, 3, &element));
  assert_true(cedar_entity_attr(store, index, "rec", &value));
  assert_true(cedar_value_field(store, value, "y", &value));
  assert_true(cedar_value_field(store, value, "z", &value));
  assert_false(cedar_value_field(store, value, "q", &value));
  assert_true(cedar_entity_ancestor_at(store, index, 1, &above));
  assert_false(cedar_entity_ancestor_at(store, index, 2, &above));
  assert_true(cedar_entity_tag(store, index, "t", &value));
  assert_false(cedar_entity_find(store, uid("User", "nobody"), &index));
  assert_true(cedar_policy_annotation_get(store, 0, "max_session", &text));
  assert_memory_equal(text.ptr, "8h", 2);
  assert_true(cedar_policy_annotation_get(store, 0, "bare", &text));
  assert_int_equal(text.len, 0);
  assert_false(cedar_policy_annotation_get(store, 0, "reason", &text));
  cedar_store_free(&store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(context_has_every_kind_of_value),
      cmocka_unit_test(overlay_replaces_the_stored_entity),
      cmocka_unit_test(a_resource_may_have_a_parent_of_the_request),
      cmocka_unit_test(one_request_answers_several_actions),
      cmocka_unit_test(same_text_is_one_symbol_across_resets),
      cmocka_unit_test(mistakes_are_kept_and_deny),
      cmocka_unit_test(a_large_set_decides_like_its_parts),
      cmocka_unit_test(a_sealed_store_takes_nothing_more),
      cmocka_unit_test(a_failed_store_stays_failed),
      cmocka_unit_test(entities_can_be_looked_at),
  };

  return cmocka_run_group_tests_name("cedar request", tests, NULL, NULL);
}
