/*
 * A line that says what is going on, on a terminal only.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cli.h"

/* To the start of the line, and nothing behind it (ECMA-48 8.3.41). */
#define AFRESH "\r\033[K"

void progress_say(const char *format, ...) {
  char text[200];
  va_list list;

  if (isatty(STDERR_FILENO) != 1)
    return;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  cli_flatten(text);
  fprintf(stderr, AFRESH "%.78s", text);
  fflush(stderr);
}

void progress_end(void) {
  if (isatty(STDERR_FILENO) == 1)
    fputs(AFRESH, stderr);
}
