/*
 * Ends of sessions, each noted once: whoever notes it first is the one to record it.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A line each, PID BACKEND_START TOLD_AT, which goes with the session's stamp.
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
  return read_number(at, ' ', &end_out->pid) && read_number(at, ' ', &end_out->backend_start) &&
         read_number(at, '\n', &end_out->told_at);
}

static void put_line(struct cx_buf *text, const struct cortex_session_end *end) {
  cx_buf_printf(text, "%" PRId64 " %" PRId64 " %" PRId64 "\n", end->pid, end->backend_start,
                end->told_at);
}

static bool has_stamp(const struct cx_state *state, int64_t pid) {
  char name[24];
  struct stat status;

  snprintf(name, sizeof name, "%" PRId64, pid);
  return fstatat(state->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static void recognise(const struct cortex_session_end *noted, struct cortex_session_end *ends,
                      size_t count) {
  size_t i;

  for (i = 0; i < count; i++)
    if (ends[i].pid == noted->pid && ends[i].backend_start == noted->backend_start)
      ends[i].told_at = noted->told_at;
}

static enum cortex_reason change(const struct cx_state *state, struct cortex_session_end *ends,
                                 size_t count, int64_t now, struct cortex_error *error) {
  struct cortex_session_end noted;
  struct cx_buf before, after;
  const char *at;
  size_t i;
  enum cortex_reason reason = cx_state_read(state, FILE_NAME, FILE_MAX, &before, error);

  if (reason != CORTEX_OK)
    return reason;
  cx_buf_init(&after, FILE_MAX);
  for (at = before.bytes; at != NULL && read_line(&at, &noted);) {
    recognise(&noted, ends, count);
    if (has_stamp(state, noted.pid))
      put_line(&after, &noted);
  }
  for (i = 0; i < count; i++)
    if (ends[i].told_at == 0)
      put_line(&after, &(struct cortex_session_end){ends[i].pid, ends[i].backend_start, now});
  reason = after.failed
               ? cx_error_memory(error)
               : cx_state_write(state, FILE_NAME, after.bytes, after.len, CX_STATE_QUICK, error);
  cx_buf_clear(&before);
  cx_buf_clear(&after);
  return reason;
}

enum cortex_reason cortex_session_note_ends(const struct cortex_settings *settings,
                                            struct cortex_session_end *ends, size_t count,
                                            const struct cortex_clock *clock,
                                            struct cortex_error *error) {
  const struct cx_wait wait = cx_wait_start(clock, 0);
  struct cx_state state;
  int lock = -1;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  if (reason == CORTEX_OK)
    reason = cx_state_lock(&state, &wait, &lock, error);
  if (reason == CORTEX_OK)
    reason = change(&state, ends, count, clock->now(clock) / 1000000, error);
  if (lock >= 0)
    close(lock);
  cx_state_close(&state);
  return reason;
}
