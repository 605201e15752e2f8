/*
 * What one record costs, in processes that are new and in one that is warm.
 * SPDX-License-Identifier: PostgreSQL
 *
 * usage: audit FOLDER [fsync]
 *
 * Prints microseconds, median and 99th percentile. "first" is a record in a
 * process that was just forked and did nothing else; "login" the same after a
 * digest, as a login has touched OpenSSL's memory for the signature by then;
 * "warm" one of many in one process; "digest" the hash alone. Build by hand:
 *   cc -O2 -Ilibcortexauth/include tests/bench/audit.c -lcortexauth -lcrypto
 */
#include <cortexauth/audit.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 2000

static const char *const groups[] = {"engineers", "on-call", "analytics", "everybody"};
static const char *const policies[] = {"engineers-read-analytics-staging", "on-call-write"};
static const struct cortex_record record = {
    .event = CORTEX_EVENT_LOGIN,
    .reference = "0123456789abcdef",
    .host = "db1.example",
    .service = "analytics-staging",
    .database = "analytics",
    .role = "alice",
    .address = "192.0.2.7",
    .pid = 4711,
    .backend_start = 1700000000000000,
    .issuer = "https://idp.example/realms/main",
    .subject = "7c9c1f0e-5f0b-4a55-9c1e-1d4a2b1d1a11",
    .username = "alice",
    .groups = groups,
    .group_count = 4,
    .token_id = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    .effect = CORTEX_ALLOW,
    .levels = CORTEX_LEVEL_READ,
    .policies = policies,
    .policy_count = 2,
    .policy_digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    .session_until = 1700028800,
    .duration = 812,
};

static double microseconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right) {
  const double *a = left, *b = right;

  return *a < *b ? -1 : *a > *b;
}

static void print(const char *name, double *times) {
  qsort(times, ROUNDS, sizeof *times, compare);
  printf("%-7s median %7.1f us   p99 %7.1f us\n", name, times[ROUNDS / 2], times[ROUNDS / 100 * 99]);
}

static void digest(void) {
  static const char line[900] = "{";
  unsigned char sum[EVP_MAX_MD_SIZE];

  if (EVP_Digest(line, sizeof line, sum, NULL, EVP_sha256(), NULL) != 1)
    abort();
}

static void append(const struct cortex_audit_options *options) {
  if (cortex_audit_append(options, &record, cortex_clock_system(), 0, NULL) != CORTEX_OK)
    abort();
}

/* What is measured: whether it runs in a process of its own, and what comes before. */
struct way {
  const char *name;
  bool fresh, after_digest, append;
};

static void run(const struct way *way, const struct cortex_audit_options *options) {
  double *times = mmap(NULL, ROUNDS * sizeof *times, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  size_t i;

  if (times == MAP_FAILED)
    abort();
  for (i = 0; i < ROUNDS; i++) {
    pid_t pid = way->fresh ? fork() : 0;

    if (pid == 0) {
      if (way->after_digest)
        digest();
      times[i] = microseconds();
      if (way->append)
        append(options);
      else
        digest();
      times[i] = microseconds() - times[i];
      if (way->fresh)
        _exit(0);
    } else if (waitpid(pid, NULL, 0) != pid) {
      abort();
    }
  }
  print(way->name, times);
  munmap(times, ROUNDS * sizeof *times);
}

int main(int argc, char **argv) {
  static const struct way ways[] = {
      {"first", true, false, true},
      {"login", true, true, true},
      {"warm", false, false, true},
      {"digest", false, false, false},
  };
  struct cortex_audit_options options = {.syslog = 10, .anchor_every = 1000};
  char file[4096];
  size_t i;

  if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "fsync") != 0)) {
    fprintf(stderr, "usage: %s FOLDER [fsync]\n", argv[0]);
    return 2;
  }
  options.fsync = argc == 3;
  snprintf(file, sizeof file, "%s/audit.jsonl", argv[1]);
  options.file = file;
  digest();
  for (i = 0; i < sizeof ways / sizeof ways[0]; i++)
    run(&ways[i], &options);
  return 0;
}
