/*
 * Names of events and findings: all that the trail records and verifying reports.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>
#include <stddef.h>
#include <string.h>

/* All texts in one object, found by offsets: pointers would be written anew at each login. */
static const struct texts {
#define EVENT(symbol, name, sentence)                                                              \
  char name_##symbol[sizeof #name], sentence_##symbol[sizeof sentence];
#include <cortexauth/event.def>
#undef EVENT
} texts = {
#define EVENT(symbol, name, sentence) #name, sentence,
#include <cortexauth/event.def>
#undef EVENT
};

static const struct {
  unsigned short name, sentence; /* offsets */
} events[] = {
#define EVENT(symbol, name, sentence)                                                              \
  {offsetof(struct texts, name_##symbol), offsetof(struct texts, sentence_##symbol)},
#include <cortexauth/event.def>
#undef EVENT
};

static const char *text_at(unsigned short offset) {
  return (const char *)&texts + offset;
}

static const char findings[][11] = {
    [CORTEX_FINDING_EDITED] = "edited",       [CORTEX_FINDING_REMOVED] = "removed",
    [CORTEX_FINDING_REORDERED] = "reordered", [CORTEX_FINDING_DUPLICATED] = "duplicated",
    [CORTEX_FINDING_TORN] = "torn",           [CORTEX_FINDING_RESTARTED] = "restarted",
    [CORTEX_FINDING_ANCHOR] = "anchor",       [CORTEX_FINDING_CUT] = "cut",
    [CORTEX_FINDING_RECOVERED] = "recovered", [CORTEX_FINDING_CONTINUED] = "continued",
};

const char *cortex_event_name(enum cortex_event event) {
  return (unsigned)event < CORTEX_EVENTS ? text_at(events[event].name) : NULL;
}

const char *cortex_event_sentence(enum cortex_event event) {
  return (unsigned)event < CORTEX_EVENTS ? text_at(events[event].sentence) : NULL;
}

enum cortex_event cortex_event_parse(const char *name) {
  unsigned i;

  for (i = 0; i < CORTEX_EVENTS; i++)
    if (strcmp(text_at(events[i].name), name) == 0)
      break;
  return (enum cortex_event)i;
}

const char *cortex_finding_name(enum cortex_finding_kind kind) {
  return (unsigned)kind < CORTEX_FINDINGS ? findings[kind] : NULL;
}

bool cortex_finding_is_break(enum cortex_finding_kind kind) {
  return (unsigned)kind < CORTEX_FINDING_RECOVERED;
}
