/*
 * cortexctl policy test: an operator's own expectations of the configured policy.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/decision.h>

#include "cedar_input.h"
#include "policy_case.h"

struct tally {
  const struct cortex_policy *policy;
  const struct cedar_store *store;
  struct cedar_request *request;
  const char *file;
  size_t passed, failed;
};

static bool is_listed(const json_t *ids, struct cedar_text id) {
  const json_t *item;
  size_t i;

  json_array_foreach(ids, i, item) {
    if (json_string_length(item) == id.len && memcmp(json_string_value(item), id.ptr, id.len) == 0)
      return true;
  }
  return false;
}

/* The same policies, in any order. */
static bool are_expected(const struct tally *tally, const json_t *ids,
                         const struct cedar_answer *answer) {
  struct cedar_policy_info info;
  uint32_t i;

  if (ids == NULL)
    return true;
  for (i = 0; i < answer->reason_count; i++)
    if (!cedar_policy_get(tally->store, answer->reasons[i], &info) || !is_listed(ids, info.id))
      return false;
  return json_array_size(ids) == answer->reason_count;
}

static void print_failure(const struct tally *tally, const struct policy_case *item,
                          const struct cedar_answer *answer) {
  struct cedar_policy_info info;
  uint32_t i;

  printf("FAILED %s: %s: expected %s, got %s by", tally->file, item->name,
         item->allow ? "allow" : "deny", answer->decision == CEDAR_ALLOW ? "allow" : "deny");
  for (i = 0; i < answer->reason_count; i++)
    if (cedar_policy_get(tally->store, answer->reasons[i], &info))
      printf(" \"%.*s\" (%.*s:%u)", (int)info.id.len, info.id.ptr, (int)info.source.len,
             info.source.ptr, (unsigned)info.line);
  printf("%s\n", answer->reason_count == 0 ? " no policy" : "");
  for (i = 0; i < answer->error_count; i++)
    if (cedar_policy_get(tally->store, answer->errors[i].policy, &info))
      printf("  \"%.*s\" could not be evaluated: %s\n", (int)info.id.len, info.id.ptr,
             answer->errors[i].message);
}

static bool judge(struct tally *tally, const struct policy_case *item,
                  const struct cedar_request_list *list, size_t position) {
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_answer answer;

  if (cedar_request_fill(tally->request, list, position, NULL, &error) == CEDAR_OK) {
    policy_case_overlay(item, tally->request);
    if (cedar_authorize(tally->request, &answer, &error) == CEDAR_OK) {
      bool good = item->allow == (answer.decision == CEDAR_ALLOW) &&
                  are_expected(tally, item->policies, &answer);

      tally->passed += good;
      tally->failed += !good;
      if (!good)
        print_failure(tally, item, &answer);
      return true;
    }
  }
  cli_complain("%s: %s: %s", tally->file, item->name, error.message);
  return false;
}

/* Cedar denies what it does not know: a misspelt service would pass for a closed one. */
static const char *read_case(const struct tally *tally, json_t *test,
                             struct policy_case *item_out) {
  const char *wrong = policy_case_read(test, item_out);
  struct cortex_service service;

  if (wrong == NULL && !cortex_policy_find_service(tally->policy, item_out->service, &service))
    return "the entities file does not describe its service";
  return wrong;
}

/* All requests of a file as Cedar reads them; NULL, after a complaint, when a test is wrong. */
static char *make_requests(const struct tally *tally, const json_t *tests) {
  json_t *requests = json_array(), *test;
  struct policy_case item;
  char *text = NULL;
  const char *wrong = NULL;
  size_t i;

  json_array_foreach(tests, i, test) {
    wrong = read_case(tally, test, &item);
    if (wrong == NULL && json_array_append_new(requests, policy_case_request(test)) != 0)
      wrong = "out of memory";
    if (wrong != NULL)
      break;
  }
  if (wrong != NULL)
    cli_complain("%s: test %zu: %s", tally->file, i + 1, wrong);
  else
    text = json_dumps(requests, JSON_COMPACT);
  json_decref(requests);
  return text;
}

static bool run_tests(struct tally *tally, const json_t *tests) {
  char *text = make_requests(tally, tests);
  struct cedar_source source = {tally->file, text, text != NULL ? strlen(text) : 0};
  struct cedar_request_list *list = NULL;
  struct cedar_error error = {.status = CEDAR_OK};
  struct policy_case item;
  bool fine = text != NULL;
  size_t i;

  if (fine && cedar_request_list_parse(&source, NULL, &list, &error) != CEDAR_OK) {
    cedar_input_complain(&error);
    fine = false;
  }
  for (i = 0; fine && i < json_array_size(tests); i++)
    fine =
        policy_case_read(json_array_get(tests, i), &item) == NULL && judge(tally, &item, list, i);
  cedar_request_list_free(&list);
  free(text);
  return fine;
}

static bool run_file(struct tally *tally, const char *file) {
  json_error_t cause;
  json_t *tests = json_load_file(file, JSON_REJECT_DUPLICATES, &cause);
  bool fine = false;

  tally->file = file;
  if (tests == NULL && cause.line > 0)
    fprintf(stderr, "%s:%d:%d: %s\n", file, cause.line, cause.column, cause.text);
  else if (tests == NULL)
    cli_complain("%s: %s", file, cause.text);
  else if (!json_is_array(tests))
    cli_complain("%s: an array of tests is needed", file);
  else
    fine = run_tests(tally, tests);
  json_decref(tests);
  return fine;
}

static int is_test_file(const struct dirent *entry) {
  size_t len = strlen(entry->d_name);

  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int by_bytes(const struct dirent **left, const struct dirent **right) {
  return strcmp((*left)->d_name, (*right)->d_name);
}

static bool run_folder(struct tally *tally, const char *folder) {
  struct dirent **entries = NULL;
  int i, count = scandir(folder, &entries, is_test_file, by_bytes);
  bool fine = count > 0;

  if (!fine)
    cli_complain("%s: %s", folder, count < 0 ? strerror(errno) : "there is no *.json file");
  for (i = 0; i < count; i++) {
    char path[4096];

    if (fine)
      fine = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < (int)sizeof path &&
             run_file(tally, path);
    free(entries[i]);
  }
  free(entries);
  return fine;
}

static enum cli_exit test_policy(const struct cli *cli, const struct cortex_policy *policy) {
  struct tally tally = {.policy = policy, .store = cortex_policy_store(policy)};
  enum cli_exit code = CLI_USAGE;

  if (cedar_request_new(tally.store, NULL, &tally.request) != CEDAR_OK) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  if (run_folder(&tally, cli->operands[0])) {
    printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
    code = tally.failed == 0 ? CLI_DONE : CLI_NO;
  }
  cedar_request_free(&tally.request);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct cortex_settings *settings = NULL;
  struct cortex_policy *policy = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit code = CLI_USAGE;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
          CORTEX_OK ||
      cortex_policy_load(settings, &policy, &error) != CORTEX_OK)
    cli_complain_error(&error);
  else
    code = test_policy(cli, policy);
  cortex_policy_free(&policy);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {0},
};

const struct cli_verb cmd_policy_test = {
    "policy test", "DIR", 1, 1, "run the tests of a folder against the configured policy",
    options,       run};
