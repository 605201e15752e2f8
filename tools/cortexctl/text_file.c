/*
 * An input file, read whole.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli.h"

#define FIRST_ROOM ((size_t)64 * 1024)

static bool make_room(struct text_file *file, size_t *room) {
  size_t wanted = *room == 0 ? FIRST_ROOM : *room * 2;
  char *bytes;

  if (wanted > TEXT_FILE_MAX) {
    errno = EFBIG;
    return false;
  }
  bytes = realloc(file->bytes, wanted);
  if (bytes == NULL)
    return false;
  file->bytes = bytes;
  *room = wanted;
  return true;
}

static bool read_all(int fd, struct text_file *file) {
  size_t room = 0;
  ssize_t got;

  for (;;) {
    if (file->len + 1 >= room && !make_room(file, &room))
      return false;
    got = read(fd, file->bytes + file->len, room - file->len - 1);
    if (got == 0)
      break;
    if (got < 0 && errno != EINTR)
      return false;
    if (got > 0)
      file->len += (size_t)got;
  }
  file->bytes[file->len] = '\0';
  return true;
}

bool text_file_read(const char *name, struct text_file *file) {
  bool standard = strcmp(name, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  bool done;

  *file = (struct text_file){.name = standard ? "standard input" : name};
  done = fd >= 0 && read_all(fd, file);
  if (!done) {
    cli_complain("%s: %s", file->name, strerror(errno));
    text_file_clear(file);
  }
  if (!standard && fd >= 0)
    close(fd);
  return done;
}

void text_file_clear(struct text_file *file) {
  free(file->bytes);
  file->bytes = NULL;
  file->len = 0;
}
