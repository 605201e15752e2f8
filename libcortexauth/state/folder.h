/*
 * The state folder: its parts, opened strictly, and files in them that a kill cannot tear.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Nothing here makes a folder: one that is missing may have been lost with all
 * that was revoked in it, so that refuses what needs it.
 */
#ifndef CX_STATE_FOLDER_H
#define CX_STATE_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "settings/settings.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/lock.h"

/* The parts of the state: each a folder below [state] path, but sessions where [session] says. */
enum cx_state_part {
  CX_STATE_BINDINGS,
  CX_STATE_REPLAY,
  CX_STATE_REQUESTS,
  CX_STATE_REVOKED, /* read by logins; the other parts are written by them */
  CX_STATE_SESSIONS,
  CX_STATE_PARTS
};

/* An opened part. */
struct cx_state {
  int fd;                                 /* of the folder; -1: not open */
  const struct cortex_settings *settings; /* borrowed; names the folder in messages */
  enum cx_state_part part;
  uid_t owner;
  gid_t group;
};

/* "bindings", "replay" and so on: the folder's name; whether logins write there. */
const char *cx_state_part_name(enum cx_state_part part);
bool cx_state_part_is_written(enum cx_state_part part);

/*
 * Opens a part. It must be a folder (a link to one is followed) that not
 * everybody can write, owned by root, the caller or cortex. Those that logins
 * write may also belong to somebody with whom the caller shares their group,
 * and to anybody where root looks; revoked is not writable by its group unless
 * the caller owns it.
 *
 *   out  state_out: close with cx_state_close, also after a failure
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE with the folder in the error
 */
CORTEX_MUSTCHECK enum cortex_reason cx_state_open(const struct cortex_settings *settings,
                                                  enum cx_state_part part,
                                                  struct cx_state *state_out,
                                                  struct cortex_error *error);

/* Closes; one that is closed already is fine. */
void cx_state_close(struct cx_state *state);

/* CORTEX_STATE_UNAVAILABLE for a file of the part; name NULL: for the folder itself. */
enum cortex_reason cx_state_refuse(const struct cx_state *state, const char *name,
                                   struct cortex_error *error, const char *what);

/*
 * Opens a file of the part: regular, no link, not writable by everybody, and of
 * the folder's owner or group, root or the caller.
 *
 *   in   name: no "/"; flags: O_RDONLY or O_RDWR, the rest is added
 *   out  fd_out: -1 on failure, and with CORTEX_OK when there is no such file
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_state_open_file(const struct cx_state *state,
                                                       const char *name, int flags, int *fd_out,
                                                       off_t *size_out,
                                                       struct cortex_error *error);

/*
 * Reads a whole file of at most max bytes.
 *   out  content: made by this call; cx_buf_clear it on success. Its bytes are
 *        NULL when there is no such file, else a text that ends with a NUL
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_state_read(const struct cx_state *state, const char *name,
                                                  size_t max, struct cx_buf *content,
                                                  struct cortex_error *error);

/* How a file is written: it can be seen whole or not at all either way. */
enum cx_state_mode {
  CX_STATE_QUICK,  /* survives the death of the process */
  CX_STATE_DURABLE /* survives a power failure once the call has ended */
};

/*
 * Puts a file in place of what has its name: written beside it as ".NAME.new",
 * then renamed. Two at once for the same name must hold the lock. Its group is
 * the folder's, which may write it where logins write.
 *
 *   in   name: at most CX_STATE_NAME_MAX bytes, no "/", no dot in front
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE: the old file, or none, is there
 */
#define CX_STATE_NAME_MAX 240
CORTEX_MUSTCHECK enum cortex_reason cx_state_write(const struct cx_state *state, const char *name,
                                                   const void *bytes, size_t len,
                                                   enum cx_state_mode mode,
                                                   struct cortex_error *error);

/*
 * Removes a file.
 *   out  existed_out: whether there was one
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_state_remove(const struct cx_state *state, const char *name,
                                                    enum cx_state_mode mode, bool *existed_out,
                                                    struct cortex_error *error);

/*
 * Makes the caller the only one who changes this part: the lock on the file
 * ".lock", made where it is missing. Readers need none.
 *   out  lock_out: close it to give the lock back; -1 on failure
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_state_lock(const struct cx_state *state,
                                                  const struct cx_wait *wait, int *lock_out,
                                                  struct cortex_error *error);

/*
 * The same for one file of the part: who changes another one does not wait, so that the disk writes
 * many at once. Who has the whole part's lock holds up all.
 */
CORTEX_MUSTCHECK enum cortex_reason cx_state_lock_name(const struct cx_state *state,
                                                       const char *name, const struct cx_wait *wait,
                                                       int *lock_out, struct cortex_error *error);

/*
 * Calls visit for each file of the part but those with a dot in front, in no
 * order, until it gives something else than CORTEX_OK; a file that cannot be
 * used (CORTEX_STATE_UNAVAILABLE) does not hide those behind it, and comes out
 * at the end. For programs: it reads the whole folder.
 *   gives  CORTEX_OK, what visit gave, CORTEX_STATE_UNAVAILABLE
 */
typedef enum cortex_reason (*cx_state_visit)(const struct cx_state *state, const char *name,
                                             void *context, struct cortex_error *error);
CORTEX_MUSTCHECK enum cortex_reason cx_state_each(const struct cx_state *state,
                                                  cx_state_visit visit, void *context,
                                                  struct cortex_error *error);

#endif
