/*
 * Memory that is wiped when it is given back: tokens pass through all of it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_WIPE_H
#define CORTEX_LOGIN_WIPE_H

#include <stddef.h>

/* As malloc, strdup and free. What one of them gave only wipe_free takes back. */
void *wipe_alloc(size_t size) __attribute__((warn_unused_result));
char *wipe_dup(const char *text) __attribute__((warn_unused_result));
void wipe_free(void *memory);

/* libcurl and jansson use it too, from now on. Called once, before either is used. */
void wipe_everywhere(void);

#endif
