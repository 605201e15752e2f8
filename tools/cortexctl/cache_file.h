/*
 * Files of the cache folder: replaced whole, so that a reader sees the old or the new one.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CACHE_FILE_H
#define CORTEXCTL_CACHE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The cache folder of an issuer's files. */
struct cache_place {
  const char *folder;
  const char *label;
};

/*
 * Opens the folder, or makes it (mode 0750; made by root it becomes cortex's).
 *   gives  a descriptor, or -1 with errno
 */
int cache_folder_open(const char *folder);

/*
 * Writes folder/LABEL.suffix: a new file, synced, in the place of the old one
 * by a rename. Made by root it belongs to the folder's owner. Anybody who can
 * enter the folder may read it: it holds public keys.
 *   gives  false with errno
 */
bool cache_file_write(const struct cache_place *place, const char *suffix, const void *bytes,
                      size_t len);

/* Says that the file is as good as new: its age counts from now. False with errno. */
bool cache_file_touch(const struct cache_place *place, const char *suffix);

/* The file's bytes, NUL-terminated, release with free(); NULL with errno. At most max bytes. */
char *cache_file_read(const struct cache_place *place, const char *suffix, size_t max,
                      size_t *len_out);

#endif
