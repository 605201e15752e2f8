/*
 * Writes records through the library, for the tests of the programs.
 *   trail FILE COUNT                   so many allowed logins
 *   trail FILE login CONFIG ROLE TOKEN one real login on the service "staging" or, with a
 *                                      sixth argument, another; prints its reference
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>
#include <cortexauth/login.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int append(const char *file, int number) {
  const struct cortex_audit_options options = {.file = file, .log_socket = "/nonexistent"};
  char reference[32];
  struct cortex_record record = {.event = CORTEX_EVENT_LOGIN,
                                 .reference = reference,
                                 .service = "staging",
                                 .role = "alice",
                                 .username = "alice",
                                 .pid = number,
                                 .effect = CORTEX_ALLOW,
                                 .levels = CORTEX_LEVEL_READ};
  struct cortex_error error = CORTEX_ERROR_NONE;

  snprintf(reference, sizeof reference, "%016d", number);
  if (cortex_audit_append(&options, &record, cortex_clock_system(), 0, &error) == CORTEX_OK)
    return 0;
  fprintf(stderr, "%s: %s\n", error.source, error.message);
  return 1;
}

static int login(int argc, char **argv) {
  const struct cortex_request request = {
      .config = argv[3],
      .service = argc > 6 ? argv[6] : "staging",
      .role = argv[4],
      .database = "analytics",
      .address = "192.0.2.7",
      .host = "db1",
      .credential = argv[5],
      .credential_len = strlen(argv[5]),
      .pid = 1,
      .clock = cortex_clock_system(),
  };
  struct cortex_outcome outcome;

  cortex_login(&request, &outcome);
  printf("%s %s\n", outcome.reference, cortex_reason_name(outcome.reason));
  return 0;
}

int main(int argc, char **argv) {
  int i, failed = 0, count = argc > 2 ? atoi(argv[2]) : 0;

  if (argc > 5 && strcmp(argv[2], "login") == 0)
    return login(argc, argv);
  for (i = 1; i <= count && failed == 0; i++)
    failed = append(argv[1], i);
  return argc < 3 || failed;
}
