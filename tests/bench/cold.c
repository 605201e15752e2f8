/*
 * The first decision of a process: a policy is opened, a request built, the policy asked.
 * SPDX-License-Identifier: PostgreSQL
 *
 * usage: cold CONFIG SERVICE USER GROUP...
 *
 * Prints the microseconds and the page faults that opening and deciding took, and whether there
 * was an image. Reading the configuration is not counted. tests/bench/cold builds and runs it.
 */
#include <cortexauth/decision.h>
#include <cortexauth/identity.h>
#include <cortexauth/settings.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static long faults(void) {
  struct rusage usage;

  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

int main(int argc, char **argv) {
  struct cortex_question question = {.now = (int64_t)time(NULL) * 1000000};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_settings *settings = NULL;
  struct cortex_decision *decision = NULL;
  struct cortex_identity *who = NULL;
  struct cortex_policy *policy = NULL;
  enum cortex_reason reason;
  double from, opened, done;
  long before, after;

  if (argc < 4 || cortex_settings_load(argv[1], &settings, &error) != CORTEX_OK ||
      cortex_identity_claim(argv[3], (const char *const *)argv + 4, (size_t)argc - 4, &who,
                            &error) != CORTEX_OK) {
    fprintf(stderr, "cold: %s\n", error.message);
    return 2;
  }
  question.service = argv[2];
  question.identity = who;
  before = faults();
  from = now();
  reason = cortex_policy_load(settings, &policy, &error);
  opened = now();
  if (reason == CORTEX_OK)
    reason = cortex_decide(policy, &question, &decision, &error);
  done = now();
  after = faults();
  printf("%.1f %.1f %ld %s %s\n", done - from, opened - from, after - before,
         policy != NULL && cortex_policy_is_image(policy) ? "image" : "text",
         cortex_reason_name(reason));
  cortex_decision_free(&decision);
  cortex_policy_free(&policy);
  cortex_identity_free(&who);
  cortex_settings_free(&settings);
  return reason == CORTEX_OK || reason == CORTEX_POLICY_DENIED ? 0 : 1;
}
