/*
 * What check and doctor have in common: the question and its findings.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/cli.h"
#include "common/out.h"

static const struct fault {
  const char *name;
  enum check_severity severity;
  const char *meaning;
  const char *fix;
} faults[] = {
#define FAULT(symbol, name, severity, meaning, fix) {#name, CHECK_##severity, meaning, fix},
#include "fault_list.h"
#undef FAULT
};

const char *check_severity_name(enum check_severity severity) {
  static const char *const names[] = {"warning", "error", "unknown", "note"};

  return names[severity];
}

static void print_finding(enum check_severity severity, struct check_place place,
                          const char *what) {
  struct cortex_error shown = {.line = place.line, .column = place.column};

  snprintf(shown.source, sizeof shown.source, "%s", place.name != NULL ? place.name : "");
  snprintf(shown.message, sizeof shown.message, "%s%.480s",
           severity == CHECK_WARNING ? "warning: " : "", what);
  cli_complain_error(&shown);
}

static json_t *number_or_null(unsigned number) {
  return number != 0 ? json_integer(number) : json_null();
}

static void keep_finding(json_t *findings, const struct fault *fault, struct check_place place,
                         const char *what) {
  json_array_append_new(
      findings,
      json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "name", fault->name, "severity",
                check_severity_name(fault->severity), "file",
                place.name != NULL && *place.name != '\0' ? out_text(place.name) : json_null(),
                "line", number_or_null(place.line), "column", number_or_null(place.column), "what",
                out_text(what), "meaning", fault->meaning, "fix", fault->fix));
}

void check_find(struct check *check, enum check_fault fault, struct check_place place,
                const char *format, ...) {
  char what[480]; /* with "warning: " in front it fits an error */
  va_list args;

  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  check->found[faults[fault].severity]++;
  if (check->findings != NULL)
    keep_finding(check->findings, &faults[fault], place, what);
  else
    print_finding(faults[fault].severity, place, what);
}

void check_fix(struct check *check, const char *format, ...) {
  size_t count = json_array_size(check->findings);
  char fix[1024];
  va_list args;

  if (count == 0)
    return;
  va_start(args, format);
  vsnprintf(fix, sizeof fix, format, args);
  va_end(args);
  json_object_set_new(json_array_get(check->findings, count - 1), "fix", out_text(fix));
}

struct check_place check_key_place(const struct check *check, const char *section,
                                   const char *key) {
  return (struct check_place){check->config, cortex_settings_line(check->settings, section, key),
                              0};
}
