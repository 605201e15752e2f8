/*
 * The audit file: opened, locked and measured for one write.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_SINK_FILE_H
#define CX_AUDIT_SINK_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "audit/chain.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/lock.h"

struct cx_trail {
  const char *path; /* borrowed */
  int fd;           /* open and locked; -1: there is no file */
  bool begins;      /* it holds no record yet */
  int old_fd;       /* the earlier file that it then continues, locked; -1: none */
  char old_name[256];
  off_t size;
  struct cx_chain_head head;
  off_t torn;     /* bytes after the last record, also those of the earlier file */
  bool open_line; /* the file does not end with a newline */
};

/*
 * Opens for appending, takes the write lock, makes sure that the path still
 * names the locked file, and finds the head of the chain: in its last bytes,
 * or for a file without records in the newest rotated one beside it.
 *
 *   in   create: make the file where it is missing; else fd is -1 with CORTEX_OK
 *   out  trail_out: close with cx_trail_close, also after a failure
 *   gives  CORTEX_OK, CORTEX_AUDIT_UNAVAILABLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_trail_open(const char *path, bool create,
                                                  const struct cx_wait *wait,
                                                  struct cx_trail *trail_out,
                                                  struct cortex_error *error);

/* Closes and so unlocks; the trail may be closed already. */
void cx_trail_close(struct cx_trail *trail);

/* Appends the lines by one write; what a full disk took of them is cut off again. */
CORTEX_MUSTCHECK enum cortex_reason
cx_trail_write(struct cx_trail *trail, const struct cx_buf *lines, struct cortex_error *error);

/*
 * Gives the lock back, then waits until what was written is on the disk: of many writers at once
 * the disk takes all in one go, where each would wait for all before it if they held the lock.
 */
CORTEX_MUSTCHECK enum cortex_reason cx_trail_sync(struct cx_trail *trail,
                                                  struct cortex_error *error);

/*
 * A regular file, no symbolic link, not writable by everybody, as a new
 * descriptor for reading and writing; -1 with errno, and where it knows better
 * the fault in what_out. A file it makes has mode 0660 whatever the umask.
 */
enum cx_sink_mode {
  CX_SINK_PLAIN = 0,
  CX_SINK_APPEND = 1,
  CX_SINK_CREATE = 2
};
int cx_sink_open(const char *path, enum cx_sink_mode mode, const char **what_out);

/* Writes the folder's list of names to the disk; an error has no consequence. */
void cx_sink_sync_folder(const char *path);

/* Finds the last record within the last `reach` bytes; false: none is there. */
CORTEX_MUSTCHECK bool cx_sink_find_head(int fd, off_t size, off_t reach,
                                        struct cx_chain_head *head_out, off_t *end_out);

#endif
