/*
 * Names of events and findings: all that the trail records and verifying reports.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>
#include <string.h>

struct entry {
  const char *name;
  const char *sentence;
};

static const struct entry events[] = {
#define EVENT(symbol, name, sentence) {#name, sentence},
#include <cortexauth/event.def>
#undef EVENT
};

static const char *const findings[] = {
    [CORTEX_FINDING_EDITED] = "edited",         [CORTEX_FINDING_REMOVED] = "removed",
    [CORTEX_FINDING_REORDERED] = "reordered",   [CORTEX_FINDING_DUPLICATED] = "duplicated",
    [CORTEX_FINDING_TORN] = "torn",             [CORTEX_FINDING_RESTARTED] = "restarted",
    [CORTEX_FINDING_ANCHOR] = "anchor",         [CORTEX_FINDING_CUT] = "cut",
    [CORTEX_FINDING_RECOVERED] = "recovered",   [CORTEX_FINDING_CONTINUED] = "continued",
};

const char *cortex_event_name(enum cortex_event event) {
  return (unsigned)event < CORTEX_EVENTS ? events[event].name : NULL;
}

const char *cortex_event_sentence(enum cortex_event event) {
  return (unsigned)event < CORTEX_EVENTS ? events[event].sentence : NULL;
}

enum cortex_event cortex_event_parse(const char *name) {
  unsigned i;

  for (i = 0; i < CORTEX_EVENTS; i++)
    if (strcmp(events[i].name, name) == 0)
      break;
  return (enum cortex_event)i;
}

const char *cortex_finding_name(enum cortex_finding_kind kind) {
  return (unsigned)kind < CORTEX_FINDINGS ? findings[kind] : NULL;
}

bool cortex_finding_is_break(enum cortex_finding_kind kind) {
  return (unsigned)kind < CORTEX_FINDING_RECOVERED;
}
