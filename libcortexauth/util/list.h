/*
 * A list of texts.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_LIST_H
#define CX_UTIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <cortexauth/reason.h>

/* All zero is an empty list; the items are heap copies the list owns. */
struct cx_list {
  char **items;
  size_t count;
};

/* Appends a copy of len bytes, NUL-terminated; false without memory. */
CORTEX_MUSTCHECK bool cx_list_append(struct cx_list *list, const char *text, size_t len);

bool cx_list_has(const struct cx_list *list, const char *text);

/* Frees the items and leaves an empty list. */
void cx_list_clear(struct cx_list *list);

#endif
