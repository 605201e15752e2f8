/*
 * Writing and delivering the line.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "report.h"

#include <cortexauth/decision.h>
#include <security/pam_ext.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define SERVICE_MAX_SHOWN 255

struct line {
  char text[2048];
  size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...) {
  size_t room = sizeof line->text - line->len;
  va_list arguments;
  int len;

  va_start(arguments, format);
  len = vsnprintf(line->text + line->len, room, format, arguments);
  va_end(arguments);
  if (len < 0)
    line->text[line->len] = '\0';
  else
    line->len += (size_t)len < room ? (size_t)len : room - 1;
}

/* A newline here would forge a line of the server's log, an escape sequence the reader's terminal.
 */
static void put_escaped(struct line *line, const char *text, size_t max, const char *special) {
  size_t i;

  for (i = 0; i < max && text[i] != '\0'; i++) {
    unsigned char byte = (unsigned char)text[i];

    if (byte < 0x20 || byte > 0x7e || strchr(special, byte) != NULL)
      put(line, "\\x%02x", (unsigned)byte);
    else
      put(line, "%c", byte);
  }
}

static void put_name(struct line *line, const char *label, const char *name, size_t max) {
  if (name == NULL)
    return;
  put(line, " %s=\"", label);
  put_escaped(line, name, max, "\"\\");
  put(line, "\"");
}

static void put_levels(struct line *line, unsigned levels) {
  const char *separator = " levels=";
  unsigned bit;

  for (bit = CORTEX_LEVEL_READ; bit <= CORTEX_LEVEL_ASSUME; bit <<= 1) {
    if ((levels & bit) == 0)
      continue;
    put(line, "%s%s", separator, cortex_level_name(bit));
    separator = ",";
  }
}

/* The part that is fit for everybody's eyes. */
static void put_verdict(struct line *line, const struct cortex_outcome *outcome) {
  if (outcome->effect == CORTEX_ALLOW)
    put(line, "cortex: allowed");
  else
    put(line, "cortex: refused reason=%s", cortex_reason_name(outcome->reason));
  if (outcome->reference[0] != '\0')
    put(line, " reference=%s", outcome->reference);
}

static void put_detail(struct line *line, const struct cx_call *call) {
  const struct cortex_outcome *outcome = &call->outcome;
  char message[sizeof outcome->error.source + sizeof outcome->error.message + 32];

  put_name(line, "service", call->args.service, SERVICE_MAX_SHOWN);
  put_name(line, "role", call->user, CX_USER_MAX);
  if (outcome->effect == CORTEX_ALLOW) {
    put_levels(line, outcome->levels);
    put(line, " session_until=%lld", (long long)outcome->session_until);
    return;
  }
  if (outcome->error.reason == CORTEX_OK)
    snprintf(message, sizeof message, "%s", cortex_reason_sentence(outcome->reason));
  else
    cortex_error_format(&outcome->error, message, sizeof message);
  put(line, ": ");
  put_escaped(line, message, sizeof message, "\\");
}

/* The whole line into the server's log; false: it has to go to syslog. */
static bool tell_server(struct cx_call *call, const struct line *line) {
  if (call->process.pid == 0)
    cx_process_read(&call->process);
  return call->process.is_postgres && ((unsigned)call->flags & PAM_SILENT) == 0 &&
         cx_conv_tell(call->pamh, line->text);
}

static void report_verdict(struct cx_call *call) {
  bool is_allow = call->outcome.effect == CORTEX_ALLOW;
  bool is_silent = ((unsigned)call->flags & PAM_SILENT) != 0;
  struct line line = {"", 0};
  struct line full;

  if (is_allow && !call->args.debug)
    return;
  put_verdict(&line, &call->outcome);
  full = line;
  put_detail(&full, call);
  if (tell_server(call, &full))
    return;
  if (!call->process.is_postgres && !is_silent && !is_allow)
    (void)cx_conv_tell(call->pamh, line.text);
  pam_syslog(call->pamh, is_allow ? LOG_DEBUG : LOG_NOTICE, "%s", full.text);
}

static void put_notice(struct line *line, const struct cortex_outcome *outcome) {
  char message[sizeof outcome->notice.source + sizeof outcome->notice.message + 32];

  if (outcome->notice.reason == CORTEX_AUDIT_UNAVAILABLE)
    put(line, "cortex: no record was kept of reference=%s: ", outcome->reference);
  else
    put(line, "cortex: the policies' text is read at each login: ");
  cortex_error_format(&outcome->notice, message, sizeof message);
  put_escaped(line, message, sizeof message, "\\");
}

/* What an operator should mend, where the login said so. */
static void report_notice(struct cx_call *call) {
  struct line line = {"", 0};

  if (call->outcome.notice.reason == CORTEX_OK)
    return;
  put_notice(&line, &call->outcome);
  if (!tell_server(call, &line))
    pam_syslog(call->pamh, LOG_WARNING, "%s", line.text);
}

void cx_report(struct cx_call *call) {
  report_verdict(call);
  report_notice(call);
}
