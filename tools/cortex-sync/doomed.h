/*
 * Sessions that a round of the reaper ends, or whose ends it records.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_DOOMED_H
#define SYNC_DOOMED_H

#include <cortexauth/cortexauth.h>

/* What is to be done about a session. */
enum fate {
  FATE_END,    /* it must end */
  FATE_RECORD, /* it is gone, and was told to end by somebody who did not record it */
  FATE_SPARE   /* such a one that goes on: nobody told it */
};

/* A session that must end, or should have: a copy of its stamp, and why. */
struct doomed {
  struct cortex_session session; /* its strings are those of texts */
  enum cortex_reason reason;
  enum fate fate;
  bool is_ended; /* by this round */
  char *texts[7];
};

struct doomed_list {
  struct doomed *items;
  size_t count;
  size_t ends; /* of them that must end */
};

/* Copies what is needed of the stamp; false without memory. */
bool doomed_put(struct doomed_list *list, const struct cortex_session *session, enum fate fate,
                enum cortex_reason reason);
void doomed_clear(struct doomed_list *list);

/* The record of its end; borrows the texts. */
struct cortex_record doomed_record(const struct doomed *doomed);

/* As the library notes them, in the order of the list; NULL without memory. */
struct cortex_session_end *doomed_list_ends(const struct doomed_list *list);

#endif
