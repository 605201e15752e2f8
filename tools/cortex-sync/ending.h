/*
 * Sessions that a plan ends: noted before they are told, and recorded once, beside the reaper.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_ENDING_H
#define SYNC_ENDING_H

#include "sync.h"

/* Those that came through Cortex on this host: the others leave no stamp, and nobody else ends
 * them. */
struct ending {
  struct cortex_session_end *items;
  uint32_t *roles; /* of each */
  size_t count;
};

/* Notes them, in an open transaction; what cannot be noted is recorded all the same. */
void ending_note(struct sync *sync, const struct plan *plan, struct ending *ending_out);

/* Records what was ended, but what somebody else has recorded. */
enum cortex_reason ending_record(const struct sync *sync, struct ending *ending,
                                 const struct ended_list *ended, struct cortex_error *error);

void ending_clear(struct ending *ending);

#endif
