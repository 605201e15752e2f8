/*
 * Writes records through the library, for the tests of the programs: trail FILE COUNT [REFERENCE...]
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>
#include <stdio.h>
#include <stdlib.h>

static int append(const char *file, const char *reference, int number) {
  const struct cortex_audit_options options = {.file = file, .log_socket = "/nonexistent"};
  struct cortex_record record = {.event = CORTEX_EVENT_LOGIN,
                                 .reference = reference,
                                 .service = "analytics-staging",
                                 .role = "alice",
                                 .username = "alice",
                                 .pid = number,
                                 .effect = CORTEX_ALLOW,
                                 .levels = CORTEX_LEVEL_READ};
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_audit_append(&options, &record, cortex_clock_system(), 0, &error) == CORTEX_OK)
    return 0;
  fprintf(stderr, "%s: %s\n", error.source, error.message);
  return 1;
}

int main(int argc, char **argv) {
  int i, failed = 0, count = argc > 2 ? atoi(argv[2]) : 0;
  char reference[32];

  for (i = 0; i < count && failed == 0; i++) {
    snprintf(reference, sizeof reference, "%016d", i);
    failed = append(argv[1], i + 3 < argc ? argv[i + 3] : reference, i + 1);
  }
  return argc < 3 || failed;
}
