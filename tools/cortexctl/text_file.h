/*
 * An input file, read whole.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_TEXT_FILE_H
#define CORTEXCTL_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_FILE_MAX ((size_t)256 * 1024 * 1024)

struct text_file {
  const char *name;
  char *bytes; /* NUL-terminated; release with text_file_clear */
  size_t len;
};

/* "-" is standard input. false, after a complaint, when it cannot be read. */
bool text_file_read(const char *name, struct text_file *file);

void text_file_clear(struct text_file *file);

#endif
