/*
 * Reading one's own memory through /proc/self.
 * SPDX-License-Identifier: PostgreSQL
 */
#define _GNU_SOURCE
#include "heap.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW ((size_t)1 << 16)

/* Private and without a file: not the stack, where the caller has variables. */
static bool is_heap(const char *line) {
  char access[5] = "", name[64] = "";

  if (sscanf(line, "%*s %4s %*s %*s %*s %63s", access, name) < 1)
    return false;
  return strcmp(access, "rw-p") == 0 && (name[0] == '\0' || strcmp(name, "[heap]") == 0);
}

struct search {
  const char *bytes;
  size_t len;
  int memory;
  char *window; /* shared, so that it is not searched itself */
};

static bool range_holds(const struct search *search, uintptr_t from, uintptr_t to) {
  uintptr_t at;
  ssize_t n;

  for (at = from; at + search->len <= to; at += WINDOW - search->len) {
    n = pread(search->memory, search->window, to - at < WINDOW ? to - at : WINDOW, (off_t)at);
    if (n < (ssize_t)search->len)
      break;
    if (memmem(search->window, (size_t)n, search->bytes, search->len) != NULL)
      return true;
  }
  return false;
}

void *heap_shared(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  return memory != MAP_FAILED ? memory : NULL;
}

bool heap_holds(const char *bytes, size_t len) {
  struct search search = {bytes, len, open("/proc/self/mem", O_RDONLY | O_CLOEXEC),
                          heap_shared(WINDOW)};
  FILE *maps = fopen("/proc/self/maps", "re");
  char line[512];
  unsigned long from, to;
  bool is_found = maps == NULL || search.memory < 0 || search.window == NULL;

  while (!is_found && fgets(line, sizeof line, maps) != NULL)
    if (sscanf(line, "%lx-%lx", &from, &to) == 2 && is_heap(line))
      is_found = range_holds(&search, from, to);
  if (search.memory >= 0)
    close(search.memory);
  if (search.window != NULL)
    munmap(search.window, WINDOW);
  if (maps != NULL)
    fclose(maps);
  return is_found;
}
