/*
 * Sessions that a round of the reaper ends, or whose ends it records.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doomed.h"

#include <stdlib.h>
#include <string.h>

static bool copy_texts(struct doomed *doomed, const struct cortex_session *session) {
  const char *const texts[] = {session->reference,
                               session->service,
                               session->database,
                               session->role,
                               cortex_identity_issuer(session->identity),
                               cortex_identity_subject(session->identity),
                               cortex_identity_username(session->identity)};
  size_t i;

  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    doomed->texts[i] = texts[i] != NULL ? strdup(texts[i]) : NULL;
    if (texts[i] != NULL && doomed->texts[i] == NULL)
      return false;
  }
  doomed->session.reference = doomed->texts[0];
  doomed->session.service = doomed->texts[1];
  doomed->session.database = doomed->texts[2];
  doomed->session.role = doomed->texts[3];
  return true;
}

bool doomed_put(struct doomed_list *list, const struct cortex_session *session, enum fate fate,
                enum cortex_reason reason) {
  struct doomed *items = realloc(list->items, (list->count + 1) * sizeof *items);

  if (items == NULL)
    return false;
  list->items = items;
  items[list->count] = (struct doomed){.session = *session, .reason = reason, .fate = fate};
  items[list->count].session.identity = NULL;
  list->ends += fate == FATE_END;
  return copy_texts(&items[list->count++], session);
}

void doomed_clear(struct doomed_list *list) {
  size_t i, j;

  for (i = 0; i < list->count; i++)
    for (j = 0; j < sizeof list->items[i].texts / sizeof list->items[i].texts[0]; j++)
      free(list->items[i].texts[j]);
  free(list->items);
  *list = (struct doomed_list){0};
}

struct cortex_record doomed_record(const struct doomed *doomed) {
  return (struct cortex_record){
      .event = CORTEX_EVENT_SESSION_ENDED,
      .reference = doomed->session.reference,
      .service = doomed->session.service,
      .database = doomed->session.database,
      .role = doomed->session.role,
      .pid = doomed->session.pid,
      .backend_start = doomed->session.backend_start,
      .issuer = doomed->texts[4],
      .subject = doomed->texts[5],
      .username = doomed->texts[6],
      .session_until = doomed->session.session_until,
      .reason = doomed->reason,
      .detail = doomed->fate == FATE_RECORD ? "told to end earlier, by a run that did not record it"
                                            : NULL,
  };
}

struct cortex_session_end *doomed_list_ends(const struct doomed_list *list) {
  struct cortex_session_end *ends = calloc(list->count, sizeof *ends);
  size_t i;

  for (i = 0; ends != NULL && i < list->count; i++) {
    ends[i].pid = list->items[i].session.pid;
    ends[i].backend_start = list->items[i].session.backend_start;
  }
  return ends;
}
