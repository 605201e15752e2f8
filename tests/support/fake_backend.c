/*
 * A program that treats a PAM module as a PostgreSQL backend does: it forks for
 * each login, inherits descriptors, wears PostgreSQL's title, and after a failure
 * never calls pam_end. What the module leaves behind is looked at in the child.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "proctitle.h"

/* More than PostgreSQL lets through, to see the module refuse it. */
#define TOKEN_MAX 131072

static struct backend {
  char *confdir, *service, *user, *database, *rhost, *token_file, *repeat;
  char *token; /* NULL: the client sends no password */
  size_t token_len;
  bool is_verbose;
  bool is_unchecked;  /* for measuring: what is left behind is not looked for */
  pam_handle_t *pamh; /* outlives a failed login, as nobody ends it */
} backend;

static void usage(void) {
  fprintf(stderr, "usage: fake_backend --confdir DIR --service S --user U --database D\n"
                  "         [--rhost IP] [--token-file FILE] [--repeat N] [--verbose]\n"
                  "         [--unchecked]\n"
                  "exit: 0 allowed, 1 refused, 2 usage, 3 something was left behind\n");
  exit(2);
}

static void die(const char *what) {
  fprintf(stderr, "fake_backend: %s: %s\n", what, strerror(errno));
  exit(2);
}

/* Copied: the title will be written over the arguments. */
static void parse(int argc, char **argv) {
  static const struct option options[] = {
      {"confdir", required_argument, NULL, 0}, {"service", required_argument, NULL, 1},
      {"user", required_argument, NULL, 2},    {"database", required_argument, NULL, 3},
      {"rhost", required_argument, NULL, 4},   {"token-file", required_argument, NULL, 5},
      {"repeat", required_argument, NULL, 6},  {"verbose", no_argument, NULL, 'v'},
      {"unchecked", no_argument, NULL, 'x'},   {NULL, 0, NULL, 0},
  };
  char **const values[] = {&backend.confdir, &backend.service,    &backend.user,  &backend.database,
                           &backend.rhost,   &backend.token_file, &backend.repeat};
  int option;

  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == '?')
      usage();
    backend.is_verbose |= option == 'v';
    backend.is_unchecked |= option == 'x';
    if (option == 'v' || option == 'x')
      continue;
    free(*values[option]);
    *values[option] = strdup(optarg);
  }
  if (!backend.confdir || !backend.service || !backend.user || !backend.database || optind != argc)
    usage();
}

/* Kept out of the heap, so that what is found there is the module's or libpam's. */
static void read_token(void) {
  char *room = heap_shared(TOKEN_MAX + 1);
  int file;
  ssize_t n;

  if (backend.token_file == NULL)
    return;
  file = open(backend.token_file, O_RDONLY | O_CLOEXEC);
  n = file < 0 || room == NULL ? -1 : read(file, room, TOKEN_MAX);
  if (n < 0)
    die(backend.token_file);
  close(file);
  backend.token_len = (size_t)n;
  if (backend.token_len > 0 && room[backend.token_len - 1] == '\n')
    room[--backend.token_len] = '\0';
  backend.token = room;
}

/* As PostgreSQL's: lines go to the log, a prompt gets the client's one password. */
static int converse(int count, const struct pam_message **messages, struct pam_response **out,
                    void *data) {
  struct pam_response *responses = calloc((size_t)count, sizeof *responses);
  bool *is_missing = data;
  int i;

  *out = NULL;
  for (i = 0; responses != NULL && i < count; i++) {
    if (messages[i]->msg_style == PAM_ERROR_MSG)
      fprintf(stderr, "LOG:  error from underlying PAM layer: %s\n", messages[i]->msg);
    *is_missing = messages[i]->msg_style == PAM_PROMPT_ECHO_OFF && backend.token == NULL;
    if (*is_missing || messages[i]->msg_style == PAM_PROMPT_ECHO_ON) {
      free(responses);
      return PAM_CONV_ERR;
    }
    responses[i].resp = strdup(messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ? backend.token : "");
  }
  *out = responses;
  return PAM_SUCCESS;
}

static unsigned descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  unsigned count = 0;

  if (folder == NULL)
    die("/proc/self/fd");
  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

static bool complain(bool is_wrong, const char *what) {
  if (is_wrong)
    fprintf(stderr, "fake_backend: %s\n", what);
  return is_wrong;
}

static bool has_signal_handlers(void) {
  struct sigaction action;
  int number;

  for (number = 1; number < SIGRTMAX; number++)
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL &&
        action.sa_handler != SIG_IGN)
      return true;
  return false;
}

static bool left_something(unsigned before) {
  /* The end of a token is its signature: long, random, and nobody else's. */
  size_t len = backend.token_len < 32 ? backend.token_len : 32;
  const char *end = backend.token_len > 0 ? backend.token + backend.token_len - len : NULL;
  bool is_wrong = false;

  is_wrong |= complain(descriptors() != before, "descriptors stayed open");
  is_wrong |= complain(waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD, "children remain");
#if !HEAP_IS_SANITIZED
  is_wrong |= complain(has_signal_handlers(), "a signal handler was set");
  is_wrong |= complain(len >= 16 && heap_holds(end, len), "the credential is still in the heap");
#else
  (void)end;
  (void)has_signal_handlers;
#endif
  return is_wrong;
}

/* CheckPAMAuth of PostgreSQL, and the end of its process. */
static int login(void) {
  bool is_missing = false;
  struct pam_conv conv = {converse, &is_missing};
  unsigned before = descriptors();
  int code;

  code = pam_start_confdir(backend.service, "pgsql@", &conv, backend.confdir, &backend.pamh);
  if (code == PAM_SUCCESS)
    code = pam_set_item(backend.pamh, PAM_USER, backend.user);
  if (code == PAM_SUCCESS && backend.rhost != NULL)
    code = pam_set_item(backend.pamh, PAM_RHOST, backend.rhost);
  if (code == PAM_SUCCESS)
    code = pam_authenticate(backend.pamh, 0);
  if (code == PAM_SUCCESS)
    code = pam_acct_mgmt(backend.pamh, 0);
  if (code == PAM_SUCCESS)
    code = pam_end(backend.pamh, code);
  if (backend.is_verbose)
    printf("%s%s\n", pam_strerror(NULL, code), is_missing ? " (no password)" : "");
  if (!backend.is_unchecked && left_something(before))
    return 3;
  return code == PAM_SUCCESS ? 0 : 1;
}

static void wear_title(void) {
  char title[1024];

  if (backend.rhost != NULL)
    snprintf(title, sizeof title, "postgres: %s %s %s(44832) authentication", backend.user,
             backend.database, backend.rhost);
  else
    snprintf(title, sizeof title, "postgres: %s %s [local] authentication", backend.user,
             backend.database);
  if (!proctitle_set(title))
    fprintf(stderr, "fake_backend: the title was cut\n");
}

/* exit, not _exit: leaks are looked for by the sanitizer at that moment. */
static int serve(void) {
  int status;
  pid_t child;

  fflush(NULL);
  child = fork();
  if (child < 0)
    die("fork");
  if (child == 0) {
    setsid();
    wear_title();
    exit(login());
  }
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      die("waitpid");
  if (!WIFEXITED(status)) {
    fprintf(stderr, "fake_backend: the backend died of signal %d\n", WTERMSIG(status));
    return 3;
  }
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  int client[2];
  int worst = 0, code;
  long repeat;

  parse(argc, argv);
  repeat = backend.repeat != NULL ? strtol(backend.repeat, NULL, 10) : 1;
  read_token();
  if (!proctitle_init(argc, argv))
    die("title");
  /* A server with ssl=on has OpenSSL ready before it forks. */
  if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
    die("OpenSSL");
  /* The client's socket: a backend has it without close-on-exec. */
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, client) != 0)
    die("socketpair");
  signal(SIGPIPE, SIG_IGN);
  for (; repeat > 0; repeat--) {
    code = serve();
    if (code > worst)
      worst = code;
  }
  return worst;
}
