/*
 * Memory that is wiped when it is given back: tokens pass through all of it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "wipe.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The size stands before the memory. */
union head {
  size_t size;
  max_align_t align;
};

void *wipe_alloc(size_t size) {
  union head *head = size < SIZE_MAX - sizeof *head ? malloc(sizeof *head + size) : NULL;

  if (head == NULL)
    return NULL;
  head->size = size;
  return head + 1;
}

void wipe_free(void *memory) {
  union head *head = memory;

  if (memory == NULL)
    return;
  head--;
  explicit_bzero(memory, head->size);
  free(head);
}

char *wipe_dup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = wipe_alloc(size);

  if (copy != NULL)
    memcpy(copy, text, size);
  return copy;
}

static void *wipe_calloc(size_t count, size_t size) {
  size_t total;
  void *memory;

  if (__builtin_mul_overflow(count, size, &total))
    return NULL;
  memory = wipe_alloc(total);
  if (memory != NULL)
    memset(memory, 0, total);
  return memory;
}

static void *wipe_realloc(void *memory, size_t size) {
  union head *head = memory;
  void *grown = wipe_alloc(size);

  if (grown != NULL && memory != NULL) {
    head--;
    memcpy(grown, memory, head->size < size ? head->size : size);
    wipe_free(memory);
  }
  return grown;
}

void wipe_everywhere(void) {
  json_set_alloc_funcs(wipe_alloc, wipe_free);
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_alloc, wipe_free, wipe_realloc, wipe_dup,
                       wipe_calloc);
}
