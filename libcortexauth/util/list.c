/*
 * A list of texts.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/list.h"

#include <stdlib.h>
#include <string.h>

/* Room is doubled at each power of two, so a list needs no capacity of its own. */
static bool make_room(struct cx_list *list) {
  char **items;

  if ((list->count & (list->count - 1)) != 0)
    return true;
  items = realloc(list->items, (list->count == 0 ? 1 : 2 * list->count) * sizeof *items);
  if (items == NULL)
    return false;
  list->items = items;
  return true;
}

bool cx_list_append(struct cx_list *list, const char *text, size_t len) {
  char *copy;

  if (!make_room(list))
    return false;
  copy = malloc(len + 1);
  if (copy == NULL)
    return false;
  if (len > 0)
    memcpy(copy, text, len);
  copy[len] = '\0';
  list->items[list->count++] = copy;
  return true;
}

bool cx_list_has(const struct cx_list *list, const char *text) {
  size_t i;

  for (i = 0; i < list->count; i++)
    if (strcmp(list->items[i], text) == 0)
      return true;
  return false;
}

void cx_list_clear(struct cx_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++)
    free(list->items[i]);
  free(list->items);
  *list = (struct cx_list){NULL, 0};
}
