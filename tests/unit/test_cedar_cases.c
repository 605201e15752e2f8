/*
 * Cedar's decisions: the cases of tests/cases/cedar, and every allocation failing in turn.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Parts of a case: policies or policies-json, links, entities, schema, requests; what comes out
 * is compared with expect (decisions), explain, partial, print, json; a load that must fail has
 * its message in error. refused holds one policy text a line, none of which may parse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar_case.h"
#include "cedar_world.h"

/* What a run needs and makes. */
struct run {
  const struct cedar_case *c;
  const struct cedar_allocator *allocator;
  struct cedar_schema *schema;
  struct cedar_store *store;
  struct cedar_request *request;
  struct cedar_request_list *list;
  struct cedar_world_text text;
  struct cedar_error error;
};

static void add(struct run *run, const char *bytes, size_t len) {
  assert_true(cedar_world_put(&run->text, bytes, len));
}

static void adds(struct run *run, const char *string) {
  add(run, string, strlen(string));
}

static void add_policy(struct run *run, uint32_t policy, const char *before) {
  struct cedar_policy_info info;

  assert_true(cedar_policy_get(run->store, policy, &info));
  adds(run, before);
  add(run, info.id.ptr, info.id.len);
}

static enum cedar_status store_load(struct run *run) {
  const struct cedar_source *policies = cedar_case_part(run->c, "policies");
  const struct cedar_source *json = cedar_case_part(run->c, "policies-json");
  const struct cedar_source *links = cedar_case_part(run->c, "links");
  const struct cedar_source *entities = cedar_case_part(run->c, "entities");
  enum cedar_status status = cedar_store_new(run->allocator, &run->store);

  if (status == CEDAR_OK && cedar_case_part(run->c, "schema") != NULL)
    status = cedar_case_schema(run->c, NULL, run->allocator, &run->schema, &run->error);
  if (status == CEDAR_OK && policies != NULL)
    status = cedar_store_add_policies(
        run->store, policies,
        cedar_case_part(run->c, "host") != NULL ? CEDAR_ID_HOST : CEDAR_ID_POSITION, &run->error);
  if (status == CEDAR_OK && json != NULL)
    status = cedar_store_add_policies_json(run->store, json, CEDAR_ID_POSITION, &run->error);
  if (status == CEDAR_OK && links != NULL)
    status = cedar_store_add_links(run->store, links, &run->error);
  if (status == CEDAR_OK && entities != NULL)
    status = cedar_store_add_entities(run->store, entities, run->schema, &run->error);
  return status == CEDAR_OK ? cedar_store_seal(run->store, &run->error) : status;
}

static enum cedar_status expect_write(struct run *run) {
  struct cedar_answer answer;
  enum cedar_status status = cedar_authorize(run->request, &answer, &run->error);
  uint32_t i;

  if (status != CEDAR_OK)
    return status;
  adds(run, answer.decision == CEDAR_ALLOW ? "Allow" : "Deny");
  for (i = 0; i < answer.reason_count; i++)
    add_policy(run, answer.reasons[i], " ");
  for (i = 0; i < answer.error_count; i++)
    add_policy(run, answer.errors[i].policy, " !");
  adds(run, "\n");
  return status;
}

static enum cedar_status explain_write(struct run *run) {
  struct cedar_explanation why;
  enum cedar_status status = cedar_explain(run->request, 3, &why, &run->error);
  char place[64];
  uint32_t i, j;

  for (i = 0; status == CEDAR_OK && i < why.near_count; i++) {
    const struct cedar_near_miss *near = &why.near[i];

    add_policy(run, near->policy, "");
    snprintf(place, sizeof(place), " %u/3 %u:%u: ", near->matched, near->line, near->column);
    adds(run, place);
    adds(run, near->clause);
    adds(run, " ");
    adds(run, near->outcome);
    for (j = 0; j < near->observation_count; j++) {
      adds(run, j == 0 ? "; " : ", ");
      adds(run, near->observations[j].expression);
      adds(run, " = ");
      adds(run, near->observations[j].value);
    }
    adds(run, "\n");
  }
  return status;
}

static enum cedar_status partial_write(struct run *run) {
  static const char *const names[] = {"Deny", "Allow", "Conditional"};
  struct cedar_partial_answer answer;
  enum cedar_status status = cedar_authorize_partial(run->request, &answer, &run->error);
  uint32_t i;

  if (status != CEDAR_OK)
    return status;
  adds(run, names[answer.decision]);
  for (i = 0; i < answer.reason_count; i++)
    add_policy(run, answer.reasons[i], " ");
  for (i = 0; i < answer.error_count; i++)
    add_policy(run, answer.errors[i].policy, " !");
  adds(run, "\n");
  for (i = 0; i < answer.residual_count; i++) {
    add_policy(run, answer.residuals[i].policy,
               answer.residuals[i].effect == CEDAR_PERMIT ? "permit " : "forbid ");
    adds(run, ": ");
    adds(run, answer.residuals[i].condition);
    adds(run, "\n");
  }
  return status;
}

static enum cedar_status print_write(struct run *run) {
  struct cedar_sink sink = {cedar_world_put, &run->text};
  enum cedar_status status = CEDAR_OK;
  uint32_t i;

  for (i = 0; status == CEDAR_OK && i < cedar_store_policy_count(run->store); i++)
    status = cedar_policy_print(run->store, i, &sink);
  return status;
}

static enum cedar_status json_write(struct run *run) {
  struct cedar_sink sink = {cedar_world_put, &run->text};

  return cedar_store_print_json(run->store, &sink);
}

static enum cedar_status requests_write(struct run *run,
                                        enum cedar_status (*write)(struct run *run)) {
  enum cedar_status status = CEDAR_OK;
  size_t i;

  for (i = 0; status == CEDAR_OK && i < cedar_request_list_count(run->list); i++) {
    struct cedar_error why = {0};

    status = cedar_request_fill(run->request, run->list, i, run->schema, &why);
    if (status == CEDAR_INVALID) {
      adds(run, "Refused\n");
      status = CEDAR_OK;
    } else if (status == CEDAR_OK) {
      status = write(run);
    }
  }
  return status;
}

/* Each output part that the case has, one after the other. */
static enum cedar_status outputs_write(struct run *run) {
  static const struct {
    const char *name;
    enum cedar_status (*write)(struct run *run);
    bool requests;
  } outputs[] = {{"expect", expect_write, true},
                 {"explain", explain_write, true},
                 {"partial", partial_write, true},
                 {"print", print_write, false},
                 {"json", json_write, false}};
  const struct cedar_source *requests = cedar_case_part(run->c, "requests");
  enum cedar_status status = CEDAR_OK;
  size_t i;

  if (requests != NULL) {
    status = cedar_request_list_parse(requests, run->allocator, &run->list, &run->error);
    if (status == CEDAR_OK)
      status = cedar_request_new(run->store, run->allocator, &run->request);
  }
  for (i = 0; status == CEDAR_OK && i < sizeof(outputs) / sizeof(outputs[0]); i++) {
    const struct cedar_source *part = cedar_case_part(run->c, outputs[i].name);

    if (part == NULL)
      continue;
    run->text.len = 0;
    status = outputs[i].requests ? requests_write(run, outputs[i].write) : outputs[i].write(run);
    adds(run, "");
    if (status == CEDAR_OK &&
        (run->text.len != part->len + 1 || memcmp(run->text.bytes, part->bytes, part->len) != 0))
      if (run->text.len != part->len || memcmp(run->text.bytes, part->bytes, part->len) != 0)
        fail_msg("%s is:\n%.*s", outputs[i].name, (int)run->text.len, run->text.bytes);
  }
  return status;
}

static enum cedar_status case_run(struct run *run) {
  enum cedar_status status = store_load(run);

  if (status == CEDAR_OK)
    status = outputs_write(run);
  cedar_request_free(&run->request);
  cedar_request_list_free(&run->list);
  cedar_store_free(&run->store);
  cedar_schema_free(&run->schema);
  free(run->text.bytes);
  run->text = (struct cedar_world_text){NULL, 0, 0};
  return status;
}

static void load_is_refused(const struct run *run, enum cedar_status status,
                            const struct cedar_source *wanted) {
  char message[1024];
  size_t len = wanted->len;

  while (len > 0 && wanted->bytes[len - 1] == '\n')
    len--;
  if (status == CEDAR_OK)
    fail_msg("loaded, wanted %.*s", (int)wanted->len, wanted->bytes);
  snprintf(message, sizeof(message), "%s:%u:%u: %s\n", run->error.source, run->error.line,
           run->error.column, run->error.message);
  if (strncmp(message, wanted->bytes, len) != 0)
    fail_msg("error is %s", message);
}

static void lines_are_refused(const struct cedar_source *part) {
  const char *at = part->bytes, *end = part->bytes + part->len;

  while (at < end) {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    struct cedar_source source = {"line", at, (size_t)((line_end == NULL ? end : line_end) - at)};
    struct cedar_error error = {0};
    struct cedar_store *store;

    assert_int_equal(cedar_store_new(NULL, &store), CEDAR_OK);
    if (cedar_store_add_policies(store, &source, CEDAR_ID_POSITION, &error) == CEDAR_OK)
      fail_msg("parses: %.*s", (int)source.len, source.bytes);
    assert_int_equal(error.line, 1);
    assert_int_not_equal(error.column, 0);
    cedar_store_free(&store);
    at += source.len + 1;
  }
}

static void case_holds(void **state) {
  struct cedar_failing failing = {0};
  struct cedar_allocator allocator = cedar_failing_allocator(&failing);
  const struct cedar_source *refused, *error;
  struct cedar_case c;
  struct run run = {.c = &c, .allocator = &allocator};
  enum cedar_status status;
  size_t total, at;

  cedar_case_load(*state, &c);
  refused = cedar_case_part(&c, "refused");
  error = cedar_case_part(&c, "error");
  if (refused != NULL)
    lines_are_refused(refused);
  status = case_run(&run);
  if (error != NULL)
    load_is_refused(&run, status, error);
  else if (status != CEDAR_OK)
    fail_msg("%s:%u:%u: %s", run.error.source, run.error.line, run.error.column, run.error.message);
  assert_int_equal(failing.live, 0);
  /* Every allocation of the case fails once: an error, nothing lost. */
  total = failing.calls;
  for (at = 1; at <= total; at++) {
    failing = (struct cedar_failing){.fail_at = at};
    run.error.status = CEDAR_OK;
    if (case_run(&run) == CEDAR_OK)
      fail_msg("allocation %zu of %zu failed unnoticed", at, total);
    assert_int_equal(failing.live, 0);
  }
  cedar_case_clear(&c);
}

int main(void) {
  return cedar_cases_run("cedar", case_holds, NULL, 0);
}
