/*
 * Starting the helper that reads XML, asking it one question, and getting rid of it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "saml/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE_MAX_MS 5000 /* the most that the helper itself lets be asked for */

/* One helper on its way. */
struct run {
  const struct cx_saml_worker *worker;
  pid_t pid;
  int fd;
};

#define REFUSE(reason, ...) cx_error_set(error, reason, __VA_ARGS__)

/* Nothing of this process is passed on: not the client's socket, which a backend leaves open. */
static int set_files(posix_spawn_file_actions_t *files, int fd) {
  int failure = posix_spawn_file_actions_adddup2(files, fd, STDIN_FILENO);

  if (failure == 0)
    failure = posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDOUT_FILENO);
  if (failure == 0)
    failure = posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (failure == 0)
    failure = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
  return failure;
}

/* A backend blocks and ignores signals as it likes; the helper must die of its limits. */
static int set_signals(posix_spawnattr_t *attributes) {
  sigset_t all, none;
  int failure;

  sigfillset(&all);
  sigemptyset(&none);
  failure = posix_spawnattr_setsigdefault(attributes, &all);
  if (failure == 0)
    failure = posix_spawnattr_setsigmask(attributes, &none);
  if (failure == 0)
    failure =
        posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  return failure;
}

static int64_t milliseconds_left(const struct cx_saml_worker *worker) {
  return (worker->deadline - worker->clock->monotonic(worker->clock)) / 1000000;
}

/* Its life, in milliseconds, is told to it: where nobody is left to kill it, it still ends in time. */
static int spawn(const char *path, int64_t life, int fd, pid_t *pid_out) {
  char name[] = "cortex-saml", limit[24];
  char *const arguments[] = {name, limit, NULL}, *const nothing[] = {NULL};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  int failure = posix_spawn_file_actions_init(&files);

  if (failure != 0)
    return failure;
  snprintf(limit, sizeof limit, "%" PRId64, life < LIFE_MAX_MS ? life : LIFE_MAX_MS);
  failure = posix_spawnattr_init(&attributes);
  if (failure == 0) {
    failure = set_files(&files, fd);
    if (failure == 0)
      failure = set_signals(&attributes);
    if (failure == 0)
      failure = posix_spawn(pid_out, path, &files, &attributes, arguments, nothing);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&files);
  return failure;
}

static enum cortex_reason start(struct run *run, struct cortex_error *error) {
  int64_t life = milliseconds_left(run->worker);
  int ends[2], failure;

  if (life <= 0)
    return REFUSE(CORTEX_HELPER_TIMEOUT, "there is no time left to start the helper");
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return REFUSE(CORTEX_HELPER_FAILED, "no socket for the helper: %s", strerror(errno));
  failure = spawn(run->worker->path, life, ends[1], &run->pid);
  close(ends[1]);
  if (failure != 0) {
    close(ends[0]);
    return REFUSE(CORTEX_HELPER_FAILED, "%s cannot be started: %s", run->worker->path,
                  strerror(failure));
  }
  run->fd = ends[0];
  return CORTEX_OK;
}

/* Waits until the helper's end is ready; signals of the program in between change nothing. */
static enum cortex_reason await(const struct run *run, short events, struct cortex_error *error) {
  struct pollfd pollfd = {run->fd, events, 0};
  int64_t left;
  int ready;

  do {
    left = milliseconds_left(run->worker);
    if (left <= 0)
      return REFUSE(CORTEX_HELPER_TIMEOUT, "the helper did not answer in time");
    ready = poll(&pollfd, 1, left > 60000 ? 60000 : (int)left);
  } while (ready == 0 || (ready < 0 && errno == EINTR));
  return ready > 0 ? CORTEX_OK : REFUSE(CORTEX_HELPER_FAILED, "poll: %s", strerror(errno));
}

static enum cortex_reason send_all(const struct run *run, const void *bytes, size_t len,
                                   struct cortex_error *error) {
  enum cortex_reason reason;
  size_t done = 0;
  ssize_t n;

  while (done < len) {
    n = send(run->fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      done += (size_t)n;
      continue;
    }
    if (errno != EINTR && errno != EAGAIN)
      return REFUSE(CORTEX_HELPER_FAILED, "the helper ended before it had read the question");
    reason = await(run, POLLOUT, error);
    if (reason != CORTEX_OK)
      return reason;
  }
  return CORTEX_OK;
}

static enum cortex_reason receive_all(const struct run *run, void *bytes, size_t len,
                                      struct cortex_error *error) {
  enum cortex_reason reason;
  size_t done = 0;
  ssize_t n;

  while (done < len) {
    n = recv(run->fd, (char *)bytes + done, len - done, MSG_DONTWAIT);
    if (n > 0) {
      done += (size_t)n;
      continue;
    }
    if (n == 0 || (errno != EINTR && errno != EAGAIN))
      return REFUSE(CORTEX_HELPER_FAILED, "the helper ended without an answer");
    reason = await(run, POLLIN, error);
    if (reason != CORTEX_OK)
      return reason;
  }
  return CORTEX_OK;
}

/* One answer and no more: what goes on speaking, or does not end, is not the helper we know. */
static enum cortex_reason expect_end(const struct run *run, struct cortex_error *error) {
  enum cortex_reason reason;
  char byte;
  ssize_t n;

  while ((n = recv(run->fd, &byte, 1, MSG_DONTWAIT)) < 0 && (errno == EINTR || errno == EAGAIN)) {
    reason = await(run, POLLIN, error);
    if (reason != CORTEX_OK)
      return reason;
  }
  return n == 0 ? CORTEX_OK : REFUSE(CORTEX_HELPER_FAILED, "the helper did not end after its answer");
}

/* A length of four bytes, the most significant first, stands before each text. */
static enum cortex_reason exchange(const struct run *run, const struct cx_buf *question,
                                   struct cx_buf *answer, struct cortex_error *error) {
  uint8_t head[4] = {(uint8_t)(question->len >> 24), (uint8_t)(question->len >> 16),
                     (uint8_t)(question->len >> 8), (uint8_t)question->len};
  enum cortex_reason reason = send_all(run, head, sizeof head, error);
  size_t len;
  char *room;

  if (reason == CORTEX_OK)
    reason = send_all(run, question->bytes, question->len, error);
  if (reason == CORTEX_OK)
    reason = receive_all(run, head, sizeof head, error);
  if (reason != CORTEX_OK)
    return reason;
  len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
  if (len == 0 || len > CX_SAML_ANSWER_MAX)
    return REFUSE(CORTEX_HELPER_FAILED, "the helper's answer has %zu bytes", len);
  room = cx_buf_reserve(answer, len);
  if (room == NULL)
    return cx_error_memory(error);
  reason = receive_all(run, room, len, error);
  if (reason == CORTEX_OK)
    reason = expect_end(run, error);
  if (reason == CORTEX_OK)
    answer->len = len;
  return reason;
}

static pid_t wait_for(const struct run *run, int options, int *status) {
  pid_t seen;

  do
    seen = waitpid(run->pid, status, options);
  while (seen < 0 && errno == EINTR);
  return seen;
}

/*
 * Only our own process is waited for. It is killed only while it is still ours: where
 * the program has children reaped behind our back, its number may be another's by now,
 * and how it ended is not known. A kill does not change the status of one that is
 * already on its way out, so nothing is waited for longer than the kernel takes.
 *   gives  false when it did not end by itself, without complaint
 */
static bool stop(struct run *run) {
  int status = 0;
  pid_t seen;

  close(run->fd);
  seen = wait_for(run, WNOHANG, &status);
  if (seen == 0) {
    kill(run->pid, SIGKILL);
    seen = wait_for(run, 0, &status);
  }
  return seen != run->pid || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

enum cortex_reason cx_saml_worker_ask(const struct cx_saml_worker *worker,
                                      const struct cx_buf *question, struct cx_buf *answer_out,
                                      struct cortex_error *error) {
  struct run run = {.worker = worker};
  enum cortex_reason reason;

  cx_buf_init(answer_out, CX_SAML_ANSWER_MAX);
  if (worker->clock == NULL)
    return REFUSE(CORTEX_INTERNAL, "there is no clock to limit the helper with");
  if (question->failed || question->len > CX_SAML_QUESTION_MAX)
    return REFUSE(CORTEX_INTERNAL, "the question to the helper is too large");
  reason = start(&run, error);
  if (reason != CORTEX_OK)
    return reason;
  reason = exchange(&run, question, answer_out, error);
  if (!stop(&run) && reason == CORTEX_OK)
    reason = REFUSE(CORTEX_HELPER_FAILED, "the helper crashed after its answer");
  if (reason != CORTEX_OK)
    cx_buf_clear(answer_out);
  return reason;
}
