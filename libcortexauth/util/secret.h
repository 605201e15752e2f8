/*
 * Bytes that must not stay in memory.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_SECRET_H
#define CX_UTIL_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wipes and frees len bytes; NULL is fine. */
void cx_secret_free(void *bytes, size_t len);

/* Wipes and frees a NUL-terminated text; NULL is fine. */
void cx_secret_free_text(char *text);

/* Takes the same time whatever the bytes are. */
bool cx_secret_is_equal(const void *left, const void *right, size_t len);

#endif
