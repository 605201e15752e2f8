/*
 * Logs in as fast as it can: client CONNINFO PROCESSES LOGINS prints the seconds.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool log_in(const char *conninfo) {
  PGconn *connection = PQconnectdb(conninfo);
  bool done = PQstatus(connection) == CONNECTION_OK;

  if (!done)
    fputs(PQerrorMessage(connection), stderr);
  PQfinish(connection);
  return done;
}

static void run(const char *conninfo, int logins) {
  while (logins-- > 0)
    if (!log_in(conninfo))
      _exit(1);
  _exit(0);
}

int main(int argc, char **argv) {
  int processes = argc == 4 ? atoi(argv[2]) : 0;
  double began = now();
  bool done = processes > 0;
  int status, i;

  for (i = 0; i < processes; i++)
    if (fork() == 0)
      run(argv[1], atoi(argv[3]) / processes);
  while (wait(&status) > 0)
    done = done && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  printf("%.6f\n", now() - began);
  return done ? 0 : 1;
}
