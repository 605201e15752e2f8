/*
 * The caller of the SAML helper, with helpers that misbehave: each is a refusal, and nothing stays behind.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The helper is this program again, under the name that a helper is started with; what it does
 * is what the question says.
 */
#include <config.h>

#include "saml/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SELF "/proc/self/exe"
#define MS INT64_C(1000000)
#define LONG (30000 * MS) /* for what must not need its time */
#define SHORT (200 * MS) /* for what must */
#define THREADS 8

/* ---- the helper ---- */

extern char **environ;

static void say(const void *bytes, size_t len) {
  const char *at = bytes;
  ssize_t n;

  for (; len > 0; at += n, len -= (size_t)n) {
    n = write(STDOUT_FILENO, at, len);
    if (n <= 0)
      _exit(9);
  }
}

static void say_head(size_t len) {
  const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                           (uint8_t)len};

  say(head, sizeof head);
}

static void answer(const char *text) {
  say_head(strlen(text));
  say(text, strlen(text));
}

static void hang(void) {
  for (;;)
    pause();
}

static void answer_well(void) {
  answer("{}");
}

static void answer_the_most(void) {
  static char most[CX_SAML_ANSWER_MAX];

  say_head(sizeof most);
  say(most, sizeof most);
}

static void announce_too_much(void) {
  say_head(CX_SAML_ANSWER_MAX + 1);
  hang();
}

static void announce_all(void) {
  say_head(0xffffffff);
}

static void announce_nothing(void) {
  say_head(0);
}

static void say_half_a_head(void) {
  say("\0\0", 2);
}

static void say_half_an_answer(void) {
  say_head(100);
  say("half", 4);
}

static void say_half_and_hang(void) {
  say_half_an_answer();
  hang();
}

static void answer_twice(void) {
  answer_well();
  answer_well();
}

static void answer_and_go_on(void) {
  answer_well();
  for (;;)
    say("more", 4);
}

static void answer_and_hang(void) {
  answer_well();
  hang();
}

static void answer_and_close(void) {
  answer_well();
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  hang();
}

static void answer_and_crash(void) {
  answer_well();
  kill(getpid(), SIGSEGV);
}

static void answer_and_fail(void) {
  answer_well();
  _exit(5);
}

static void crash(void) {
  kill(getpid(), SIGSEGV);
}

static void say_nothing(void) {
}

static void close_and_hang(void) {
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  hang();
}

static void stop_itself(void) {
  kill(getpid(), SIGSTOP);
}

static void flood_errors(void) {
  static const char text[4096];
  int i;

  for (i = 0; i < 4096; i++)
    if (write(STDERR_FILENO, text, sizeof text) != (ssize_t)sizeof text)
      _exit(9);
  answer_well();
}

/* What it can see of its caller: descriptors, environment, signals that are blocked or ignored. */
static void report(void) {
  char text[4096] = "files", *end = text + strlen(text);
  struct sigaction action;
  sigset_t mask;
  struct dirent *entry;
  DIR *folder = opendir("/proc/self/fd");
  int i, own = folder != NULL ? dirfd(folder) : -1;

  while (folder != NULL && (entry = readdir(folder)) != NULL)
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != own)
      end += sprintf(end, " %s", entry->d_name);
  if (folder != NULL)
    closedir(folder);
  end += sprintf(end, "; environment");
  for (i = 0; environ[i] != NULL; i++)
    end += sprintf(end, " %s", environ[i]);
  end += sprintf(end, "; signals");
  sigprocmask(SIG_SETMASK, NULL, &mask);
  for (i = 1; i < NSIG; i++)
    if (sigismember(&mask, i) == 1 ||
        (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN))
      end += sprintf(end, " %d", i);
  answer(text);
}

static const struct {
  const char *question;
  void (*act)(void);
} acts[] = {
    {"well", answer_well},
    {"the most", answer_the_most},
    {"too much", announce_too_much},
    {"4 GiB", announce_all},
    {"no length", announce_nothing},
    {"half a head", say_half_a_head},
    {"half", say_half_an_answer},
    {"half, hang", say_half_and_hang},
    {"twice", answer_twice},
    {"endless", answer_and_go_on},
    {"answer, hang", answer_and_hang},
    {"answer, close", answer_and_close},
    {"answer, crash", answer_and_crash},
    {"answer, fail", answer_and_fail},
    {"crash", crash},
    {"nothing", say_nothing},
    {"hang", hang},
    {"close, hang", close_and_hang},
    {"stop", stop_itself},
    {"flood", flood_errors},
    {"report", report},
};

/* A question of some other text is not read to its end. */
static int be_helper(void) {
  char question[64] = "";
  uint8_t head[4];
  size_t i;

  if (read(STDIN_FILENO, head, sizeof head) != (ssize_t)sizeof head)
    return 4;
  if (head[0] != 0 || head[1] != 0 || head[2] != 0 || head[3] >= sizeof question)
    hang();
  if (read(STDIN_FILENO, question, head[3]) != head[3])
    return 4;
  for (i = 0; i < sizeof acts / sizeof acts[0]; i++)
    if (strcmp(acts[i].question, question) == 0) {
      acts[i].act();
      return 0;
    }
  return 8;
}

/* ---- its caller ---- */

static enum cortex_reason ask_bytes(const char *path, const void *bytes, size_t len, int64_t time,
                                    struct cx_buf *reply, struct cortex_error *error) {
  const struct cortex_clock *clock = cortex_clock_system();
  const struct cx_saml_worker worker = {path, clock, clock->monotonic(clock) + time};
  enum cortex_reason reason;
  struct cx_buf question;

  cx_buf_init(&question, 2 * CX_SAML_QUESTION_MAX);
  cx_buf_put(&question, bytes, len);
  reason = cx_saml_worker_ask(&worker, &question, reply, error);
  cx_buf_clear(&question);
  return reason;
}

static size_t count_files(void) {
  DIR *folder = opendir("/proc/self/fd");
  size_t count = 0;

  assert_non_null(folder);
  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

static int64_t now(void) {
  const struct cortex_clock *clock = cortex_clock_system();

  return clock->monotonic(clock);
}

/* Whatever the helper did: no child, no descriptor, no answer but after success. */
static void ask(const char *question, int64_t time, enum cortex_reason expected, const char *said) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  size_t files = count_files();
  struct cx_buf reply;

  assert_int_equal(ask_bytes(SELF, question, strlen(question), time, &reply, &error), expected);
  if (expected != CORTEX_OK) {
    assert_int_equal(reply.len, 0);
    assert_int_equal(error.reason, expected);
    if (strstr(error.message, said) == NULL)
      fail_msg("%s: %s", question, error.message);
  }
  cx_buf_clear(&reply);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
  assert_int_equal(count_files(), files);
}

static void answers_are_taken(void **state) {
  (void)state;
  ask("well", LONG, CORTEX_OK, NULL);
  ask("the most", LONG, CORTEX_OK, NULL);
  ask("flood", LONG, CORTEX_OK, NULL);
}

static void what_is_no_answer_is_refused(void **state) {
  static const char *const questions[][2] = {
      {"too much", "has 262145 bytes"},    {"4 GiB", "has 4294967295 bytes"},
      {"no length", "has 0 bytes"},        {"half a head", "ended without an answer"},
      {"half", "ended without an answer"}, {"nothing", "ended without an answer"},
      {"crash", "ended without an answer"}, {"close, hang", "ended without an answer"},
      {"no such act", "ended without an answer"}};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof questions / sizeof questions[0]; i++)
    ask(questions[i][0], LONG, CORTEX_HELPER_FAILED, questions[i][1]);
}

static void an_answer_counts_only_with_a_good_end(void **state) {
  (void)state;
  ask("twice", LONG, CORTEX_HELPER_FAILED, "did not end after its answer");
  ask("endless", LONG, CORTEX_HELPER_FAILED, "did not end after its answer");
  ask("answer, crash", LONG, CORTEX_HELPER_FAILED, "crashed after its answer");
  ask("answer, fail", LONG, CORTEX_HELPER_FAILED, "crashed after its answer");
  ask("answer, close", LONG, CORTEX_HELPER_FAILED, "crashed after its answer");
}

static void what_does_not_end_is_ended_in_time(void **state) {
  static const char *const questions[] = {"hang", "half, hang", "answer, hang", "stop"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof questions / sizeof questions[0]; i++) {
    int64_t start = now();

    ask(questions[i], SHORT, CORTEX_HELPER_TIMEOUT, "in time");
    assert_true(now() - start >= SHORT - MS);
    assert_true(now() - start < SHORT + 2000 * MS);
  }
}

static void a_question_that_is_not_read_is_given_up(void **state) {
  static char large[CX_SAML_QUESTION_MAX];
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_buf reply;

  (void)state;
  assert_int_equal(ask_bytes(SELF, large, sizeof large, SHORT, &reply, &error),
                   CORTEX_HELPER_TIMEOUT);
  assert_int_equal(ask_bytes("/bin/true", large, sizeof large, LONG, &reply, &error),
                   CORTEX_HELPER_FAILED);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void what_cannot_be_asked_is_refused(void **state) {
  static char large[CX_SAML_QUESTION_MAX + 1];
  struct cortex_error error = CORTEX_ERROR_NONE;
  const struct cx_saml_worker no_clock = {SELF, NULL, 0};
  struct cx_buf question, reply;

  (void)state;
  assert_int_equal(ask_bytes(SELF, large, sizeof large, LONG, &reply, &error), CORTEX_INTERNAL);
  assert_int_equal(ask_bytes(SELF, "well", 4, 0, &reply, &error), CORTEX_HELPER_TIMEOUT);
  assert_int_equal(ask_bytes("/nowhere/cortex-saml", "well", 4, LONG, &reply, &error),
                   CORTEX_HELPER_FAILED);
  cx_buf_init(&question, 0);
  assert_int_equal(cx_saml_worker_ask(&no_clock, &question, &reply, NULL), CORTEX_INTERNAL);
}

/* A backend has its client's socket open, signals blocked, and an environment. */
static void the_helper_inherits_nothing(void **state) {
  int leak = open("/dev/null", O_RDONLY), high = fcntl(leak, F_DUPFD, 200);
  struct cortex_error error = CORTEX_ERROR_NONE;
  sigset_t blocked, before;
  struct cx_buf reply;

  (void)state;
  assert_true(leak > STDERR_FILENO && high >= 200);
  sigfillset(&blocked);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  signal(SIGPIPE, SIG_IGN);
  setenv("LD_PRELOAD_OF_OURS", "secret", 1);
  assert_int_equal(ask_bytes(SELF, "report", 6, LONG, &reply, &error), CORTEX_OK);
  sigprocmask(SIG_SETMASK, &before, NULL);
  signal(SIGPIPE, SIG_DFL);
  cx_buf_put(&reply, "", 1);
  assert_string_equal(reply.bytes, "files 0 1 2; environment; signals");
  cx_buf_clear(&reply);
  close(leak);
  close(high);
}

static void other_children_stay_the_caller_s(void **state) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cx_buf reply;
  int status = 0;
  pid_t other = fork();

  (void)state;
  if (other == 0)
    _exit(42);
  usleep(20000); /* it has ended, and waits to be waited for */
  assert_int_equal(ask_bytes(SELF, "well", 4, LONG, &reply, &error), CORTEX_OK);
  cx_buf_clear(&reply);
  assert_int_equal(ask_bytes(SELF, "crash", 5, LONG, &reply, &error), CORTEX_HELPER_FAILED);
  assert_int_equal(ask_bytes(SELF, "hang", 4, SHORT, &reply, &error), CORTEX_HELPER_TIMEOUT);
  assert_int_equal(waitpid(other, &status, WNOHANG), other);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

/* Some programs have the kernel reap their children: how one ended is not known there. */
static void a_program_that_ignores_its_children_is_served(void **state) {
  (void)state;
  signal(SIGCHLD, SIG_IGN);
  ask("well", LONG, CORTEX_OK, NULL);
  ask("crash", LONG, CORTEX_HELPER_FAILED, "ended without an answer");
  ask("hang", SHORT, CORTEX_HELPER_TIMEOUT, "in time");
  signal(SIGCHLD, SIG_DFL);
}

static void *ask_from_thread(void *argument) {
  static const char *const questions[] = {"well", "crash", "answer, crash", "flood"};
  static const enum cortex_reason expected[] = {CORTEX_OK, CORTEX_HELPER_FAILED,
                                                CORTEX_HELPER_FAILED, CORTEX_OK};
  size_t *wrong = argument, i;

  for (i = 0; i < 8; i++) {
    const char *question = questions[i % 4];
    struct cx_buf reply;

    *wrong += ask_bytes(SELF, question, strlen(question), LONG, &reply, NULL) != expected[i % 4];
    cx_buf_clear(&reply);
  }
  return NULL;
}

static void threads_ask_at_the_same_time(void **state) {
  pthread_t threads[THREADS];
  size_t wrong[THREADS] = {0}, files = count_files(), i;

  (void)state;
  for (i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, ask_from_thread, &wrong[i]), 0);
  for (i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(wrong[i], 0);
  }
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(count_files(), files);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_taken),
      cmocka_unit_test(what_is_no_answer_is_refused),
      cmocka_unit_test(an_answer_counts_only_with_a_good_end),
      cmocka_unit_test(what_does_not_end_is_ended_in_time),
      cmocka_unit_test(a_question_that_is_not_read_is_given_up),
      cmocka_unit_test(what_cannot_be_asked_is_refused),
      cmocka_unit_test(the_helper_inherits_nothing),
      cmocka_unit_test(other_children_stay_the_caller_s),
      cmocka_unit_test(a_program_that_ignores_its_children_is_served),
      cmocka_unit_test(threads_ask_at_the_same_time),
  };

  if (argc == 2 && strcmp(argv[0], "cortex-saml") == 0)
    return be_helper();
  return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
