/*
 * Asking the policy and printing why it decides as it does.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Role names hold whatever a client sent: nothing of it reaches the terminal as
 * a control character (C0 but newline where lines are ours, DEL, C1).
 */
static void put_clean(const char *text, bool lines) {
  for (; *text != '\0'; text++) {
    bool is_c1 = text[0] == '\xc2' && ((unsigned char)text[1] & 0xe0) == 0x80;
    bool is_control = (unsigned char)*text < 0x20 || *text == 0x7f || is_c1;

    putchar(is_control && !(lines && *text == '\n') ? '?' : *text);
    text += is_c1;
  }
}

void explain_fact(const char *label, const char *format, ...) {
  char *text = NULL;
  va_list args;

  va_start(args, format);
  if (vasprintf(&text, format, args) < 0)
    text = NULL;
  va_end(args);
  printf("%-10s ", label);
  put_clean(text != NULL ? text : "(out of memory)", false);
  putchar('\n');
  free(text);
}

void explain_list(const char *label, const char *const *items, size_t count,
                  const char *none_text) {
  size_t i;

  printf("%-10s ", label);
  for (i = 0; i < count; i++) {
    fputs(i > 0 ? ", " : "", stdout);
    put_clean(items[i], false);
  }
  printf("%s\n", count == 0 ? none_text : "");
}

const char *explain_time(int64_t seconds, char text[EXPLAIN_TIME]) {
  time_t time = (time_t)seconds;
  struct tm parts;

  if (gmtime_r(&time, &parts) == NULL || strftime(text, EXPLAIN_TIME, "%FT%TZ", &parts) == 0)
    snprintf(text, EXPLAIN_TIME, "%lld", (long long)seconds);
  return text;
}

const char *explain_levels(unsigned levels, char text[EXPLAIN_LEVELS]) {
  unsigned level;
  size_t len = 0;

  text[0] = '\0';
  for (level = 1; cortex_level_name(level) != NULL; level <<= 1)
    if ((levels & level) != 0 && len < EXPLAIN_LEVELS)
      len += (size_t)snprintf(text + len, EXPLAIN_LEVELS - len, "%s%s", len > 0 ? ", " : "",
                              cortex_level_name(level));
  return text;
}

static void print_decision(enum cortex_reason reason, const struct cortex_decision *decision) {
  char until[EXPLAIN_TIME], levels[EXPLAIN_LEVELS];

  if (reason != CORTEX_OK)
    explain_fact("decision", "deny: %s (%s)", cortex_reason_name(reason),
                 cortex_reason_sentence(reason));
  else
    explain_fact("decision", "allow: %s, until %s",
                 explain_levels(cortex_decision_levels(decision), levels),
                 explain_time(cortex_decision_session_until(decision), until));
}

enum cli_exit explain_question(const struct cortex_policy *policy,
                               const struct cortex_question *question) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_decision *decision = NULL;
  enum cortex_reason reason = cortex_decide(policy, question, &decision, &error);
  char *text = NULL;
  enum cli_exit code = CLI_OUTSIDE;

  if (decision != NULL && cortex_explain(policy, question, &text, &error) == CORTEX_OK) {
    print_decision(reason, decision);
    putchar('\n');
    put_clean(text, true);
    code = reason == CORTEX_OK ? CLI_DONE : CLI_NO;
  } else {
    cli_complain_error(&error);
  }
  free(text);
  cortex_decision_free(&decision);
  return code;
}
