/*
 * Names, sentences and classes of the reason codes, all from reason.def.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/reason.h>

#include <string.h>

struct entry {
  const char *name;
  const char *sentence;
  enum cortex_reason_class class;
};

static const struct entry entries[] = {
#define REASON(symbol, name, class, sentence) {#name, sentence, CORTEX_CLASS_##class},
#include <cortexauth/reason.def>
#undef REASON
};

static const struct entry *find(enum cortex_reason reason) {
  return (unsigned)reason < CORTEX_REASONS ? &entries[reason] : &entries[CORTEX_INTERNAL];
}

const char *cortex_reason_name(enum cortex_reason reason) {
  return find(reason)->name;
}

const char *cortex_reason_sentence(enum cortex_reason reason) {
  return find(reason)->sentence;
}

enum cortex_reason_class cortex_reason_class(enum cortex_reason reason) {
  return find(reason)->class;
}

enum cortex_reason cortex_reason_parse(const char *name) {
  unsigned i;

  for (i = 0; i < CORTEX_REASONS; i++)
    if (strcmp(entries[i].name, name) == 0)
      break;
  return (enum cortex_reason)i;
}
