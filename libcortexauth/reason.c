/*
 * Names, sentences and classes of the reason codes, all from reason.def.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/reason.h>

#include <stddef.h>
#include <string.h>

/* All texts in one object, found by offsets: pointers would be written anew at each login. */
static const struct texts {
#define REASON(symbol, name, class, sentence)                                                      \
  char name_##symbol[sizeof #name], sentence_##symbol[sizeof sentence];
#include <cortexauth/reason.def>
#undef REASON
} texts = {
#define REASON(symbol, name, class, sentence) #name, sentence,
#include <cortexauth/reason.def>
#undef REASON
};

struct entry {
  unsigned short name, sentence; /* offsets */
  unsigned char class;
};

static const struct entry entries[] = {
#define REASON(symbol, name, class, sentence)                                                      \
  {offsetof(struct texts, name_##symbol), offsetof(struct texts, sentence_##symbol),               \
   CORTEX_CLASS_##class},
#include <cortexauth/reason.def>
#undef REASON
};

static const char *text_at(unsigned short offset) {
  return (const char *)&texts + offset;
}

static const struct entry *find(enum cortex_reason reason) {
  return (unsigned)reason < CORTEX_REASONS ? &entries[reason] : &entries[CORTEX_INTERNAL];
}

const char *cortex_reason_name(enum cortex_reason reason) {
  return text_at(find(reason)->name);
}

const char *cortex_reason_sentence(enum cortex_reason reason) {
  return text_at(find(reason)->sentence);
}

enum cortex_reason_class cortex_reason_class(enum cortex_reason reason) {
  return (enum cortex_reason_class)find(reason)->class;
}

enum cortex_reason cortex_reason_parse(const char *name) {
  unsigned i;

  for (i = 0; i < CORTEX_REASONS; i++)
    if (strcmp(text_at(entries[i].name), name) == 0)
      break;
  return (enum cortex_reason)i;
}
