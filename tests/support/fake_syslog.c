/*
 * In place of libc's syslog, under its plain and its fortified name.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "fake_syslog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fake_syslog fake_syslog;

#define EXPORT __attribute__((visibility("default")))

EXPORT __attribute__((format(printf, 2, 3))) void syslog(int priority, const char *format, ...);
EXPORT __attribute__((format(printf, 3, 4))) void __syslog_chk(int priority, int flag,
                                                               const char *format, ...);

__attribute__((format(printf, 2, 0))) static void keep(int priority, const char *format,
                                                       va_list arguments) {
  size_t used = strlen(fake_syslog.text);

  fake_syslog.count++;
  fake_syslog.priority = priority;
  vsnprintf(fake_syslog.text + used, sizeof fake_syslog.text - used, format, arguments);
  used = strlen(fake_syslog.text);
  snprintf(fake_syslog.text + used, sizeof fake_syslog.text - used, "\n");
}

void syslog(int priority, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  keep(priority, format, arguments);
  va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...) {
  va_list arguments;

  (void)flag;
  va_start(arguments, format);
  keep(priority, format, arguments);
  va_end(arguments);
}
