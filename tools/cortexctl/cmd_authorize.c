/*
 * cortexctl authorize: Cedar decisions for a file of requests.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cedar_input.h"
#include "common/out.h"

#define SAMPLES_MAX 200000
#define SAMPLING_NS INT64_C(1000000000)

static void print_ids(const struct cedar_store *store, uint32_t count, const uint32_t *policies,
                      const struct cedar_policy_error *errors) {
  struct cedar_policy_info info;
  uint32_t i;

  for (i = 0; i < count; i++) {
    if (i > 0)
      putchar(',');
    if (cedar_policy_get(store, policies != NULL ? policies[i] : errors[i].policy, &info))
      out_put_text(stdout, info.id.ptr, info.id.len);
  }
}

static void print_answer(const struct cedar_store *store, const struct cedar_answer *answer) {
  fputs(answer->decision == CEDAR_ALLOW ? "{\"decision\":\"Allow\",\"reason\":["
                                        : "{\"decision\":\"Deny\",\"reason\":[",
        stdout);
  print_ids(store, answer->reason_count, answer->reasons, NULL);
  fputs("],\"errors\":[", stdout);
  print_ids(store, answer->error_count, NULL, answer->errors);
  fputs("]}\n", stdout);
}

static void print_error(const struct cedar_error *error) {
  fputs("{\"error\":", stdout);
  out_put_text(stdout, error->message, strlen(error->message));
  fputs("}\n", stdout);
}

/* What was asked for: the store, the requests, and one request object for all of them. */
struct questions {
  const struct cedar_store *store;
  const struct cedar_schema *schema; /* NULL: none */
  const struct cedar_request_list *list;
  struct cedar_request *request;
};

static enum cli_exit answer_all(const struct questions *questions) {
  size_t i, count = cedar_request_list_count(questions->list);

  for (i = 0; i < count; i++) {
    struct cedar_error error = {.status = CEDAR_OK};
    struct cedar_answer answer;
    enum cedar_status status =
        cedar_request_fill(questions->request, questions->list, i, questions->schema, &error);

    if (status == CEDAR_OK)
      status = cedar_authorize(questions->request, &answer, &error);
    if (status == CEDAR_NOMEM) {
      cli_complain("out of memory");
      return CLI_OUTSIDE;
    }
    if (status == CEDAR_OK)
      print_answer(questions->store, &answer);
    else
      print_error(&error);
  }
  return CLI_DONE;
}

/* ---- --time ---- */

static int64_t nanoseconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What reading the clock twice takes of each sample, at least. */
static int64_t clock_cost(void) {
  int64_t least = INT64_MAX;
  int i;

  for (i = 0; i < 1000; i++) {
    int64_t from = nanoseconds(), taken = nanoseconds() - from;

    if (taken < least)
      least = taken;
  }
  return least;
}

static int compare(const void *left, const void *right) {
  const int64_t *a = left, *b = right;

  return (*a > *b) - (*a < *b);
}

/* Each request once per round, so that neighbours do not keep each other's data warm. */
static size_t sample(const struct questions *questions, int64_t *samples) {
  size_t i, taken = 0, count = cedar_request_list_count(questions->list);
  int64_t start = nanoseconds(), own = clock_cost();

  do {
    size_t before = taken;

    for (i = 0; i < count && taken < SAMPLES_MAX; i++) {
      struct cedar_answer answer;
      int64_t from;

      if (cedar_request_fill(questions->request, questions->list, i, questions->schema, NULL) !=
          CEDAR_OK)
        continue;
      from = nanoseconds();
      if (cedar_authorize(questions->request, &answer, NULL) == CEDAR_OK)
        samples[taken++] = nanoseconds() - from - own;
    }
    if (taken == before)
      break;
  } while (taken < SAMPLES_MAX && nanoseconds() - start < SAMPLING_NS);
  return taken;
}

static bool print_times(const struct questions *questions) {
  int64_t *samples = malloc(SAMPLES_MAX * sizeof *samples);
  size_t taken;

  if (samples == NULL) {
    cli_complain("out of memory");
    return false;
  }
  taken = sample(questions, samples);
  if (taken == 0) {
    cli_complain("--time: there is no request that can be decided");
  } else {
    qsort(samples, taken, sizeof *samples, compare);
    fprintf(stderr, "median %" PRId64 " ns p99 %" PRId64 " ns\n", samples[taken / 2],
            samples[taken - 1 - taken / 100]);
  }
  free(samples);
  return true;
}

/* ---- the command ---- */

static enum cli_exit answer_file(const struct cli *cli, const struct cedar_loaded *loaded,
                                 const struct text_file *file) {
  struct cedar_source source = cedar_input_source(file);
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_request_list *list = NULL;
  struct questions questions = {.store = loaded->store, .schema = loaded->schema};
  enum cli_exit code = CLI_USAGE;

  if (cedar_request_list_parse(&source, NULL, &list, &error) != CEDAR_OK) {
    cedar_input_complain(&error);
    return CLI_USAGE;
  }
  questions.list = list;
  if (cedar_request_new(loaded->store, NULL, &questions.request) != CEDAR_OK) {
    cli_complain("out of memory");
    code = CLI_OUTSIDE;
  } else {
    code = answer_all(&questions);
    if (code == CLI_DONE && cli_has(cli, "time") && !print_times(&questions))
      code = CLI_OUTSIDE;
  }
  cedar_request_free(&questions.request);
  cedar_request_list_free(&list);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  const struct cedar_input input = {.schema = cli_value(cli, "schema"),
                                    .policies = cli_value(cli, "policies"),
                                    .links = cli_value(cli, "links"),
                                    .entities = cli_value(cli, "entities")};
  struct cedar_loaded loaded;
  struct text_file requests;
  enum cli_exit code = CLI_USAGE;

  if (cedar_input_load(&input, &loaded) && text_file_read(cli_value(cli, "requests"), &requests)) {
    code = answer_file(cli, &loaded, &requests);
    text_file_clear(&requests);
  }
  cedar_input_clear(&loaded);
  return code;
}

static const struct cli_option options[] = {
    {"policies", "FILE", "policies; a name ending in .json: the JSON format", true, false},
    {"entities", "FILE", "entities, JSON", true, false},
    {"schema", "FILE", "a schema; a name ending in .json: the JSON form", false, false},
    {"links", "FILE", "template links, JSON", false, false},
    {"requests", "FILE", "JSON array of requests", true, false},
    {"time", NULL, "print median and p99 of a decision on standard error", false, false},
    {0},
};

const struct cli_verb cmd_authorize = {
    "authorize", "", 0, 0, "decide Cedar requests, one line of JSON each", options, run};
