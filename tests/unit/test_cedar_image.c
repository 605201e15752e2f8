/*
 * Policy images: same answers as the store they came from; damage ends in a refusal.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h> /* memmem is not in POSIX 2008 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cedar_case.h"
#include "cedar_world.h"

static void image_answers_like_its_store(void **state) {
  struct cedar_store *store = NULL;
  struct cedar_answer answer;
  struct cedar_request *r;
  struct cedar_text stamp;
  struct cedar_policy_info info;
  size_t len;
  char *image = cedar_world_image(&len);

  (void)state;
  assert_non_null(image);
  assert_true(cedar_image_stamp(image, len, &stamp));
  assert_int_equal(stamp.len, 5);
  assert_memory_equal(stamp.ptr, "stamp", 5);
  assert_true(cedar_image_is_intact(image, len));
  assert_int_equal(cedar_store_open_image(image, len, NULL, &store, NULL), CEDAR_OK);
  r = cedar_world_request(store, NULL);
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  assert_int_equal(answer.decision, CEDAR_ALLOW);
  assert_true(answer.reason_count >= 1);
  assert_true(cedar_policy_get(store, answer.reasons[0], &info));
  assert_int_equal(info.id.len, 3);
  assert_memory_equal(info.id.ptr, "one", 3);
  cedar_request_free(&r);
  cedar_store_free(&store);
  free(image);
}

static void every_cut_is_refused(void **state) {
  struct cedar_store *store;
  size_t len, cut;
  char *image = cedar_world_image(&len);
  struct cedar_text stamp;

  (void)state;
  for (cut = 0; cut < len; cut += cut < 600 ? 1 : 16) {
    char *copy = aligned_alloc(16, len);

    memcpy(copy, image, cut);
    assert_int_equal(cedar_store_open_image(copy, cut, NULL, &store, NULL), CEDAR_DAMAGED);
    assert_null(store);
    assert_false(cedar_image_stamp(copy, cut, &stamp));
    assert_false(cedar_image_is_intact(copy, cut));
    free(copy);
  }
  free(image);
}

/* Wherever a byte is wrong the digest shows it, and using the image anyway harms nothing. */
static void every_wrong_byte_shows(void **state) {
  static const unsigned char masks[] = {0x01, 0x80, 0xff};
  struct cedar_store *store;
  size_t len, at, m;
  char *image = cedar_world_image(&len);

  (void)state;
  for (at = 0; at < len; at++) {
    for (m = 0; m < sizeof(masks); m++) {
      image[at] = (char)(image[at] ^ masks[m]);
      assert_false(cedar_image_is_intact(image, len));
      if (cedar_store_open_image(image, len, NULL, &store, NULL) == CEDAR_OK)
        cedar_world_ask(store);
      cedar_store_free(&store);
      image[at] = (char)(image[at] ^ masks[m]);
    }
  }
  assert_true(cedar_image_is_intact(image, len));
  free(image);
}

static void an_unsealed_store_makes_no_image(void **state) {
  struct cedar_world_text text = {NULL, 0, 0};
  struct cedar_sink sink = {cedar_world_put, &text};
  struct cedar_text stamp = {"", 0};
  struct cedar_store *store;

  (void)state;
  assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
  assert_int_equal(cedar_store_write_image(store, stamp, &sink), CEDAR_MISUSE);
  assert_int_equal(text.len, 0);
  cedar_store_free(&store);
}

/* ---- read piece by piece ---- */

static void pieces_answer_like_the_whole(void **state) {
  struct cedar_world_pieces pieces = {0};
  struct cedar_store *store = NULL;
  struct cedar_explanation why;
  struct cedar_partial_answer partial;
  struct cedar_answer answer;
  struct cedar_image_source source;
  struct cedar_request *r;
  char *image = cedar_world_image(&pieces.len);

  (void)state;
  pieces.bytes = image;
  source = cedar_world_source(&pieces);
  assert_int_equal(cedar_store_read_image(&source, NULL, &store, NULL), CEDAR_OK);
  assert_memory_equal(cedar_store_stamp(store, 0, 5), "stamp", 5);
  assert_null(cedar_store_stamp(store, 1, 5));
  r = cedar_world_request(store, NULL);
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  assert_int_equal(answer.decision, CEDAR_ALLOW);
  assert_int_equal(cedar_authorize_partial(r, &partial, NULL), CEDAR_OK);
  assert_int_equal(partial.decision, CEDAR_PARTIAL_ALLOW);
  assert_true(cedar_store_make_whole(store));
  assert_int_equal(cedar_explain(r, 3, &why, NULL), CEDAR_OK);
  assert_int_equal(why.answer.decision, CEDAR_ALLOW);
  assert_false(cedar_store_failed(store));
  cedar_world_ask(store);
  cedar_request_free(&r);
  cedar_store_free(&store);
  free(image);
}

/* Asks with each read failing in turn, and all after it; gives how many an answer needs. */
static unsigned fail_each_read(struct cedar_world_pieces *pieces) {
  struct cedar_image_source source = cedar_world_source(pieces);
  struct cedar_store *store;
  struct cedar_answer answer;
  struct cedar_request *r;
  bool is_answered = false;

  for (pieces->fail_at = 1; !is_answered; pieces->fail_at++) {
    pieces->reads = 0;
    if (cedar_store_read_image(&source, NULL, &store, NULL) != CEDAR_OK) {
      assert_int_equal(pieces->fail_at, 1);
      continue;
    }
    r = cedar_world_request(store, NULL);
    is_answered = cedar_authorize(r, &answer, NULL) == CEDAR_OK;
    assert_int_equal(answer.decision, is_answered ? CEDAR_ALLOW : CEDAR_DENY);
    assert_int_equal(cedar_store_failed(store), !is_answered);
    if (!is_answered)
      assert_false(cedar_store_make_whole(store));
    cedar_request_free(&r);
    cedar_store_free(&store);
  }
  return pieces->reads;
}

/* A piece that cannot be read must not look like something that is not there. */
static void a_failed_read_is_no_answer(void **state) {
  struct cedar_world_pieces small = {0}, large = {0};

  (void)state;
  small.bytes = cedar_world_image(&small.len);
  large.bytes = cedar_world_large_image(&large.len);
  assert_true(fail_each_read(&small) > 2);
  assert_true(fail_each_read(&large) > 10);
  free((char *)small.bytes);
  free((char *)large.bytes);
}

/* Whether everything that can be asked has been answered; what is, is answered rightly. */
static bool ask_everything(const struct cedar_store *store,
                           const struct cedar_allocator *allocator) {
  struct cedar_request *r = cedar_world_request(store, allocator);
  struct cedar_partial_answer partial;
  struct cedar_explanation why;
  struct cedar_answer answer;
  unsigned answered = 0;

  if (r != NULL && cedar_authorize(r, &answer, NULL) == CEDAR_OK) {
    assert_int_equal(answer.decision, CEDAR_ALLOW);
    answered++;
  }
  if (r != NULL && cedar_authorize_partial(r, &partial, NULL) == CEDAR_OK) {
    assert_int_equal(partial.decision, CEDAR_PARTIAL_ALLOW);
    answered++;
  }
  if (r != NULL && cedar_explain(r, 3, &why, NULL) == CEDAR_OK) {
    assert_int_equal(why.answer.decision, CEDAR_ALLOW);
    answered++;
  }
  cedar_request_free(&r);
  return answered == 3;
}

/* Piece by piece, then whole, each allocation failing once. */
static size_t sweep(struct cedar_world_pieces *pieces) {
  struct cedar_image_source source = cedar_world_source(pieces);
  struct cedar_failing failing;
  struct cedar_allocator allocator = cedar_failing_allocator(&failing);
  bool is_answered = false;
  struct cedar_store *store;
  size_t fail_at;

  for (fail_at = 1; !is_answered; fail_at++) {
    failing = (struct cedar_failing){.fail_at = fail_at};
    is_answered = cedar_store_read_image(&source, &allocator, &store, NULL) == CEDAR_OK &&
                  ask_everything(store, &allocator) && cedar_store_make_whole(store) &&
                  ask_everything(store, &allocator) && failing.calls < fail_at;
    cedar_store_free(&store);
    assert_int_equal(failing.live, 0);
  }
  return fail_at;
}

static void pieces_survive_a_lack_of_memory(void **state) {
  struct cedar_world_pieces small = {0}, large = {0};

  (void)state;
  small.bytes = cedar_world_image(&small.len);
  large.bytes = cedar_world_large_image(&large.len);
  assert_true(sweep(&small) > 4);
  assert_true(sweep(&large) > 10);
  free((char *)small.bytes);
  free((char *)large.bytes);
}

static void opening_survives_a_lack_of_memory(void **state) {
  struct cedar_failing failing = {.fail_at = 1};
  struct cedar_allocator allocator = cedar_failing_allocator(&failing);
  struct cedar_store *store;
  size_t len, fail_at;
  char *image = cedar_world_image(&len);
  bool is_answered = false;

  (void)state;
  assert_int_equal(cedar_store_open_image(image, len, &allocator, &store, NULL), CEDAR_NOMEM);
  assert_null(store);
  for (fail_at = 1; !is_answered; fail_at++) {
    failing = (struct cedar_failing){.fail_at = fail_at};
    is_answered = cedar_store_open_image(image, len, &allocator, &store, NULL) == CEDAR_OK &&
                  ask_everything(store, &allocator) && failing.calls < fail_at;
    cedar_store_free(&store);
    assert_int_equal(failing.live, 0);
  }
  free(image);
}

/* ---- a large one: filter and words at its head ---- */

static struct cedar_text t(const char *text) {
  return (struct cedar_text){text, strlen(text)};
}

static struct cedar_store *read_large(struct cedar_world_pieces *pieces) {
  struct cedar_image_source source;
  struct cedar_store *store;

  pieces->bytes = cedar_world_large_image(&pieces->len);
  assert_non_null(pieces->bytes);
  source = cedar_world_source(pieces);
  assert_int_equal(cedar_store_read_image(&source, NULL, &store, NULL), CEDAR_OK);
  return store;
}

/* What a member of a group may do, whom the image does not know. */
static enum cedar_decision ask_member(const struct cedar_store *store, const char *group,
                                      int64_t count, uint32_t *reasons_out) {
  struct cedar_answer answer;
  struct cedar_request *r;

  assert_int_equal(cedar_request_new(store, NULL, &r), CEDAR_OK);
  cedar_request_set_principal(r, (struct cedar_uid_text){t("User"), t("carol")});
  cedar_request_overlay_principal(r);
  cedar_request_overlay_attr(r, t("n"), cedar_value_long(1));
  cedar_request_overlay_parent(r, (struct cedar_uid_text){t("Group"), t(group)});
  cedar_request_set_action(r, (struct cedar_uid_text){t("Action"), t("read")});
  cedar_request_set_resource(r, (struct cedar_uid_text){t("Service"), t("s")});
  cedar_request_context_put(r, t("count"), cedar_value_long(count));
  assert_int_equal(cedar_authorize(r, &answer, NULL), CEDAR_OK);
  *reasons_out = answer.reason_count;
  cedar_request_free(&r);
  return answer.decision;
}

static void a_large_image_answers_for_every_group(void **state) {
  struct cedar_world_pieces pieces = {0};
  struct cedar_store *read = read_large(&pieces), *whole;
  uint32_t left, right;
  char group[32];
  int i;

  (void)state;
  assert_int_equal(cedar_store_open_image(pieces.bytes, pieces.len, NULL, &whole, NULL), CEDAR_OK);
  for (i = 0; i < CEDAR_WORLD_GROUPS + 200; i++) {
    snprintf(group, sizeof group, "group-%d", i);
    assert_int_equal(ask_member(read, group, i, &left),
                     i < CEDAR_WORLD_GROUPS ? CEDAR_ALLOW : CEDAR_DENY);
    ask_member(whole, group, i, &right);
    assert_int_equal(left, right);
    assert_int_equal(ask_member(read, group, i + 1, &left), CEDAR_DENY);
  }
  assert_false(cedar_store_failed(read));
  cedar_store_free(&read);
  cedar_store_free(&whole);
  free((char *)pieces.bytes);
}

/* Types, keys, actions, and what the host said requests name. */
static void words_are_found_without_reading(void **state) {
  static const char *const words[] = {"User", "Group", "Service", "environment",       "n", "count",
                                      "mfa",  "read",  "tier",    CEDAR_WORLD_EXPECTED};
  struct cedar_world_pieces pieces = {0};
  struct cedar_store *store = read_large(&pieces);
  struct cedar_request *r;
  unsigned before = pieces.reads;
  size_t i;

  (void)state;
  assert_int_equal(before, 1);
  assert_int_equal(cedar_request_new(store, NULL, &r), CEDAR_OK);
  for (i = 0; i < sizeof words / sizeof words[0]; i++)
    cedar_request_context_put(r, t(words[i]), cedar_value_bool(true));
  cedar_request_set_action(r, (struct cedar_uid_text){t("Action"), t("read")});
  assert_int_equal(pieces.reads, before);
  cedar_request_context_put(r, t("label of 7"), cedar_value_bool(true));
  assert_true(pieces.reads > before);
  /* What the request is about has been read, and so has its id. */
  cedar_request_set_resource(r, (struct cedar_uid_text){t("Group"), t("group-99")});
  before = pieces.reads;
  cedar_request_context_put(r, t("n"), cedar_value_string(r, t("group-99")));
  assert_int_equal(pieces.reads, before);
  cedar_request_free(&r);
  cedar_store_free(&store);
  free((char *)pieces.bytes);
}

/* One permit among hundreds costs the reads that it would cost among a few. */
static void a_decision_of_a_large_image_reads_little(void **state) {
  struct cedar_world_pieces pieces = {0};
  struct cedar_store *store = read_large(&pieces);
  uint32_t reasons;

  (void)state;
  assert_int_equal(ask_member(store, "group-77", 77, &reasons), CEDAR_ALLOW);
  assert_in_range(pieces.reads, 3, 14);
  cedar_store_free(&store);
  free((char *)pieces.bytes);
}

static void a_wrong_byte_at_the_head_harms_nothing(void **state) {
  struct cedar_world_pieces pieces = {0};
  struct cedar_store *store = read_large(&pieces);
  struct cedar_image_source source = cedar_world_source(&pieces);
  char *image = (char *)pieces.bytes;
  size_t at;

  (void)state;
  cedar_store_free(&store);
  for (at = 0; at < 8192; at += at < 400 ? 1 : 5) {
    image[at] = (char)~image[at];
    assert_false(cedar_image_is_intact(image, pieces.len));
    if (cedar_store_read_image(&source, NULL, &store, NULL) == CEDAR_OK)
      cedar_world_ask(store);
    cedar_store_free(&store);
    image[at] = (char)~image[at];
  }
  free(image);
}

/* How many policies of an image have an id; whether all of it could be read. */
static uint32_t count_ids(struct cedar_world_pieces *pieces, bool *failed_out) {
  struct cedar_image_source source = cedar_world_source(pieces);
  struct cedar_store *store = NULL;
  struct cedar_text value;
  uint32_t count = 0, i;

  assert_int_equal(cedar_store_read_image(&source, NULL, &store, NULL), CEDAR_OK);
  for (i = 0; i < cedar_store_policy_count(store); i++)
    count += cedar_policy_annotation_get(store, i, "id", &value);
  *failed_out = cedar_store_failed(store);
  cedar_store_free(&store);
  return count;
}

/* A limit of a session stands in an annotation: one that is damaged must not look like none. */
static void a_damaged_text_is_no_empty_one(void **state) {
  static const char text[] = "group-300";
  struct cedar_world_pieces pieces = {0};
  char *image = cedar_world_large_image(&pieces.len), *at;
  uint32_t whole;
  bool failed;

  (void)state;
  pieces.bytes = image;
  whole = count_ids(&pieces, &failed);
  assert_false(failed);
  at = memmem(image, pieces.len, text, sizeof text);
  assert_non_null(at);
  at[sizeof text - 1] = 'x';
  assert_true(count_ids(&pieces, &failed) < whole);
  assert_true(failed);
  free(image);
}

static void expecting_is_for_stores_that_are_open(void **state) {
  struct cedar_world_pieces pieces = {0};
  struct cedar_store *store = read_large(&pieces);

  (void)state;
  assert_int_equal(cedar_store_expect(store, t("late")), CEDAR_MISUSE);
  cedar_store_free(&store);
  free((char *)pieces.bytes);
}

/* Words, filter and the order of bodies are made where a store is sealed. */
static void sealing_a_large_store_survives_a_lack_of_memory(void **state) {
  struct cedar_failing failing;
  struct cedar_allocator allocator = cedar_failing_allocator(&failing);
  struct cedar_store *store = NULL;
  bool is_made = false;
  uint32_t reasons;
  size_t fail_at;

  (void)state;
  for (fail_at = 1; !is_made; fail_at++) {
    failing = (struct cedar_failing){.fail_at = fail_at};
    is_made = cedar_world_large_store(&allocator, &store);
    assert_int_equal(is_made, failing.calls < fail_at);
    failing.fail_at = 0;
    if (is_made)
      assert_int_equal(ask_member(store, "group-7", 7, &reasons), CEDAR_ALLOW);
    cedar_store_free(&store);
    assert_int_equal(failing.live, 0);
  }
  assert_true(fail_at > 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(image_answers_like_its_store),
      cmocka_unit_test(every_cut_is_refused),
      cmocka_unit_test(every_wrong_byte_shows),
      cmocka_unit_test(an_unsealed_store_makes_no_image),
      cmocka_unit_test(pieces_answer_like_the_whole),
      cmocka_unit_test(a_failed_read_is_no_answer),
      cmocka_unit_test(pieces_survive_a_lack_of_memory),
      cmocka_unit_test(opening_survives_a_lack_of_memory),
      cmocka_unit_test(a_large_image_answers_for_every_group),
      cmocka_unit_test(words_are_found_without_reading),
      cmocka_unit_test(a_decision_of_a_large_image_reads_little),
      cmocka_unit_test(a_wrong_byte_at_the_head_harms_nothing),
      cmocka_unit_test(a_damaged_text_is_no_empty_one),
      cmocka_unit_test(expecting_is_for_stores_that_are_open),
      cmocka_unit_test(sealing_a_large_store_survives_a_lack_of_memory),
  };

  return cmocka_run_group_tests_name("cedar image", tests, NULL, NULL);
}
