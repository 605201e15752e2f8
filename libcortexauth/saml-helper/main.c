/*
 * cortex-saml: reads one response in a process of its own, answers one identity.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "sandbox.h"
#include "signature.h"

static bool read_all(char *bytes, size_t len) {
  size_t done = 0;
  ssize_t n;

  while (done < len) {
    n = read(STDIN_FILENO, bytes + done, len - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    done += (size_t)n;
  }
  return true;
}

static bool write_all(const char *bytes, size_t len) {
  size_t done = 0;
  ssize_t n;

  while (done < len) {
    n = write(STDOUT_FILENO, bytes + done, len - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    done += (size_t)n;
  }
  return true;
}

/* Four bytes, the most significant first. */
static char *read_question(size_t *len_out) {
  uint8_t head[4];
  char *bytes;
  size_t len;

  if (!read_all((char *)head, sizeof head))
    return NULL;
  len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
  if (len == 0 || len > SAML_QUESTION_MAX)
    return NULL;
  bytes = malloc(len);
  if (bytes != NULL && read_all(bytes, len)) {
    *len_out = len;
    return bytes;
  }
  free(bytes);
  return NULL;
}

/* In one piece: whoever waits for it is woken once. */
static bool write_answer(const char *text) {
  size_t len = strlen(text);
  char *bytes = len <= SAML_ANSWER_MAX ? malloc(4 + len) : NULL;
  bool done;

  if (bytes == NULL)
    return false;
  bytes[0] = (char)(len >> 24);
  bytes[1] = (char)(len >> 16);
  bytes[2] = (char)(len >> 8);
  bytes[3] = (char)len;
  memcpy(bytes + 4, text, len);
  done = write_all(bytes, 4 + len);
  free(bytes);
  return done;
}

/*
 * Everything that needs a file is done before. OpenSSL seeds its random numbers by
 * getrandom(2), which the filter knows, and only where something is decrypted.
 */
static bool prepare(unsigned milliseconds) {
  return saml_sandbox_limit(milliseconds) && saml_signature_init() && saml_sandbox_enter();
}

/* The one argument: how many milliseconds the process may live. 0: there is none. */
static unsigned read_life(int argc, char **argv) {
  unsigned long life = 0;
  char *end = NULL;

  if (argc == 2 && argv[1][0] >= '1' && argv[1][0] <= '9')
    life = strtoul(argv[1], &end, 10);
  return end != NULL && *end == '\0' && life <= SAML_LIFE_MAX_MS ? (unsigned)life : 0;
}

/* Inside the sandbox: one question, one answer. */
static int serve(void) {
  size_t len = 0;
  char *question = read_question(&len), *answer;

  if (question == NULL)
    return 4;
  answer = saml_answer(question, len);
  explicit_bzero(question, len);
  return answer != NULL && write_answer(answer) ? 0 : 5;
}

int main(int argc, char **argv) {
  unsigned life = read_life(argc, argv);

  if (life == 0) {
    fputs("cortex-saml is started by the login, not by people\n", stderr);
    return 2;
  }
  /* No destructors: they are not on the list of calls, and the process ends anyway. */
  _exit(prepare(life) ? serve() : 3);
}
