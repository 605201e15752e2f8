/*
 * Where a store keeps things depends on their size and number; the answers do not.
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

/* Longer than a bucket that is read as a whole. */
#define MANY 700

/* Groups in groups, more than stand beside a name; their ids pass what stands there too. */
#define GROUPS 24
#define ID_LEN(i) (20 + (i))

static struct cedar_text t(const char *text) {
  return (struct cedar_text){text, strlen(text)};
}

static struct cedar_uid_text uid(const char *type, const char *id) {
  return (struct cedar_uid_text){t(type), t(id)};
}

static void put(struct cedar_world_text *text, const char *line) {
  assert_true(cedar_world_put(text, line, strlen(line)));
}

/* A store of texts, which are freed. */
static struct cedar_store *store_of(struct cedar_world_text *policies,
                                    struct cedar_world_text *entities) {
  struct cedar_source source = {"p.cedar", policies->bytes, policies->len};
  struct cedar_source people = {"e.json", entities->bytes, entities->len};
  struct cedar_store *store;

  assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
  assert_int_equal(cedar_store_add_policies(store, &source, CEDAR_ID_HOST, NULL), CEDAR_OK);
  assert_int_equal(cedar_store_add_entities(store, &people, NULL, NULL), CEDAR_OK);
  assert_int_equal(cedar_store_seal(store, NULL), CEDAR_OK);
  free(policies->bytes);
  free(entities->bytes);
  return store;
}

/* The image of a store, read piece by piece; the pieces' bytes are freed by the caller. */
static struct cedar_store *pieces_of(const struct cedar_store *store,
                                     struct cedar_world_pieces *pieces) {
  struct cedar_world_text image = {NULL, 0, 0};
  struct cedar_sink sink = {cedar_world_put, &image};
  struct cedar_image_source source;
  struct cedar_store *read;

  assert_int_equal(cedar_store_write_image(store, t("stamp"), &sink), CEDAR_OK);
  *pieces = (struct cedar_world_pieces){.bytes = image.bytes, .len = image.len};
  source = cedar_world_source(pieces);
  assert_int_equal(cedar_store_read_image(&source, NULL, &read, NULL), CEDAR_OK);
  return read;
}

/* How many policies permit it; 0: a deny. */
static uint32_t ask(const struct cedar_store *store, struct cedar_uid_text principal,
                    const char *group, int64_t count) {
  struct cedar_answer answer;
  struct cedar_request *r;
  uint32_t reasons;

  assert_int_equal(cedar_request_new(store, NULL, &r), CEDAR_OK);
  cedar_request_set_principal(r, principal);
  if (group != NULL) {
    cedar_request_overlay_principal(r);
    cedar_request_overlay_parent(r, uid("Group", group));
  }
  cedar_request_set_action(r, uid("Action", "read"));
  cedar_request_set_resource(r, uid("Service", "s"));
  cedar_request_context_put(r, t("count"), cedar_value_long(count));
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  reasons = answer.decision == CEDAR_ALLOW ? answer.reason_count : 0;
  assert_int_equal(answer.error_count, 0);
  cedar_request_free(&r);
  return reasons;
}

/* A group's id: all begin alike, each longer than the one before. */
static const char *group_id(int i) {
  static char id[ID_LEN(GROUPS) + 1];

  memset(id, 'g', sizeof id);
  id[ID_LEN(i)] = '\0';
  return id;
}

/* Group i is in group i + 1; one permit for each, and one for its users only. */
static struct cedar_store *ladder(void) {
  struct cedar_world_text policies = {NULL, 0, 0}, entities = {NULL, 0, 0};
  char line[400], above[100];
  int i;

  put(&entities, "[");
  for (i = 0; i < GROUPS; i++) {
    snprintf(line, sizeof line,
             "permit (principal in Group::\"%s\", action, resource);\n"
             "permit (principal is User in Group::\"%s\", action, resource);\n",
             group_id(i), group_id(i));
    put(&policies, line);
    snprintf(above, sizeof above, "{\"type\":\"Group\",\"id\":\"%s\"}", group_id(i + 1));
    snprintf(line, sizeof line,
             "%s{\"uid\":{\"type\":\"Group\",\"id\":\"%s\"},\"attrs\":{},\"parents\":[%s]}",
             i > 0 ? "," : "", group_id(i), i + 1 < GROUPS ? above : "");
    put(&entities, line);
    snprintf(line, sizeof line,
             ",{\"uid\":{\"type\":\"User\",\"id\":\"u%d\"},\"attrs\":{},"
             "\"parents\":[{\"type\":\"Group\",\"id\":\"%s\"}]}",
             i, group_id(i));
    put(&entities, line);
  }
  put(&entities, "]");
  return store_of(&policies, &entities);
}

static void climb(const struct cedar_store *store) {
  char user[16];
  int i;

  for (i = 0; i < GROUPS; i++) {
    uint32_t above = (uint32_t)(GROUPS - i);

    snprintf(user, sizeof user, "u%d", i);
    assert_int_equal(ask(store, uid("User", user), NULL, 0), 2 * above);
    assert_int_equal(ask(store, uid("User", "stranger"), group_id(i), 0), 2 * above);
    assert_int_equal(ask(store, uid("Robot", "stranger"), group_id(i), 0), above);
    assert_int_equal(ask(store, uid("Group", group_id(i)), NULL, 0), above);
  }
  assert_int_equal(ask(store, uid("User", "stranger"), group_id(GROUPS), 0), 0);
}

static void ancestors_and_long_ids_are_found_wherever_they_stand(void **state) {
  struct cedar_store *store = ladder(), *read;
  struct cedar_world_pieces pieces;

  (void)state;
  read = pieces_of(store, &pieces);
  climb(store);
  climb(read);
  assert_false(cedar_store_failed(read));
  cedar_store_free(&read);
  cedar_store_free(&store);
  free((char *)pieces.bytes);
}

static struct cedar_store *crowd(void) {
  struct cedar_world_text policies = {NULL, 0, 0}, entities = {NULL, 0, 0};
  char line[200];
  int i;

  for (i = 0; i < MANY; i++) {
    snprintf(line, sizeof line,
             "permit (principal in Group::\"g\", action, resource) when { context.count == %d };\n"
             "permit (principal in Group::\"h%d\", action, resource);\n",
             i, i);
    put(&policies, line);
  }
  put(&entities, "[]");
  return store_of(&policies, &entities);
}

/* The bodies of so many lie too far from their heads to be read with them. */
static void a_bucket_of_many_policies_is_read_a_few_at_a_time(void **state) {
  struct cedar_store *store = crowd(), *read;
  struct cedar_world_pieces pieces;
  int i;

  (void)state;
  read = pieces_of(store, &pieces);
  assert_int_equal(ask(read, uid("User", "u"), "g", 7), 1);
  assert_in_range(pieces.reads, 2, MANY / 4);
  for (i = -1; i <= MANY; i += 50) {
    uint32_t wanted = i >= 0 && i < MANY;

    assert_int_equal(ask(store, uid("User", "u"), "g", i), wanted);
    assert_int_equal(ask(read, uid("User", "u"), "g", i), wanted);
  }
  assert_int_equal(ask(read, uid("User", "u"), "h699", 0), 1);
  assert_false(cedar_store_failed(read));
  cedar_store_free(&read);
  cedar_store_free(&store);
  free((char *)pieces.bytes);
}

/* ---- a file that is written to while it is read ---- */

/* Begins in what is read first of an image, and does not end there. */
#define LONG_TEXT 30000

/* Doubles the length that the long text has in the image. */
static void double_length(char *bytes, size_t len) {
  const uint32_t twice = 2 * LONG_TEXT;
  uint32_t found = 0;
  size_t i;

  for (i = 0; i + 16 < len; i += 8) {
    memcpy(&found, bytes + i, sizeof found);
    if (found == LONG_TEXT && memcmp(bytes + i + 8, "xxxxxxxx", 8) == 0)
      break;
  }
  assert_int_equal(found, LONG_TEXT);
  memcpy(bytes + i, &twice, sizeof twice);
}

static void a_text_has_the_length_that_was_read_for_it(void **state) {
  struct cedar_world_text policies = {NULL, 0, 0}, entities = {NULL, 0, 0};
  struct cedar_world_pieces pieces;
  struct cedar_store *store, *read;
  char text[LONG_TEXT + 1];
  struct cedar_text value;

  (void)state;
  memset(text, 'x', LONG_TEXT);
  text[LONG_TEXT] = '\0';
  put(&policies, "@reason(\"");
  put(&policies, text);
  put(&policies, "\") permit (principal, action, resource);");
  put(&entities, "[]");
  store = store_of(&policies, &entities);
  read = pieces_of(store, &pieces);
  double_length((char *)pieces.bytes, pieces.len);
  assert_true(cedar_policy_annotation_get(read, 0, "reason", &value));
  assert_int_equal(value.len, LONG_TEXT);
  assert_memory_equal(value.ptr, text, LONG_TEXT + 1);
  cedar_store_free(&read);
  cedar_store_free(&store);
  free((char *)pieces.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ancestors_and_long_ids_are_found_wherever_they_stand),
      cmocka_unit_test(a_bucket_of_many_policies_is_read_a_few_at_a_time),
      cmocka_unit_test(a_text_has_the_length_that_was_read_for_it),
  };

  return cmocka_run_group_tests_name("cedar layout", tests, NULL, NULL);
}
