/*
 * Validation: the cases of tests/cases/cedar-validate, with Cortex's own schema where a case has
 * none, and every allocation failing in turn.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar_case.h"
#include "policy/schema.h"

struct answer {
  char text[8192];
  size_t len;
};

static void answer_add(struct answer *answer, const char *kind, const struct cedar_finding *items,
                       uint32_t count) {
  uint32_t i;

  for (i = 0; i < count; i++)
    answer->len +=
        (size_t)snprintf(answer->text + answer->len, sizeof(answer->text) - answer->len,
                         "%s %u:%u %.*s: %s\n", kind, items[i].line, items[i].column,
                         (int)items[i].policy_id.len, items[i].policy_id.ptr, items[i].message);
}

/* Everything from schema to findings; the first failure's status. */
static enum cedar_status case_validate(const struct cedar_case *c,
                                       const struct cedar_allocator *allocator,
                                       struct answer *answer) {
  const struct cedar_source builtin = {CX_SCHEMA_NAME, cx_schema_text, cx_schema_len};
  const struct cedar_source *links = cedar_case_part(c, "links");
  struct cedar_validation *validation = NULL;
  struct cedar_schema *schema = NULL;
  struct cedar_store *store = NULL;
  struct cedar_error error = {0};
  enum cedar_status status = cedar_case_schema(c, &builtin, allocator, &schema, &error);

  if (status == CEDAR_OK)
    status = cedar_store_new(allocator, &store);
  if (status == CEDAR_OK)
    status =
        cedar_store_add_policies(store, cedar_case_part(c, "policies"), CEDAR_ID_POSITION, &error);
  if (status == CEDAR_OK && links != NULL)
    status = cedar_store_add_links(store, links, &error);
  if (status == CEDAR_OK)
    status = cedar_validate(store, schema, allocator, &validation, &error);
  answer->len = 0;
  if (status == CEDAR_OK) {
    struct cedar_findings findings = cedar_validation_findings(validation);

    answer_add(answer, "error", findings.errors, findings.error_count);
    answer_add(answer, "warning", findings.warnings, findings.warning_count);
  }
  if (status == CEDAR_OK && answer->len == 0)
    snprintf(answer->text, sizeof(answer->text), "valid\n");
  else if (status != CEDAR_OK)
    snprintf(answer->text, sizeof(answer->text), "refused %u:%u %s\n", error.line, error.column,
             error.message);
  cedar_validation_free(&validation);
  cedar_store_free(&store);
  cedar_schema_free(&schema);
  return status;
}

/* No memory at any point is an error, and nothing is left behind. */
static void allocations_sweep(const struct cedar_case *c) {
  struct cedar_failing failing = {0, 0, 0};
  struct cedar_allocator allocator = cedar_failing_allocator(&failing);
  enum cedar_status status;
  struct answer answer;

  do {
    failing.calls = 0;
    failing.fail_at++;
    status = case_validate(c, &allocator, &answer);
    assert_true(failing.calls < failing.fail_at || status == CEDAR_NOMEM);
    assert_int_equal(failing.live, 0);
  } while (failing.calls >= failing.fail_at);
}

static void case_is_answered_as_expected(void **state) {
  const struct cedar_source *expected;
  struct answer answer;
  struct cedar_case c;

  cedar_case_load(*state, &c);
  expected = cedar_case_part(&c, "expect");
  assert_non_null(expected);
  case_validate(&c, NULL, &answer);
  assert_string_equal(answer.text, expected->bytes);
  allocations_sweep(&c);
  cedar_case_clear(&c);
}

int main(void) {
  return cedar_cases_run("cedar-validate", case_is_answered_as_expected, NULL, 0);
}
