/*
 * Lines of an audit file, in memory of fixed size.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "audit/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOM ((size_t)CX_CHAIN_LINE_MAX * 4)
#define TRIES 100

static enum cortex_reason refuse(const struct cx_reader *reader, struct cortex_error *error,
                                 const char *what) {
  return cx_error_at(error, CORTEX_AUDIT_UNAVAILABLE, (struct cx_place){reader->path, 0, 0},
                     "cannot be read: %s", what);
}

/*
 * The size while no writer is between the start and the end of a record. After
 * half a second of bad luck it is taken as it is.
 */
static bool settled_size(int fd, struct stat *status_out) {
  struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  struct timespec nap = {0, 5000000};
  bool done;
  int i;

  for (i = 0; i < TRIES && fcntl(fd, F_OFD_SETLK, &whole) != 0; i++)
    nanosleep(&nap, NULL);
  done = fstat(fd, status_out) == 0;
  whole.l_type = F_UNLCK;
  (void)!fcntl(fd, F_OFD_SETLK, &whole);
  return done;
}

enum cortex_reason cx_reader_open(const char *path, struct cx_reader *reader_out,
                                  struct cortex_error *error) {
  struct cx_reader reader = {.path = path};
  struct stat status;

  *reader_out = reader;
  reader_out->fd = -1;
  do
    reader.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  while (reader.fd < 0 && errno == EINTR);
  if (reader.fd < 0)
    return refuse(&reader, error, strerror(errno));
  reader_out->fd = reader.fd;
  if (fstat(reader.fd, &status) != 0 || !S_ISREG(status.st_mode))
    return refuse(&reader, error, "it is not a regular file");
  if (!settled_size(reader.fd, &status))
    return refuse(&reader, error, strerror(errno));
  reader_out->left = status.st_size;
  reader_out->room = malloc(ROOM);
  return reader_out->room != NULL ? CORTEX_OK : cx_error_memory(error);
}

void cx_reader_close(struct cx_reader *reader) {
  if (reader->fd >= 0)
    close(reader->fd);
  free(reader->room);
  reader->fd = -1;
  reader->room = NULL;
}

/* Moves what is left to the front and reads more behind it; false with errno. */
static bool fill(struct cx_reader *reader) {
  size_t kept = reader->end - reader->start, want;
  ssize_t n;

  memmove(reader->room, reader->room + reader->start, kept);
  reader->start = 0;
  reader->end = kept;
  want = ROOM - kept;
  if ((off_t)want > reader->left)
    want = (size_t)reader->left;
  do
    n = read(reader->fd, reader->room + kept, want);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return false;
  reader->left = n == 0 ? 0 : reader->left - n; /* it became shorter meanwhile */
  reader->end += (size_t)n;
  return true;
}

/* Gives the bytes up to a newline or, where there is none, all that are there. */
static void take(struct cx_reader *reader, const char *newline, struct cx_line *line_out) {
  size_t len = newline != NULL ? (size_t)(newline - reader->room) - reader->start
                               : reader->end - reader->start;

  line_out->bytes = reader->room + reader->start;
  line_out->len = len;
  line_out->ended = newline != NULL;
  line_out->total += len + (newline != NULL);
  reader->start += len + (newline != NULL);
  if (len > CX_CHAIN_LINE_MAX) {
    line_out->bytes += len - CX_CHAIN_LINE_MAX;
    line_out->len = CX_CHAIN_LINE_MAX;
    line_out->whole = false;
  }
}

enum cortex_reason cx_reader_next(struct cx_reader *reader, struct cx_line *line_out,
                                  struct cortex_error *error) {
  const char *newline;

  *line_out = (struct cx_line){.whole = true};
  for (;;) {
    newline = reader->end > reader->start
                  ? memchr(reader->room + reader->start, '\n', reader->end - reader->start)
                  : NULL;
    if (newline != NULL || reader->left == 0)
      break;
    if (reader->end - reader->start > CX_CHAIN_LINE_MAX * 2) {
      line_out->whole = false; /* no record: count its bytes and forget them */
      line_out->total += CX_CHAIN_LINE_MAX;
      reader->start += CX_CHAIN_LINE_MAX;
    }
    if (!fill(reader))
      return refuse(reader, error, strerror(errno));
  }
  if (newline == NULL && reader->end == reader->start && line_out->total == 0)
    return CORTEX_OK;
  line_out->number = ++reader->number;
  take(reader, newline, line_out);
  return CORTEX_OK;
}
