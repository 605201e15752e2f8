/*
 * Clobbering argv, the way PostgreSQL does it on Linux.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "proctitle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

static char *room;
static size_t room_size;

bool proctitle_init(int argc, char **argv) {
  char *end = argv[0];
  size_t count = 0, i;
  char **moved;
  int arg;

  for (arg = 0; arg < argc; arg++)
    if (argv[arg] == end)
      end = argv[arg] + strlen(argv[arg]) + 1;
  for (; environ[count] != NULL; count++)
    if (environ[count] == end)
      end = environ[count] + strlen(environ[count]) + 1;
  moved = calloc(count + 1, sizeof *moved);
  if (moved == NULL)
    return false;
  for (i = 0; i < count; i++) {
    moved[i] = strdup(environ[i]);
    if (moved[i] == NULL)
      return false;
  }
  environ = moved;
  room = argv[0];
  room_size = (size_t)(end - room);
  return true;
}

bool proctitle_set(const char *title) {
  size_t len = strlen(title);
  bool is_whole = len < room_size;

  memset(room, 0, room_size);
  memcpy(room, title, is_whole ? len : room_size - 1);
  return is_whole;
}

bool proctitle_set_program(const char *name) {
  return prctl(PR_SET_NAME, name) == 0;
}
