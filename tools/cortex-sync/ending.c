/*
 * Sessions that a plan ends: noted before they are told, and recorded once, beside the reaper.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ending.h"

#include <stdlib.h>
#include <string.h>

#include "alive.h"

/* ---- noting ---- */

struct looking {
  struct sync *sync;
  const bool *marked; /* by number of a role */
  struct pg_server server;
  struct ending *ending;
};

static bool put(struct ending *ending, int64_t pid, int64_t backend_start, uint32_t role) {
  struct cortex_session_end *items =
      realloc(ending->items, (ending->count + 1) * sizeof *ending->items);
  uint32_t *roles = realloc(ending->roles, (ending->count + 1) * sizeof *ending->roles);

  if (items != NULL)
    ending->items = items;
  if (roles != NULL)
    ending->roles = roles;
  if (items == NULL || roles == NULL)
    return false;
  items[ending->count] = (struct cortex_session_end){.pid = pid, .backend_start = backend_start};
  roles[ending->count++] = role;
  return true;
}

/*
 * A role of that name in another cluster, whose sessions leave their stamps in the same place, is
 * another one. A session that is over by itself keeps its stamp until the reaper's next round, and
 * nobody ends it.
 */
static bool visit(const struct cortex_session *session, const char *name,
                  const struct cortex_error *cause, void *context) {
  struct looking *looking = context;
  uint32_t role;

  (void)name;
  (void)cause;
  if (session == NULL)
    return true;
  role = names_find(&looking->sync->model.names, session->role, strlen(session->role));
  if (role == NAMES_NONE || !looking->marked[role] || !is_alive(session->pid))
    return true;
  if (looking->server.started == 0 && !pg_server(looking->sync->pg, &looking->server))
    return false;
  return session->postmaster_start != looking->server.started ||
         put(looking->ending, session->pid, session->backend_start, role);
}

void ending_note(struct sync *sync, const struct plan *plan, struct ending *ending_out) {
  struct looking looking = {.sync = sync, .ending = ending_out};
  bool *marked = calloc(sync->model.names.count + 1, sizeof *marked);
  size_t i;

  *ending_out = (struct ending){0};
  looking.marked = marked;
  for (i = 0; marked != NULL && i < plan->end.count; i++)
    marked[plan->end.items[i]] = true;
  if (marked == NULL || plan->end.count == 0 ||
      cortex_session_each(sync->settings, visit, &looking, NULL) != CORTEX_OK ||
      ending_out->count == 0 || !alive_can_tell(sync->pg, &looking.server) ||
      cortex_session_note_ends(sync->settings, ending_out->items, ending_out->count,
                               cortex_clock_system(), NULL) != CORTEX_OK)
    ending_clear(ending_out);
  free(marked);
}

void ending_clear(struct ending *ending) {
  free(ending->items);
  free(ending->roles);
  *ending = (struct ending){0};
}

/* ---- recording ---- */

struct recording {
  const struct sync *sync;
  const struct ending *ending;
  enum cortex_reason reason;
  struct cortex_error *error;
  bool is_done;
};

static bool record(const struct cortex_session_end *ends, size_t count, void *context) {
  struct recording *recording = context;
  struct ended_list list = {calloc(count + 1, sizeof *list.items), 0};
  size_t i;

  recording->is_done = list.items != NULL;
  for (i = 0; list.items != NULL && i < count; i++)
    if (ends[i].is_over && !ends[i].is_recorded)
      list.items[list.count++] =
          (struct ended){recording->ending->roles[i], ends[i].pid, ends[i].backend_start};
  if (recording->is_done)
    recording->reason =
        record_ended(&recording->sync->record, &recording->sync->model, &list, recording->error);
  free(list.items);
  return recording->is_done && recording->reason == CORTEX_OK;
}

/* One that was not told may be gone by now, and who told it is then not known. */
static bool merge(struct ending *ending, const struct ended_list *ended) {
  size_t i, j, noted = ending->count;

  for (i = 0; i < noted; i++)
    ending->items[i].is_over = !is_alive(ending->items[i].pid);
  for (i = 0; i < ended->count; i++) {
    const struct ended *one = &ended->items[i];

    for (j = 0; j < noted; j++)
      if (ending->items[j].pid == one->pid && ending->items[j].backend_start == one->started)
        break;
    if (j == noted && !put(ending, one->pid, one->started, one->role))
      return false;
    ending->items[j < noted ? j : ending->count - 1].is_over = true;
  }
  return true;
}

enum cortex_reason ending_record(const struct sync *sync, struct ending *ending,
                                 const struct ended_list *ended, struct cortex_error *error) {
  struct recording recording = {.sync = sync, .ending = ending, .error = error};

  if (ended->count + ending->count == 0)
    return CORTEX_OK;
  if (!merge(ending, ended) ||
      (cortex_session_record_ends(sync->settings, ending->items, ending->count, record, &recording,
                                  cortex_clock_system(), NULL) != CORTEX_OK &&
       !recording.is_done))
    return record_ended(&sync->record, &sync->model, ended, error);
  return recording.reason;
}
