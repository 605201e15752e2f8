/*
 * Results as JSON: one object, one line.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_OUT_H
#define TOOLS_COMMON_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A JSON string; bytes that are not UTF-8 (file names may hold any) become U+FFFD. NULL without
 * memory. */
json_t *out_text(const char *text);
json_t *out_bytes(const char *bytes, size_t len);

/* Writes a JSON string with its quotes (RFC 8259 7); bytes that are not UTF-8 become U+FFFD. */
void out_put_text(FILE *stream, const char *bytes, size_t len);

/*
 * Prints a value as one line on standard output and releases it; members stay
 * in the order they were put.
 *   gives  false, after a complaint, when it was NULL or could not be written
 */
bool out_line(json_t *value);

#endif
