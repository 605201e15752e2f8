/*
 * Ends of sessions: noted before a backend is told, so that one who is killed behind that leaves
 * the record to the next, and recorded by one at a time.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A line each, PID BACKEND_START TOLD_AT RECORDED, which goes with the session's stamp.
 */
#include <cortexauth/session.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/folder.h"

#define FILE_NAME "ended"
#define FILE_MAX ((size_t)16 << 20) /* more sessions than a server can have */

/* Seconds that a line outlives its stamp: somebody may have told the backend and not come to the
 * record. */
#define LINE_LIFE 60

/* The list, with the part's lock held. */
struct list {
  struct cx_state state;
  int lock;
  struct cx_buf before;
  int64_t now;
};

static bool read_number(const char **at, char end, int64_t *number_out) {
  char *rest;

  *number_out = strtoll(*at, &rest, 10);
  if (rest == *at || *rest != end)
    return false;
  *at = rest + 1;
  return true;
}

/* What a power failure damaged ends the list. */
static bool read_line(const char **at, struct cortex_session_end *end_out) {
  int64_t is_recorded;

  *end_out = (struct cortex_session_end){0};
  if (!read_number(at, ' ', &end_out->pid) || !read_number(at, ' ', &end_out->backend_start) ||
      !read_number(at, ' ', &end_out->told_at) || !read_number(at, '\n', &is_recorded))
    return false;
  end_out->is_recorded = is_recorded != 0;
  return true;
}

static void put_line(struct cx_buf *text, const struct cortex_session_end *end) {
  cx_buf_printf(text, "%" PRId64 " %" PRId64 " %" PRId64 " %d\n", end->pid, end->backend_start,
                end->told_at, end->is_recorded);
}

static bool has_stamp(const struct cx_state *state, int64_t pid) {
  char name[24];
  struct stat status;

  snprintf(name, sizeof name, "%" PRId64, pid);
  return fstatat(state->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static struct cortex_session_end *find(struct cortex_session_end *ends, size_t count,
                                       const struct cortex_session_end *line) {
  size_t i;

  for (i = 0; i < count; i++)
    if (ends[i].pid == line->pid && ends[i].backend_start == line->backend_start)
      return &ends[i];
  return NULL;
}

/* ---- the list ---- */

static enum cortex_reason open_list(const struct cortex_settings *settings,
                                    const struct cortex_clock *clock, struct list *list_out,
                                    struct cortex_error *error) {
  const struct cx_wait wait = cx_wait_start(clock, 0);
  enum cortex_reason reason;

  *list_out = (struct list){.lock = -1, .now = clock->now(clock) / 1000000};
  cx_buf_init(&list_out->before, FILE_MAX);
  reason = cx_state_open(settings, CX_STATE_SESSIONS, &list_out->state, error);
  if (reason == CORTEX_OK)
    reason = cx_state_lock(&list_out->state, &wait, &list_out->lock, error);
  if (reason == CORTEX_OK)
    reason = cx_state_read(&list_out->state, FILE_NAME, FILE_MAX, &list_out->before, error);
  return reason;
}

/* What the list says of these ends. */
static void look_up(const struct list *list, struct cortex_session_end *ends, size_t count) {
  struct cortex_session_end line, *end;
  const char *at;

  for (at = list->before.bytes; at != NULL && read_line(&at, &line);) {
    end = find(ends, count, &line);
    if (end != NULL) {
      end->told_at = line.told_at;
      end->is_recorded = line.is_recorded;
    }
  }
}

/* The list anew: these ends as they are now, none where told_at is 0, and the lines of others. */
static enum cortex_reason write_list(const struct list *list, struct cortex_session_end *ends,
                                     size_t count, struct cortex_error *error) {
  struct cortex_session_end line;
  struct cx_buf after;
  enum cortex_reason reason;
  const char *at;
  size_t i;

  cx_buf_init(&after, FILE_MAX);
  for (at = list->before.bytes; at != NULL && read_line(&at, &line);)
    if (find(ends, count, &line) == NULL &&
        (has_stamp(&list->state, line.pid) || llabs(list->now - line.told_at) < LINE_LIFE))
      put_line(&after, &line);
  for (i = 0; i < count; i++)
    if (ends[i].told_at != 0)
      put_line(&after, &ends[i]);
  reason = after.failed ? cx_error_memory(error)
                        : cx_state_write(&list->state, FILE_NAME, after.bytes, after.len,
                                         CX_STATE_QUICK, error);
  cx_buf_clear(&after);
  return reason;
}

static void close_list(struct list *list) {
  cx_buf_clear(&list->before);
  if (list->lock >= 0)
    close(list->lock);
  cx_state_close(&list->state);
}

/* ---- the calls ---- */

static bool grow(struct cortex_session_end **ends, size_t count,
                 const struct cortex_session_end *line) {
  struct cortex_session_end *items = realloc(*ends, (count + 1) * sizeof *items);

  if (items == NULL)
    return false;
  items[count] = *line;
  *ends = items;
  return true;
}

enum cortex_reason cortex_session_due_ends(const struct cortex_settings *settings,
                                           struct cortex_session_end **ends_out, size_t *count_out,
                                           struct cortex_error *error) {
  struct cortex_session_end line;
  struct cx_state state;
  struct cx_buf text;
  const char *at;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  *ends_out = NULL;
  *count_out = 0;
  cx_buf_init(&text, FILE_MAX);
  if (reason == CORTEX_OK)
    reason = cx_state_read(&state, FILE_NAME, FILE_MAX, &text, error);
  for (at = text.bytes; reason == CORTEX_OK && at != NULL && read_line(&at, &line);) {
    if (line.is_recorded)
      continue;
    if (grow(ends_out, *count_out, &line))
      ++*count_out;
    else
      reason = cx_error_memory(error);
  }
  cx_buf_clear(&text);
  cx_state_close(&state);
  return reason;
}

enum cortex_reason cortex_session_note_ends(const struct cortex_settings *settings,
                                            struct cortex_session_end *ends, size_t count,
                                            const struct cortex_clock *clock,
                                            struct cortex_error *error) {
  struct list list;
  enum cortex_reason reason = open_list(settings, clock, &list, error);
  size_t i;

  if (reason == CORTEX_OK) {
    look_up(&list, ends, count);
    for (i = 0; i < count; i++)
      if (ends[i].told_at == 0)
        ends[i].told_at = list.now;
    reason = write_list(&list, ends, count, error);
  }
  close_list(&list);
  return reason;
}

enum cortex_reason cortex_session_record_ends(const struct cortex_settings *settings,
                                              struct cortex_session_end *ends, size_t count,
                                              cortex_session_recorder record, void *context,
                                              const struct cortex_clock *clock,
                                              struct cortex_error *error) {
  struct list list;
  enum cortex_reason reason = open_list(settings, clock, &list, error);
  size_t i;

  if (reason == CORTEX_OK) {
    look_up(&list, ends, count);
    if (record(ends, count, context)) {
      for (i = 0; i < count; i++) {
        ends[i].is_recorded = ends[i].is_recorded || ends[i].is_over;
        if (!ends[i].is_recorded)
          ends[i].told_at = 0;
        else if (ends[i].told_at == 0)
          ends[i].told_at = list.now;
      }
      reason = write_list(&list, ends, count, error);
    }
  }
  close_list(&list);
  return reason;
}
